// Engines whose address, paths or store are not those of a plain agent.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Job, story } from "./agent.mjs";
import { makeAuthority, sign } from "./certificates.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { manyLayers, recompressed } from "./images.mjs";
import { inJob } from "./job.mjs";
import { config, docker, engineState, inLab, inputs, manifest, needsLab, registry } from "./lab.mjs";

const store = process.env.LAB_STORE;
/** Tests of one image store; in a lab of the other there is nothing to test. */
const of = (wanted) => (inLab && store !== wanted ? () => {} : (name, use) => test(name, needsLab, use));
const testContainerd = of("containerd");
const testOverlay2 = of("overlay2");
const host = "tcp://localhost:2376";

/** A folder of the client's files, as `docker:dind` leaves them in /certs/client. */
let certificates;

before(() => {
  if (!inLab) return;
  const server = mkdtempSync(join(process.env.LAB_TMP, "engine-"));
  certificates = join(server, "client");
  makeAuthority(server);
  sign(server, "server-");
  sign(server, "", { out: certificates });
  cpSync(join(server, "ca.pem"), join(certificates, "ca.pem"));
  execFileSync("engine", ["secure", server]);
});

/** A copy of the client's files after a change. */
function files(change = () => {}) {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "client-"));
  cpSync(certificates, folder, { recursive: true });
  change(folder);
  return folder;
}

const byTls = (folder = certificates, changes = {}) => ({
  DOCKER_HOST: host,
  DOCKER_TLS_VERIFY: "1",
  DOCKER_CERT_PATH: folder,
  ...changes,
});

test("An image is patched by an engine behind TLS, through a filtered socket", needsLab, async () => {
  await inJob(
    async (job) => {
      const step = await job.run(
        inputs({ engineAccess: "filtered", targetImage: `${registry}/app/target:by-tls` }),
      );
      assertSucceeded(step);
      assert.match(config(step.outputs.imageReference).config.Entrypoint[0], /falcon-entrypoint$/);
    },
    { env: byTls() },
  );
});

test("Files of a sidecar that starts late are waited for", needsLab, async () => {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "late-"));
  const job = new Job({ env: byTls(folder) });
  try {
    const step = job.start(inputs({ action: "plan", targetImage: `${registry}/app/target:late` }));
    await sleep(2000);
    for (const name of ["key.pem", "cert.pem", "ca.pem"])
      cpSync(join(certificates, name), join(folder, name));
    assertSucceeded(await step.done);
  } finally {
    job.end();
  }
});

const faults = [
  [
    "an authority that is not there",
    (folder) => rmSync(join(folder, "ca.pem")),
    /`.*\/ca\.pem` does not exist/,
  ],
  [
    "no client certificate",
    (folder) => ["cert.pem", "key.pem"].map((name) => rmSync(join(folder, name))),
    /the engine demands a client certificate, and `.*\/cert\.pem` does not exist/,
  ],
  [
    "a certificate without its key",
    (folder) => rmSync(join(folder, "key.pem")),
    /`.*\/key\.pem` does not exist/,
  ],
  [
    "another authority",
    (folder) => {
      const other = join(folder, "other");
      makeAuthority(other);
      cpSync(join(other, "ca.pem"), join(folder, "ca.pem"));
    },
    /the engine's certificate is not signed by the authority in `.*\/ca\.pem`/,
  ],
  [
    "a client certificate of another authority",
    (folder) => {
      const other = join(folder, "other");
      makeAuthority(other);
      sign(other, "", { out: folder });
    },
    /the engine does not accept the client certificate in `.*\/cert\.pem`/,
  ],
  [
    "another name of the engine",
    undefined,
    /is not valid for `127\.0\.0\.1`, but for .*localhost/,
    { DOCKER_HOST: "tcp://127.0.0.1:2376" },
  ],
  ["plain HTTP", undefined, /the engine expects TLS/, { DOCKER_TLS_VERIFY: "" }],
];

for (const [situation, change, sentence, env] of faults)
  test(`TLS with ${situation} fails with its own sentence`, needsLab, async () => {
    const job = new Job({ env: byTls(files(change), env) });
    try {
      const step = await job.run(inputs());
      assertFailed(step, "ENGINE_TLS_FAILED");
      assert.match(story(step), sentence);
      assert.doesNotMatch(story(step), /Pull the/);
    } finally {
      job.end();
    }
  });

test("A builder on an engine behind TLS is refused", needsLab, async () => {
  const job = new Job({ env: byTls() });
  try {
    const step = await job.run(inputs({ builderName: "arm64builder" }));
    assert.match(assertFailed(step, "ENGINE_BUILDER_FAILED"), /tcp:\/\/localhost:2376.*TLS/);
    assert.doesNotMatch(story(step), /Pull the/);
  } finally {
    job.end();
  }
});

