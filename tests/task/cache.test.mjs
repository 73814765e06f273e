// The graft cache: a first agent asks falconutil, later ones have its answer from the registry, without an engine.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertOrderly, assertSucceeded } from "./expect.mjs";
import { derive, filesystem } from "./images.mjs";
import { inJob } from "./job.mjs";
import {
  config,
  content,
  customerId,
  docker,
  front,
  inputs,
  manifest,
  needsLab,
  registry,
  registryPassword,
} from "./lab.mjs";

const web = `${registry}/app/web`;
const signedIn = {
  authorization: `Basic ${Buffer.from(`AWS:${registryPassword}`).toString("base64")}`,
  connection: "close",
};
const entryTag = /`[^`]*:(falcon-graft-[0-9a-f]{32})`/;
const isHit = /Graft cache: `.*` \(sha256:[0-9a-f]{64}\)(, signed by .*,)? has falconutil's answer/;

/** Inputs of a graft from app/web to a repository, with the cache. */
const asked = (repository, tag, changes) =>
  inputs({
    strategy: "graft",
    graftCache: "registry",
    targetImage: `${registry}/${repository}:${tag}`,
    ...changes,
  });

/** A repository of a test's own, so that no other test's entries are in it. */
async function repository(name, settings = {}) {
  await front("PUT", `/repositories/${name}`, settings);
  return name;
}

/** Runs a step on an agent with an engine. */
async function withEngine(given) {
  let step;
  await inJob(async (job) => {
    step = await job.run(given);
  });
  return step;
}

/** Runs a step on an agent whose engine would be at a socket that does not exist. */
async function withoutSocket(given) {
  const job = new Job({ env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  try {
    const step = await job.run(given);
    const post = await job.post();
    assert.deepEqual(post.warnings, [], post.text);
    assert.deepEqual(job.files(), []);
    assert.deepEqual(job.findings(), []);
    return step;
  } finally {
    job.end();
  }
}

/** Runs a step on an agent whose engine's socket only counts who connects to it. */
async function withCountingSocket(given) {
  const job = new Job();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const path = join(job.root, "engine.sock");
  await new Promise((resolve) => server.listen(path, resolve));
  job.env = { DOCKER_HOST: `unix://${path}` };
  try {
    const step = await job.run(given);
    assert.deepEqual((await job.post()).warnings, []);
    return { step, connections };
  } finally {
    await new Promise((resolve) => server.close(resolve));
    job.end();
  }
}

/** The first agent's graft, with the entry that it leaves. */
async function first(name, changes) {
  const step = await withEngine(asked(name, "first", changes));
  assertSucceeded(step);
  const tag = story(step).match(/kept the graft for later runs as `.*:(falcon-graft-[0-9a-f]{32})`/)?.[1];
  assert.ok(tag, story(step));
  return { step, tag, entry: `${registry}/${name}:${tag}` };
}

/** A graft that does not use the entry, for a reason that it logs, and asks falconutil instead. */
function assertPassedOver(step, reason) {
  assertOrderly(step);
  assert.equal(step.result, "Succeeded", story(step));
  const warnings = step.warnings.filter(({ code }) => code === "GRAFT_ENTRY_REFUSED");
  assert.equal(warnings.length, 1, story(step));
  assert.match(warnings[0].message, entryTag);
  assert.match(warnings[0].message, reason);
  assert.match(step.text, /Patch a stub of the source/);
}

function assertHit(step) {
  assertSucceeded(step);
  assert.match(step.text, isHit);
  for (const work of [
    /Pull the /,
    /falconutil for its flags/,
    /Patch (a stub|with)/,
    /Install the ARM64/,
    /^Engine: /m,
  ])
    assert.doesNotMatch(step.text, work);
}

