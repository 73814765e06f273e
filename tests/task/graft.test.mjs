// `strategy: graft`, compared with `strategy: full` for the same source.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { derive, filesystem } from "./images.mjs";
import { inJob } from "./job.mjs";
import { config, docker, front, inputs, manifest, needsLab, registry, sensorTag } from "./lab.mjs";

const web = `${registry}/app/web`;
const overseas = registry.replace("eu-west-1", "us-east-1");
const isRefused = /Grafting is not possible: (.*); using `strategy: full`/;

/** Runs a step, and returns the requests to the registry meanwhile. */
async function run(job, changes) {
  await front("DELETE", "/requests");
  const step = await job.run(inputs({ skipUnchanged: false, ...changes }));
  return { step, requests: await front("GET", "/requests") };
}

const graft = (job, changes) => run(job, { strategy: "graft", ...changes });

/** Runs a step that grafts without a warning. */
async function grafted(job, changes) {
  const done = await graft(job, changes);
  assertSucceeded(done.step);
  assert.doesNotMatch(done.step.text, isRefused);
  assert.doesNotMatch(done.step.text, /Pull the source image/);
  assert.match(done.step.text, /Patch a stub of the source/);
  return done;
}

/** Requests that carry layers of an image, in either direction. */
function transfers(requests, reference) {
  const layers = manifest(reference).layers.map(({ digest }) => digest);
  const isOfLayer = ({ path }) => layers.some((digest) => decodeURIComponent(path).includes(digest));
  return requests.filter(isOfLayer).filter(({ method }) => method === "GET" || method === "PUT");
}

for (const tag of ["1.4.2", "1.4.2-index", "oci", "root", "no-entrypoint"]) {
  test(`A graft of ${tag} equals the result of the full strategy`, needsLab, async () => {
    await inJob(async (job) => {
      const source = `${web}:${tag}`;
      const [one, other] = [`${registry}/app/target:grafted-${tag}`, `${registry}/app/other:full-${tag}`];
      await grafted(job, { sourceImage: source, targetImage: one });
      assertSucceeded((await run(job, { sourceImage: source, targetImage: other })).step);
      assertSame(one, other);
      assertDerived(one, source);
    });
  });
}

/** An image without its times, the sensor's layer as packed, and the layer's line of the history. */
function assertSame(grafted, full) {
  const [one, other] = [config(grafted), config(full)];
  assert.deepEqual(meaningful(one.config), meaningful(other.config));
  for (const field of ["os", "architecture"]) assert.equal(one[field], other[field]);
  assert.deepEqual(one.rootfs.diff_ids.slice(0, -1), other.rootfs.diff_ids.slice(0, -1));
  assert.deepEqual(filesystem(grafted), filesystem(full));
}

/** The fields with a value: a build omits the others. */
const meaningful = (fields) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== ""));

/** One manifest for ARM64, of the source's family, with the source's layers as they are and one more. */
function assertDerived(grafted, source) {
  const [before, after] = [armManifest(source), manifest(grafted)];
  assert.equal(after.mediaType, before.mediaType);
  assert.equal(after.config.mediaType, before.config.mediaType);
  assert.deepEqual(after.layers.slice(0, -1), before.layers);
  assert.equal(after.layers.at(-1).mediaType, before.layers[0].mediaType);
  const [old, made] = [config(`${source.split(":")[0]}@${before.digest}`), config(grafted)];
  assert.equal(made.rootfs.diff_ids.length, after.layers.length);
  assert.deepEqual(made.history.slice(0, -1), old.history);
  assert.match(made.history.at(-1).created_by, /falconutil/);
  const untouched = ({ config: _, created: __, history: ___, rootfs: ____, ...rest }) => rest;
  assert.deepEqual(untouched(made), untouched(old));
}

/** The manifest for ARM64, with its digest. */
function armManifest(reference) {
  const top = manifest(reference);
  if (top.manifests === undefined) return { ...top, digest: digestOf(reference) };
  const { digest } = top.manifests.find(({ platform }) => platform.architecture === "arm64");
  return { ...manifest(`${reference.split(":")[0]}@${digest}`), digest };
}

const digestOf = (reference) =>
  JSON.parse(docker("manifest", "inspect", "--verbose", reference)).Descriptor.digest;

test("Within its repository, a source is neither pulled nor uploaded", needsLab, async () => {
  await inJob(async (job) => {
    const { step, requests } = await grafted(job, { targetImage: `${web}:grafted` });
    assert.deepEqual(transfers(requests, `${web}:1.4.2`), []);
    assert.ok(!requests.some(({ method }) => method === "PATCH"));
    const puts = requests.filter(({ method, path }) => method === "PUT" && path.includes("/manifests/"));
    const last = puts.at(-1).path;
    assert.ok(last.endsWith("/manifests/grafted"), `the tag is last: ${puts.map(({ path }) => path)}`);
    assert.ok(puts[0].path.endsWith(step.outputs.imageDigest), "and the image first, by its digest");
  });
});

