// Runs on a machine that cannot run ARM64 programs yet. The handlers are the kernel's, so no other lab may run meanwhile:
// `npm test` runs the files of this name by themselves, one store after the other.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { story } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { uncached } from "./images.mjs";
import { inJob, refuse } from "./job.mjs";
import { docker, dockerInStep, front, inputs, lab, needsLab, registry } from "./lab.mjs";

/** Runs an action on a machine that cannot run ARM64 programs; other labs wait meanwhile. */
async function withoutEmulator(use) {
  lab("binfmt", "off");
  try {
    await use();
  } finally {
    lab("binfmt", "on");
  }
}

afterEach(async () => {
  if (process.env.LAB_FRONT) await front("DELETE", "/faults");
});

test("A missing emulator fails the step if emulation is never", needsLab, async () => {
  await withoutEmulator(async () => {
    const step = await refuse(inputs({ emulation: "never" }), {
      code: "EMULATION_MISSING",
      patterns: [/emulation/],
    });
    assert.doesNotMatch(story(step), /Pull the source image/);
  });
});

test("An emulator image without effect is detected", needsLab, async () => {
  await withoutEmulator(async () => {
    await refuse(inputs({ emulatorImage: process.env.LAB_EMULATOR_NO_EFFECT_IMAGE }), {
      code: "EMULATION_NO_EFFECT",
    });
  });
});

test("A missing emulator is installed and named as an effect that stays", needsLab, async () => {
  await withoutEmulator(() =>
    inJob(async (job) => {
      const step = await job.run(inputs({ targetImage: `${registry}/app/target:installed` }));
      assertSucceeded(step);
      assert.match(story(step), /^Changed:[\s\S]*^ {2}registered the ARM64 emulator of `.*lab\/binfmt/m);
    }),
  );
});

test("An emulator image that a pull-through cache knows by its tag only is pulled", needsLab, async () => {
  try {
    const emulatorImage = await uncached("lab/binfmt", "qemu-v7.2", "MANIFEST_UNKNOWN");
    const targetImage = `${registry}/app/target:emulator-from-cache`;
    await withoutEmulator(() =>
      inJob(async (job) => {
        const step = await job.run(inputs({ emulatorImage, targetImage }));
        assertSucceeded(step);
        assert.match(story(step), /is there by its tag; trying again/);
      }),
    );
  } finally {
    await front("DELETE", "/faults");
  }
});

test("With the emulator, the engine's own builder runs ARM64 programs", needsLab, async () => {
  // The engine and its command line see it under the same name.
  const folder = mkdtempSync(join(process.env.LAB_TMP, "emulator-"));
  try {
    await withoutEmulator(() =>
      inJob(async (job) => {
        writeFileSync(
          join(folder, "Dockerfile"),
          `FROM ${registry}/app/web:1.4.2 AS built\nUSER 0\nRUN uname -m > /machine\nFROM scratch\nCOPY --from=built /machine /\n`,
        );
        const build = ["buildx", "build", "--builder", "default", "--platform", "linux/arm64", "--no-cache"];
        const output = ["--output", `type=local,dest=${join(folder, "out")}`];
        assert.throws(
          () => docker(...build, ...output, folder),
          ({ stderr }) => /exec format error/.test(stderr),
        );
        const builderName = "arm64builder";
        const step = await job.run(inputs({ builderName, targetImage: `${registry}/app/target:emulated` }));
        assertSucceeded(step);
        dockerInStep(step, ...build, ...output, folder);
        assert.equal(readFileSync(join(folder, "out/machine"), "utf8"), "aarch64\n");
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
