// Grafts on agents with and without an engine, and the entries that they leave in the registry.
import assert from "node:assert/strict";
import { Job, story } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { front, inputs, registry, registryPassword, withoutEngine } from "./lab.mjs";

export const web = `${registry}/app/web`;
export const signedIn = {
  authorization: `Basic ${Buffer.from(`AWS:${registryPassword}`).toString("base64")}`,
  connection: "close",
};
const isHit = /Graft cache: `.*` \(sha256:[0-9a-f]{64}\)(, signed by .*,)? has falconutil's answer/;

/** Inputs of a graft from app/web to a repository, with the cache. */
export const asked = (repository, tag, changes) =>
  inputs({
    strategy: "graft",
    graftCache: "registry",
    targetImage: `${registry}/${repository}:${tag}`,
    ...changes,
  });

/** A repository of a test's own, so that no other test's entries are in it. */
export async function repository(name, settings = {}) {
  await front("PUT", `/repositories/${name}`, settings);
  return name;
}

/** Runs a step on an agent with an engine. */
export async function withEngine(given) {
  let step;
  await inJob(async (job) => {
    step = await job.run(given);
  });
  return step;
}

/** Runs a step on a machine that has no engine's socket. */
export function withoutSocket(given) {
  return withoutEngine(async () => {
    const job = new Job();
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
  });
}

/** The first agent's graft, with the entry that it leaves. */
export async function first(name, changes) {
  const step = await withEngine(asked(name, "first", changes));
  assertSucceeded(step);
  const tag = story(step).match(/kept the graft for later runs as `.*:(falcon-graft-[0-9a-f]{32})`/)?.[1];
  assert.ok(tag, story(step));
  return { step, tag, entry: `${registry}/${name}:${tag}` };
}

export function assertHit(step) {
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
