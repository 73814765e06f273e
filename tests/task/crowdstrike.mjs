// Steps against a stand-in for CrowdStrike's API and registry.
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { after, before, beforeEach } from "node:test";
import { startCrowdStrike } from "../lab/crowdstrike.mjs";
import { Job } from "./agent.mjs";
import { assertNoLeak } from "./expect.mjs";
import { customerId, engineState, front, inLab, inputs, sensorTag } from "./lab.mjs";

/** The API client. */
export const client = { falconClientId: "4fd0e0b4c1e04c7a", falconClientSecret: "c1ient-s3cret+/=" };
/** The repository of releases for all regions. */
export const unified = "falcon-container/release/falcon-container";
const regional = "falcon-container/us-1/release/falcon-sensor";
/** CrowdStrike's tags and the lab's images behind them. */
export const tags = {
  [unified]: {
    [sensorTag]: sensorTag,
    [`${sensorTag}-arm64`]: `${sensorTag}-arm64-only`,
    "7.9.0-1200": sensorTag,
    "7.38.0-7700": sensorTag,
    "7.38.0-7690": sensorTag,
    "7.37.0-7600": `${sensorTag}-amd64-only`,
    "sha256-0123.sig": sensorTag,
  },
  [regional]: { "7.31.0-7003.container.Release.US-1": sensorTag },
};

/** The stand-in; none outside of the lab. */
export let falcon;
let defaults;

before(async () => {
  if (!inLab) return;
  falcon = await startCrowdStrike({
    clientId: client.falconClientId,
    clientSecret: client.falconClientSecret,
    customerId,
    tags,
  });
  defaults = { ...falcon.settings };
  await front("PUT", "/repositories/mirror/falcon-sensor", {});
  await front("PUT", "/repositories/mirror/other", {});
});
after(() => falcon?.close());
beforeEach(() => {
  if (!falcon) return;
  falcon.requests.splice(0);
  Object.assign(falcon.settings, defaults);
});

/** The inputs of a step that takes the sensor from the stand-in. */
export function given(changes = {}) {
  return inputs({
    sensorSource: "crowdstrike",
    sensorImage: "",
    falconCid: "",
    falconApiUrl: falcon.apiUrl,
    falconRegistry: falcon.registry,
    ...client,
    ...changes,
  });
}

/** Runs a step and its post-job step; no secret is seen, and the engine is as it was. */
export async function run(changes, endpoints = {}) {
  const job = new Job({ env: { HOME: tmpdir() }, endpoints });
  try {
    const state = engineState();
    const step = await job.run(given(changes));
    const bare = customerId.split("-")[0];
    assertNoLeak(step, [...falcon.secrets, customerId, bare, `fc-${bare}`]);
    const post = await job.post();
    assert.deepEqual(post.warnings, []);
    assert.deepEqual(engineState(), state, "the engine is as it was");
    assert.deepEqual(job.files(), [], "files left");
    assert.deepEqual(job.findings(), [], "credentials where others can find them");
    return step;
  } finally {
    job.end();
  }
}

/** The requests to a path. */
export const asked = (path) => falcon.requests.filter((request) => request.path === path);