test("The same sensor gives the same layer, which is uploaded once", needsLab, async () => {
  const layer = (reference) => manifest(reference).layers.at(-1);
  const [first, second] = [`${web}:once`, `${web}:twice`];
  let warm;
  await inJob(async (job) => {
    await grafted(job, { targetImage: first });
    warm = await grafted(job, { targetImage: second, sourceImage: `${web}:root` });
    assert.match(warm.step.text, /3 layers: 3 there already/);
  });
  assert.deepEqual(layer(second), layer(first));
  assert.deepEqual(
    warm.requests.filter(
      ({ method, path }) => method === "PUT" && path.includes(encodeURIComponent(layer(first).digest)),
    ),
    [],
  );
  // Without the engine's build cache it is built anew, at another time.
  docker("builder", "prune", "--all", "--force");
  await inJob(async (job) => {
    const third = `${registry}/app/other:anew`;
    await grafted(job, { targetImage: third });
    assert.deepEqual(layer(third), layer(first));
  });
});

test("Layers are mounted where the registry allows it, and uploaded elsewhere", needsLab, async () => {
  for (const [mounting, name] of [
    [true, "app/mounting"],
    [false, "app/sending"],
  ]) {
    await front("PUT", `/repositories/${name}`, { mounting });
    await inJob(async (job) => {
      const { step, requests } = await grafted(job, { targetImage: `${registry}/${name}:1` });
      const sent = transfers(requests, `${web}:1.4.2`);
      assert.equal(sent.length > 0, !mounting, step.text);
      assert.match(step.text, mounting ? /2 mounted, 1 uploaded/ : /3 layers: 3 uploaded/);
    });
  }
});

test("Layers are copied between regions without the engine", needsLab, async () => {
  await front("PUT", "/repositories/app/overseas?region=us-east-1", {});
  await inJob(async (job) => {
    const target = `${overseas}/app/overseas:1`;
    const { step, requests } = await graft(job, { targetImage: target, awsRegion: "eu-west-1" });
    assertSucceeded(step);
    const moved = transfers(requests, `${web}:1.4.2`);
    assert.equal(moved.filter(({ method }) => method === "PUT").length, 2);
    assert.ok(moved.every(({ userAgent }) => userAgent.startsWith("falcon-patch/")));
  });
});

test("Unknown fields of a source are kept", needsLab, async () => {
  const source = await derive(`${web}:oci`, "future", (image) => {
    image.config.fromTheFuture = { kept: [1, 2.5, null] };
    image.config.config.FromTheFuture = { kept: true };
    image.manifest.annotations = { "com.example.team": "web" };
  });
  await inJob(async (job) => {
    const target = `${registry}/app/target:future`;
    await grafted(job, { sourceImage: source, targetImage: target });
    assertDerived(target, source);
    assert.deepEqual(config(target).config.FromTheFuture, { kept: true });
    assert.deepEqual(manifest(target).annotations, { "com.example.team": "web" });
  });
});

test("The folder above the sensor's keeps its owner where the image store allows it", needsLab, async () => {
  const source = await derive(`${web}:1.4.2`, "opt", () => {}, folderOf("opt", { mode: 0o711, owner: 7 }));
  await inJob(async (job) => {
    const target = `${registry}/app/target:opt`;
    await grafted(job, { sourceImage: source, targetImage: target });
    // The classic store gives folders that a layer does not contain to root, whatever their owner in lower layers.
    const expected = process.env.LAB_STORE === "containerd" ? "711 7:7 folder" : "755 0:0 folder";
    assert.equal(filesystem(source).opt, "711 7:7 folder");
    assert.equal(filesystem(target).opt, expected);
  });
});

