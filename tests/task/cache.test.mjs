// The graft cache: a first agent asks falconutil, later ones have its answer from the registry, without an engine.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import {
  asked,
  assertHit,
  first,
  repository,
  signedIn,
  web,
  withEngine,
  withoutSocket,
} from "./graft-cache.mjs";
import { derive, filesystem } from "./images.mjs";
import { config, content, customerId, docker, front, manifest, needsLab, registry } from "./lab.mjs";

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
    // 27, four for the layers of another repository, and one since the tag is looked for without its image.
    const listed = requests.map(({ method, path }) => `${method} ${path}`);
    assert.ok(listed.length <= 32, listed.join("\n"));
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
    docker("rm", "--force", "--volumes", name);
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
  assert.match(step.text, /put it into a label/);
});

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