/** A job whose folders the engine does not see: they are mounted for the agent alone, as in a container. */
async function inOtherContainer(use, options = {}) {
  const folder = mkdtempSync(join(process.env.LAB_TMP, "agent-"));
  execFileSync("mount", ["-t", "tmpfs", "tmpfs", folder]);
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder;
  try {
    await inJob(use, options);
  } finally {
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
    execFileSync("umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  }
}

test("The plan tells that the engine cannot mount the agent's folders", needsLab, async () => {
  const given = inputs({ action: "plan", targetImage: `${registry}/app/target:elsewhere` });
  const line = /^Paths: the engine cannot mount the agent's folders/m;
  await inOtherContainer(async (job) => {
    const step = await job.run(given);
    assertOrderly(step);
    assert.match(story(step), line);
    const left = readdirSync(job.folders.temp).filter((name) => name.startsWith("falcon-patch-"));
    assert.deepEqual(left, [], "the folder that was tried is gone");
  });
  await inJob(async (job) => assert.doesNotMatch(story(await job.run(given)), line));
});

test(
  "An engine without the agent's folders patches with its own socket, or not at all",
  needsLab,
  async () => {
    const target = `${registry}/app/target:other-container`;
    await inOtherContainer(async (job) => {
      const step = await job.run(inputs({ targetImage: target }));
      assertOrderly(step);
      assert.equal(step.outputs.changed, "true", story(step));
      const codes = step.warnings.map(({ code }) => code);
      assert.deepEqual(codes, ["ENGINE_ACCESS_UNFILTERED"]);

      const filtered = await job.run(inputs({ targetImage: target, engineAccess: "filtered" }));
      assertFailed(filtered, "ENGINE_ACCESS_UNFILTERED");
      assert.doesNotMatch(story(filtered), /Pull the/);
    });
  },
);

for (const strategy of ["full", "graft"])
  testContainerd(
    `A source that the engine pulls without its content is patched with strategy ${strategy}`,
    async () => {
      const source = await recompressed(`${registry}/app/web:oci`, "zstd");
      // The engine keeps the unpacked layers of the same image in another compression.
      docker("pull", "--quiet", "--platform", "linux/arm64", `${registry}/app/web:oci`);
      try {
        await inJob(async (job) => {
          const target = `${registry}/app/target:zstd-${strategy}`;
          const step = await job.run(inputs({ strategy, sourceImage: source, targetImage: target }));
          assertOrderly(step);
          assert.equal(step.outputs.changed, "true", story(step));
          const codes = step.warnings.map(({ code }) => code);
          assert.equal(codes.includes("ENGINE_IMAGE_INCOMPLETE"), strategy === "full", story(step));
          assert.deepEqual(manifest(target).layers.slice(0, -1), manifest(source).layers);
        });
      } finally {
        docker("image", "rm", `${registry}/app/web:oci`);
      }
    },
  );

testContainerd("An engine's image without content is not taken for one of another platform", async () => {
  const source = await recompressed(`${registry}/app/web:oci`, "zstd-local");
  for (const image of [`${registry}/app/web:oci`, source])
    docker("pull", "--quiet", "--platform", "linux/arm64", image);
  const job = new Job();
  try {
    const step = await job.run(inputs({ sourceLocation: "engine", sourceImage: source }));
    assertFailed(step, "ENGINE_IMAGE_INCOMPLETE");
  } finally {
    job.end();
    docker("image", "rm", source, `${registry}/app/web:oci`);
  }
});

testOverlay2(
  "A source with too many layers is refused before its pull, with a graft as the way out",
  async () => {
    const source = await manyLayers(`${registry}/app/web:1.4.2`, 126);
    await inJob(async (job) => {
      const target = `${registry}/app/target:many-layers`;
      const step = await job.run(inputs({ sourceImage: source, targetImage: target }));
      assert.match(assertFailed(step, "ENGINE_TOO_MANY_LAYERS"), /126 layers.*overlay2.*125/);
      assert.match(story(step), /hint: Set `strategy: graft`/);
      assert.doesNotMatch(story(step), /Pull the/);

      const grafted = await job.run(inputs({ strategy: "graft", sourceImage: source, targetImage: target }));
      assertOrderly(grafted);
      assert.deepEqual(grafted.errors, [], story(grafted));
      const codes = grafted.warnings.map(({ code }) => code);
      assert.deepEqual(codes, ["ENGINE_TOO_MANY_LAYERS"], "the result is too long for such an engine");
      assert.equal(manifest(target).layers.length, 127);
    });
  },
);

testOverlay2("The limit of layers is the engine's own", async () => {
  for (const [layers, fits] of [
    [125, true],
    [126, false],
  ]) {
    const image = await manyLayers(`${registry}/app/web:1.4.2`, layers);
    const pull = () => docker("pull", "--quiet", "--platform", "linux/arm64", image);
    if (fits) {
      pull();
      docker("image", "rm", image);
    } else {
      assert.throws(pull, /max depth exceeded/);
    }
  }
});

testContainerd("The containerd store patches an image of 126 layers in full", async () => {
  const source = await manyLayers(`${registry}/app/web:1.4.2`, 126);
  await inJob(async (job) => {
    const step = await job.run(inputs({ sourceImage: source, targetImage: `${registry}/app/target:long` }));
    assertOrderly(step);
    assert.equal(step.outputs.changed, "true", story(step));
  });
});

after(() => {
  if (inLab) assert.deepEqual(engineState().containers, []);
});