/** A layer that holds one folder, packed as every tar can read it. */
function folderOf(path, { mode, owner }) {
  const header = Buffer.alloc(512);
  const octal = (number, length) => number.toString(8).padStart(length - 1, "0");
  const fields = [
    [0, `${path}/`],
    [100, octal(mode, 8)],
    [108, octal(owner, 8)],
    [116, octal(owner, 8)],
    [124, octal(0, 12)],
    [136, octal(0, 12)],
    [148, " ".repeat(8)],
    [156, "5"],
    [257, "ustar\0" + "00"],
  ];
  for (const [at, text] of fields) header.write(text, at, "latin1");
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${octal(sum, 7)}\0 `, 148, "latin1");
  return Buffer.concat([header, Buffer.alloc(1024)]);
}

/** Runs a step that is to graft but uses `strategy: full`, for the reason that it logs. */
async function refused(job, reason, changes) {
  const { step } = await graft(job, changes);
  assertOrderly(step);
  assert.match(step.text.match(isRefused)?.[1] ?? story(step), reason);
  return step;
}

test("A source with ONBUILD triggers is patched with the full strategy", needsLab, async () => {
  const source = await derive(`${web}:1.4.2`, "onbuild", (image) => {
    image.config.config.OnBuild = ["ENV TRIGGERED=yes"];
  });
  await inJob(async (job) => {
    const step = await refused(job, /`ONBUILD`/, {
      sourceImage: source,
      targetImage: `${registry}/app/target:onbuild`,
    });
    assert.doesNotMatch(step.text, /Patch a stub/);
    assert.equal(step.outputs.changed, "true", story(step));
    assert.ok(config(step.outputs.imageReference).config.Env.includes("TRIGGERED=yes"));
  });
});

test("An image of the engine is patched with the full strategy", needsLab, async () => {
  const source = "local/web:1";
  docker("pull", "--platform", "linux/arm64", `${web}:1.4.2`);
  docker("tag", `${web}:1.4.2`, source);
  docker("image", "rm", `${web}:1.4.2`);
  await inJob(async (job) => {
    const given = {
      sourceImage: source,
      sourceLocation: "engine",
      targetImage: `${registry}/app/target:local`,
    };
    assertSucceeded(await refused(job, /in the engine/, given));
  });
  docker("image", "rm", source);
});

const variant = (name) => `${registry}/containersensor:${sensorTag}-${name}`;

test(
  "A falconutil that adds the sensor in two layers is grafted as one, with a warning",
  needsLab,
  async () => {
    await inJob(async (job) => {
      const target = `${registry}/app/target:split-layers`;
      const { step } = await graft(job, { sensorImage: variant("split-layers"), targetImage: target });
      assertOrderly(step);
      assert.doesNotMatch(step.text, isRefused);
      assert.deepEqual(
        step.warnings.map(({ code, message }) => [code, /added 2 layers instead of one/.test(message)]),
        [["FALCONUTIL_CHANGED_MORE", true]],
      );
      assert.equal(manifest(target).layers.length, manifest(`${web}:1.4.2`).layers.length + 1);
    });
  },
);

test("A falconutil that cannot patch a stub is given the whole source", needsLab, async () => {
  await inJob(async (job) => {
    // It pulls the stub, which is nowhere to be pulled from, and then the source, which is.
    const given = { sensorImage: variant("pulls"), targetImage: `${registry}/app/target:pulls` };
    assertSucceeded(await refused(job, /exit code 1/, given));
  });
});

test("A falconutil without effect fails as with the full strategy", needsLab, async () => {
  await inJob(async (job) => {
    const given = { sensorImage: variant("no-effect"), targetImage: `${registry}/app/target:no-effect` };
    const step = await refused(job, /the source's layers and no other/, given);
    assertFailed(step, "FALCONUTIL_NO_EFFECT");
  });
});

test("Additions of falconutil to a stub are in the image and in the log", needsLab, async () => {
  await inJob(async (job) => {
    const target = `${registry}/app/target:extra`;
    const { step } = await graft(job, { sensorImage: variant("extra"), targetImage: target });
    assertOrderly(step);
    assert.doesNotMatch(step.text, isRefused);
    assert.deepEqual(
      step.warnings.map(({ code }) => code),
      ["FALCONUTIL_CHANGED_MORE"],
    );
    assert.ok(config(target).config.Env.includes("CS_STAND_IN_EXTRA=one more"));
    assert.equal(config(target).config.Labels["com.example.stand-in.extra"], "one more");
  });
});

test("A failed graft names its effects and leaves no image", needsLab, async () => {
  await inJob(async (job) => {
    const match = { method: "PUT", pathPattern: "/app/target/manifests/sha256" };
    const answer = { status: 403, body: '{"errors":[{"code":"DENIED","message":"not now"}]}' };
    await front("POST", "/faults", { match, count: 10, answer });
    try {
      const target = `${registry}/app/target:broken-off`;
      const { step } = await graft(job, { targetImage: target });
      assertFailed(step, "REGISTRY_DENIED");
      assert.match(story(step), /began to push `.*app\/target@sha256/);
      assert.throws(() => manifest(target));
    } finally {
      await front("DELETE", "/faults");
    }
  });
});

test("A graft cancelled during its push leaves no tag", needsLab, async () => {
  const job = new Job();
  try {
    const match = { method: "PUT", pathPattern: "/app/target/manifests/sha256" };
    await front("POST", "/faults", { match, count: 1, delayMs: 60000 });
    const target = `${registry}/app/target:cancelled`;
    const step = job.start(inputs({ strategy: "graft", targetImage: target }));
    await step.until(/##\[group\]Push the image to/);
    const ended = await step.cancel("SIGINT");
    assertOrderly(ended);
    assert.match(story(ended), /began to push `.*app\/target@sha256/);
    assert.throws(() => manifest(target));
    await job.post();
    assert.deepEqual(job.files(), []);
  } finally {
    await front("DELETE", "/faults");
    job.end();
  }
});