test(
  "A second agent grafts from the cache, with no engine's socket there and none opened",
  needsLab,
  async () => {
    const name = await repository("app/cached", { mounting: true });
    const falconctlOptions = "--provisioning-token=A1B2C3D4 --tags=a,b";
    const { step: one, entry } = await first(name, { falconctlOptions });
    const stored = content(`${registry}/${name}@${manifest(entry).config.digest}`);
    for (const secret of [customerId, customerId.slice(0, 32), "A1B2C3D4"])
      assert.ok(!stored.toLowerCase().includes(secret.toLowerCase()), stored);

    // The next build of the image: other layers, the same configuration but for a label.
    const next = await derive(
      `${web}:1.4.2`,
      "next-build",
      (image) => {
        image.config.config.Labels = { ...image.config.config.Labels, commit: "0a1b2c3d" };
        image.config.created = "2026-11-26T00:00:00Z";
      },
      Buffer.alloc(1024),
    );
    const given = { falconctlOptions, sourceImage: next };
    await front("DELETE", "/requests");
    const two = await withoutSocket(asked(name, "second", given));
    const requests = await front("GET", "/requests");
    assertHit(two);
    assertNoLeak(two, [customerId, "A1B2C3D4"]);
    assert.equal(two.outputs.changed, "true");
    const layer = manifest(entry).layers[0].digest;
    assert.equal(manifest(two.outputs.imageReference).layers.at(-1).digest, layer);
    const sent = requests.filter(
      ({ method, path }) => method === "PUT" && decodeURIComponent(path).includes(layer),
    );
    assert.deepEqual(sent, []);
    const counted = await withCountingSocket(asked(name, "third", given));
    assertHit(counted.step);
    assert.equal(counted.connections, 0);

    // The same digest as without the cache.
    const plain = await withEngine(asked(name, "plain", { ...given, graftCache: "none" }));
    assertSucceeded(plain);
    assert.doesNotMatch(plain.text, /Graft cache/);
    for (const { outputs } of [two, counted.step])
      assert.equal(outputs.imageDigest, plain.outputs.imageDigest);
    for (const { outputs } of [one, two]) assertRuns(outputs.imageReference);
    assert.equal(config(two.outputs.imageReference).config.Labels.commit, "0a1b2c3d");
    assert.deepEqual(
      Object.keys(filesystem(two.outputs.imageReference)).filter((path) =>
        path.startsWith("opt/CrowdStrike/rootfs/bin"),
      ),
      Object.keys(filesystem(one.outputs.imageReference)).filter((path) =>
        path.startsWith("opt/CrowdStrike/rootfs/bin"),
      ),
    );
    assert.match(await record(name, two.outputs.imageDigest), /graft-entry/);
  },
);

/** Starts an image, and checks that the sensor's entrypoint ran before the program. */
function assertRuns(reference) {
  docker("pull", "--quiet", "--platform", "linux/arm64", reference);
  const name = "falcon-cache-test";
  try {
    docker("run", "--detach", "--platform", "linux/arm64", "--network", "host", "--name", name, reference);
    assert.equal(docker("inspect", "--format", "{{.State.Running}}", name), "true");
  } finally {
    docker("rm", "--force", name);
    docker("image", "rm", reference);
  }
}

/** The statement beside an image. */
async function record(name, digest) {
  const response = await fetch(`https://${registry}/v2/${name}/referrers/${digest}`, { headers: signedIn });
  const [{ digest: statement }] = (await response.json()).manifests;
  return content(`${registry}/${name}@${manifest(`${registry}/${name}@${statement}`).layers[0].digest}`);
}

test("Without an engine and without an entry there is one clear sentence", needsLab, async () => {
  const name = await repository("app/no-entry");
  const step = await withoutSocket(asked(name, "1"));
  const message = assertFailed(step, "ENGINE_NOT_REACHABLE");
  assert.match(message, /The graft cache has no usable entry .*, which this agent does not have/);
  assert.match(story(step), /hint: Patch once with the same inputs on an agent with a Docker Engine/);
});

