// The start of the task: on agents that it does not support, in time, and its post-job step without a main step.
import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readJson } from "../../scripts/tools.mjs";
import { Job, story, taskFolder } from "./agent.mjs";
import { assertFailed } from "./expect.mjs";
import { inputs } from "./lab.mjs";

/** Uses a copy of the task whose folder is broken. */
async function withBrokenFolder(breakIt, use) {
  const folder = mkdtempSync(join(tmpdir(), "falcon-task-"));
  cpSync(taskFolder, folder, { recursive: true });
  breakIt(folder);
  const job = new Job({ folder });
  try {
    await use(job);
  } finally {
    job.end();
    rmSync(folder, { recursive: true });
  }
}

const addon = (folder) => join(folder, `native/falcon-patch.linux-${process.arch}.node`);

test("A missing addon is reported with Node, architecture and glibc", async () => {
  await withBrokenFolder(
    (folder) => rmSync(addon(folder)),
    async (job) => {
      const step = await job.run(inputs());
      assert.match(
        assertFailed(step, "TASK_AGENT_UNSUPPORTED"),
        new RegExp(`Node ${process.version}, ${process.arch}, glibc 2\\.`),
      );
      assert.match(step.text, /Caused by: .*cannot open shared object file/);
    },
  );
});

test("An addon that cannot be loaded is reported with the loader's text", async () => {
  await withBrokenFolder(
    (folder) => truncateSync(addon(folder), 100),
    async (job) => {
      const step = await job.run(inputs());
      assertFailed(step, "TASK_AGENT_UNSUPPORTED");
      assert.match(step.text, /Caused by: \S+\.node: \w+/);
      const post = await job.post();
      assert.deepEqual(post.raw, [], "the post-job step is silent");
      assert.equal(post.exitCode, 0);
    },
  );
});

test("A translation is a file, and its language is the organisation's", async () => {
  const english = readJson("task/Strings/resources.resjson/en-US/resources.resjson");
  const translated = { ...english, "loc.messages.AddonNotLoadable": "Nicht ladbar (Node %s, %s, glibc %s)" };
  await withBrokenFolder(
    (folder) => {
      rmSync(addon(folder));
      const language = join(folder, "Strings/resources.resjson/de-DE");
      mkdirSync(language);
      writeFileSync(join(language, "resources.resjson"), JSON.stringify(translated));
    },
    async (job) => {
      job.variables["System.Culture"] = "de-DE";
      const message = assertFailed(await job.run(inputs()), "TASK_AGENT_UNSUPPORTED");
      assert.ok(
        message.startsWith(`Nicht ladbar (Node ${process.version}, ${process.arch}, glibc 2.`),
        message,
      );
      job.variables["System.Culture"] = "fr-FR";
      assert.match(
        assertFailed(await job.run(inputs()), "TASK_AGENT_UNSUPPORTED"),
        /^The task's native addon/,
      );
    },
  );
});

test("The post-job step is silent when the main step was skipped", async () => {
  const job = new Job({ env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  try {
    const post = await job.post();
    assert.deepEqual(post.raw, []);
    assert.equal(post.exitCode, 0);
  } finally {
    job.end();
  }
});

test("The first line is logged at once", async () => {
  const job = new Job({ env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  const seconds = [];
  try {
    // The best of several, since the machine has other work too.
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const step = await job.run(inputs({ sourceImage: "" }));
      const first = step.raw.find(({ line }) => line.startsWith("FalconArm64Patch "));
      assert.ok(first, story(step));
      seconds.push(first.at);
    }
    assert.ok(Math.min(...seconds) < 0.3, `came after ${seconds.join(", ")} s`);
  } finally {
    job.end();
  }
});
