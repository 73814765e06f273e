// Source and sensor outside ECR: whatever Docker is signed in to on the agent, and what needs no sign-in.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { startTokenRegistry } from "../lab/token-registry.mjs";
import { Job, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { uncached } from "./images.mjs";
import {
  config,
  customerId,
  engineState,
  front,
  inLab,
  inputs,
  needsLab,
  registry,
  sensorTag,
} from "./lab.mjs";

const user = "ci-bot";
const password = "s3cret/with+signs=";
let elsewhere;
let folder;

before(async () => {
  if (inLab) elsewhere = await startTokenRegistry({ users: { [user]: password } });
});
after(() => elsewhere?.close());
beforeEach(() => {
  elsewhere?.asked.splice(0);
});

/** Docker@2's sign-in for later steps: a folder in `DOCKER_CONFIG` with one file. */
function signedIn(file) {
  folder = mkdtempSync(join(tmpdir(), "falcon-docker-config-"));
  writeFileSync(join(folder, "config.json"), typeof file === "string" ? file : JSON.stringify(file));
  return { DOCKER_CONFIG: folder };
}

function entry(name, secret) {
  return { auth: Buffer.from(`${name}:${secret}`).toString("base64") };
}

function images(host, changes = {}) {
  return inputs({
    sourceImage: `${host}/app/web:1.4.2`,
    sensorImage: `${host}/containersensor:${sensorTag}`,
    ...changes,
  });
}

/** Runs a step and its post-job step; the engine, the agent and Docker's configuration stay as they were. */
async function run(given, env) {
  const job = new Job({ env });
  const kept = folder && readFileSync(join(folder, "config.json"), "utf8");
  try {
    const state = engineState();
    const step = await job.run(given);
    assertNoLeak(step, [password, `${user}:${password}`, ...(elsewhere?.tokens ?? []), customerId]);
    const post = await job.post();
    assert.deepEqual(post.warnings, []);
    assert.deepEqual(engineState(), state, "the engine is as it was");
    assert.deepEqual(job.files(), [], "files left");
    if (folder) assert.equal(readFileSync(join(folder, "config.json"), "utf8"), kept);
    return step;
  } finally {
    job.end();
    if (folder) rmSync(folder, { recursive: true, force: true });
    folder = undefined;
  }
}

test("Docker's sign-in to another registry is used", needsLab, async () => {
  const { host } = elsewhere;
  const targetImage = `${registry}/app/target:from-elsewhere`;
  const step = await run(
    images(host, { targetImage }),
    signedIn({ auths: { [host]: entry(user, password) } }),
  );
  assertSucceeded(step);
  assert.equal(config(targetImage).config.Entrypoint[0], "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint");
  assert.equal(step.variables.FALCON_ECR_IMAGE, `${host}/containersensor:${sensorTag}`);
  // The engine also tries a form, which carries no user here.
  const shown = elsewhere.asked.filter(({ user: name }) => name !== undefined);
  assert.ok(shown.length > 0);
  for (const { user: name, password: word } of shown)
    assert.deepEqual([name, word], [user, password], "no other password arrives here");
  assert.ok(
    elsewhere.asked.some(({ account, scope }) => account === user && scope === "repository:app/web:pull"),
  );
});

test("A credential helper is used for its registry", needsLab, async () => {
  const { host } = elsewhere;
  const env = signedIn({ auths: { [host]: {} }, credHelpers: { [host]: "lab" }, credsStore: "not-there" });
  const helper = join(folder, "docker-credential-lab");
  const answer = JSON.stringify({ ServerURL: host, Username: user, Secret: password });
  writeFileSync(helper, `#!/bin/sh\nread -r server\n[ "$1 $server" = "get ${host}" ] && echo '${answer}'\n`);
  chmodSync(helper, 0o755);
  const step = await run(images(host, { action: "plan" }), {
    ...env,
    PATH: `${folder}:${process.env.PATH}`,
  });
  assertSucceeded(step);
  assert.equal(elsewhere.asked[0].user, user);
});

test("A local registry without a sign-in is read over plain HTTP", needsLab, async () => {
  const step = await run(images("127.0.0.1:5001", { action: "plan" }), {});
  assertSucceeded(step);
  assert.match(story(step), /Source: 127\.0\.0\.1:5001\/app\/web:1\.4\.2/);
});

test("A credential helper that is missing is a warning where no sign-in is needed", needsLab, async () => {
  const env = signedIn({ credsStore: "not-there" });
  const step = await run(images("127.0.0.1:5001", { action: "plan" }), env);
  assert.equal(step.result, "Succeeded", story(step));
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["REGISTRY_CREDENTIAL_HELPER_FAILED"],
  );
  assert.match(story(step), /`127\.0\.0\.1:5001` is accessed without a login/);
});

test("An empty configuration of Docker has no sign-in", needsLab, async () => {
  const step = await run(images("127.0.0.1:5001", { action: "plan" }), signedIn(""));
  assertSucceeded(step);
});

test("Images that a pull-through cache knows by their tags only are found", needsLab, async () => {
  try {
    const sourceImage = await uncached("app/web", "1.4.2", "MANIFEST_UNKNOWN");
    const sensorImage = await uncached("containersensor", sensorTag, "NAME_UNKNOWN");
    const step = await run(inputs({ action: "plan", sourceImage, sensorImage }), {});
    assertSucceeded(step);
    assert.match(story(step), /Source: \S+\/app\/web:1\.4\.2@sha256:/);
    const faults = await front("GET", "/faults");
    assert.deepEqual(
      faults.map(({ hits }) => hits),
      [1, 1],
    );
  } finally {
    await front("DELETE", "/faults");
  }
});

const refusals = [
  ["without a sign-in", () => ({}), "REGISTRY_DENIED", [/Docker@2/, /127\.0\.0\.1:5003/]],
  [
    "with a wrong password",
    (host) => signedIn({ auths: { [host]: entry(user, "wrong") } }),
    "REGISTRY_DENIED",
    [/incorrect username or password/],
  ],
  [
    "with a path as helper",
    () => signedIn({ credsStore: "../../bin/evil" }),
    "REGISTRY_CREDENTIAL_HELPER_FAILED",
    [/its name/],
  ],
  [
    "with a missing helper",
    () => signedIn({ credsStore: "not-there" }),
    "REGISTRY_CREDENTIAL_HELPER_FAILED",
    [/docker-credential-not-there/],
  ],
  [
    "with a configuration that is not JSON",
    () => signedIn(`{"auths": {"x": "${password}"`),
    "REGISTRY_DOCKER_CONFIG_INVALID",
    [/config\.json/],
  ],
];

for (const [situation, env, code, patterns] of refusals) {
  test(`A registry ${situation} is refused before any pull`, needsLab, async () => {
    const step = await run(images(elsewhere.host), { HOME: tmpdir(), ...env(elsewhere.host) });
    const text = `${assertFailed(step, code)}\n${story(step)}`;
    for (const pattern of patterns) assert.match(text, pattern);
    assert.doesNotMatch(text, /Pull the source image/);
    // One for the source and one for the sensor: what was refused is not tried again.
    assert.ok(elsewhere.asked.length <= 2, JSON.stringify(elsewhere.asked));
  });
}