test("A commit in a variable makes another question, and the log names it", needsLab, async () => {
  const name = await repository("app/questions");
  const built = (commit) =>
    derive(`${web}:1.4.2`, `commit-${commit}`, (image) => {
      image.config.config.Env = [...image.config.config.Env, `GIT_COMMIT=${commit}`];
    });
  await first(name, { sourceImage: await built("0a1b") });
  const step = await withEngine(asked(name, "second", { sourceImage: await built("2c3d") }));
  assertSucceeded(step);
  assert.match(step.text, /no entry `.*`; the nearest entry differs in the variable `GIT_COMMIT`/);
  assert.match(step.text, /belongs into a label/);
});

/** Puts a manifest under a tag. */
async function put(name, tag, document) {
  const response = await fetch(`https://${registry}/v2/${name}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...signedIn, "content-type": document.mediaType },
    body: JSON.stringify(document),
  });
  assert.equal(response.status, 201, await response.text());
}

/** Uploads a blob, and returns its digest and size. */
async function blob(name, bytes) {
  const from = await derive(`${registry}/${name}:first`, "carrier", () => {}, bytes);
  const { digest, size } = manifest(from).layers.at(-1);
  return { digest, size };
}

test("Bad entries are refused, each for its reason, and replaced", needsLab, async () => {
  const name = await repository("app/poisoned");
  const { tag, entry, step } = await first(name);
  const good = manifest(entry);
  const documentOf = JSON.parse(content(`${registry}/${name}@${good.config.digest}`));
  const image = manifest(step.outputs.imageReference);
  const other = await first(name, { containerName: "other" });
  const poisoned = await blob(name, Buffer.concat([fileAt("etc/passwd"), Buffer.alloc(1024)]));
  const withDocument = async (change) => {
    const changed = structuredClone(documentOf);
    change(changed);
    const bytes = Buffer.from(JSON.stringify(changed));
    return { ...good, config: { ...good.config, ...(await raw(name, bytes)) } };
  };
  const cases = [
    ["mis-tagged", /is not an entry of the graft cache/, image],
    ["replayed", /answers another question/, manifest(other.entry)],
    [
      "truncated",
      /is not whole/,
      { ...good, config: { ...good.config, ...(await raw(name, Buffer.from('{"schema":1,'))) } },
    ],
    ["of another schema", /has the schema 2/, await withDocument((document) => (document.schema = 2))],
    ["of another size", /its layer is refused/, { ...good, layers: [{ ...good.layers[0], size: 5 }] }],
    [
      "with a poisoned layer",
      /its layer is refused: .*etc\/passwd/,
      {
        ...(await withDocument((document) => {
          document.layer.digest = poisoned.digest;
          document.layer.size = poisoned.size;
        })),
        layers: [{ ...good.layers[0], ...poisoned }],
      },
    ],
    [
      "with another entrypoint",
      /would be wrong: its entrypoint/,
      await withDocument((document) => (document.change.entrypoint = [["/bin/sh"]])),
    ],
    ["with an unknown field", /is not in the form/, await withDocument((document) => (document.more = 1))],
  ];
  for (const [what, reason, planted] of cases) {
    await put(name, tag, planted);
    const step = await withEngine(asked(name, what.replaceAll(" ", "-")));
    assertPassedOver(step, reason);
    assert.deepEqual(manifest(entry), good, `${what}: replaced`);
  }
  assertHit(await withoutSocket(asked(name, "last")));
});

/** Uploads bytes as they are. */
async function raw(name, bytes) {
  const base = `https://${registry}/v2/${name}/blobs/uploads/`;
  const session = await fetch(base, { method: "POST", headers: signedIn });
  const place = new URL(session.headers.get("location"), base);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  place.searchParams.set("digest", digest);
  const answer = await fetch(place, { method: "PUT", headers: signedIn, body: bytes });
  assert.equal(answer.status, 201);
  return { digest, size: bytes.length };
}

/** The header of an empty file. */
function fileAt(path) {
  const header = Buffer.alloc(512);
  const fields = [
    [0, path],
    [100, "0000644"],
    [108, "0000000"],
    [116, "0000000"],
    [124, "00000000000"],
    [136, "00000000000"],
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\0" + "00"],
  ];
  for (const [at, text] of fields) header.write(text, at, "latin1");
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

test("Two runs at once agree on the entry", needsLab, async () => {
  const name = await repository("app/at-once");
  const jobs = [new Job(), new Job()];
  try {
    const steps = await Promise.all(jobs.map((job, index) => job.run(asked(name, `run-${index}`))));
    for (const step of steps) assertSucceeded(step);
    assert.equal(steps[0].outputs.imageDigest, steps[1].outputs.imageDigest);
    for (const job of jobs) await job.post();
  } finally {
    for (const job of jobs) job.end();
  }
  assertHit(await withoutSocket(asked(name, "later")));
});

test("Immutable tags keep a good entry, and a bad one is warned of", needsLab, async () => {
  const name = await repository("app/cache-immutable", { immutable: true });
  const { entry, tag } = await first(name);
  assertHit(await withoutSocket(asked(name, "second")));
  assert.equal(manifest(entry).artifactType, "application/vnd.falcon-arm64-patch.graft.v1+json");
  const bad = await repository("app/cache-immutable-bad", { immutable: true });
  const image = await withEngine(asked(bad, "1", { graftCache: "none" }));
  await put(bad, tag, manifest(image.outputs.imageReference));
  const step = await withEngine(asked(bad, "2"));
  assert.equal(step.result, "Succeeded", story(step));
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["GRAFT_ENTRY_REFUSED", "GRAFT_ENTRY_NOT_KEPT"],
  );
});

test("A registry that refuses the entry costs a warning", needsLab, async () => {
  const name = await repository("app/refuses-entry");
  const match = { method: "PUT", pathPattern: "/app/refuses-entry/manifests/falcon-graft-" };
  const answer = { status: 403, body: '{"errors":[{"code":"DENIED","message":"not now"}]}' };
  await front("POST", "/faults", { match, count: 10, answer });
  try {
    const step = await withEngine(asked(name, "1"));
    assert.equal(step.result, "Succeeded", story(step));
    assert.deepEqual(
      step.warnings.map(({ code }) => code),
      ["GRAFT_ENTRY_NOT_KEPT"],
    );
    assert.doesNotMatch(story(step), /kept the graft/);
  } finally {
    await front("DELETE", "/faults");
  }
});

test(
  "With trusted keys only signed entries are believed, and their layers are not read",
  needsLab,
  async () => {
    const name = await repository("app/signed-entries");
    for (const alias of ["alias/graft-cache", "alias/other-cache"]) await front("PUT", "/keys", { alias });
    const { entry } = await first(name);
    const trusting = { trustedKeys: "alias/graft-cache" };
    const unsigned = await withEngine(asked(name, "unsigned", trusting));
    assertPassedOver(unsigned, /no trusted key has signed it: no signature is beside it/);

    const signing = { ...trusting, signingKey: "alias/graft-cache" };
    const before = manifest(entry);
    const signed = await withEngine(asked(name, "signed", signing));
    assertPassedOver(signed, /no trusted key has signed it/);
    assert.deepEqual(manifest(entry), before, "the same answer is the same bytes");

    await front("DELETE", "/requests");
    const later = await withoutSocket(asked(name, "later", signing));
    const requests = await front("GET", "/requests");
    assertHit(later);
    assert.match(later.text, /signed by alias\/graft-cache, has falconutil's answer/);
    const layer = before.layers[0].digest;
    const reads = requests.filter(
      ({ method, path }) => method === "GET" && decodeURIComponent(path).includes(layer),
    );
    assert.deepEqual(reads, []);
    assert.ok(requests.length <= 36, `${requests.length} requests`);

    const other = await withEngine(asked(name, "other", { trustedKeys: "alias/other-cache" }));
    assertPassedOver(other, /no trusted key has signed it/);
  },
);
