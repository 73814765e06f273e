// Changes of the world, as the log claims them and as registry and AWS show them.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { story } from "./agent.mjs";
import { authorization, parts } from "./images.mjs";
import { front } from "./lab.mjs";

const accept = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
].join(", ");
const headers = { authorization, accept, connection: "close" };

/** The digest that the registry has for a reference; undefined where it has none. */
export async function digestOf(reference) {
  const { host, name, reference: last } = parts(reference);
  const answer = await fetch(`https://${host}/v2/${name}/manifests/${last}`, { method: "HEAD", headers });
  assert.ok([200, 404].includes(answer.status), `${reference}: ${answer.status}`);
  return answer.status === 200 ? answer.headers.get("docker-content-digest") : undefined;
}

/** The lines of a run about what it has changed. */
export function effects(step) {
  const lines = story(step).split("\n");
  const start = lines.findIndex((line) => /^(Already done|Changed):$/.test(line));
  if (start < 0) return [];
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => !line.startsWith("  "));
  return rest.slice(0, end < 0 ? undefined : end).map((line) => line.trim());
}

const isThere = async (reference) => assert.ok(await digestOf(reference), `${reference} is not there`);
const names = async (reference, digest) => assert.equal(await digestOf(reference), digest, reference);
const mayBe = () => {};

/** Each form of an effect, with the proof of what it claims. */
const claims = [
  [/^created the repository `(.+)`$/, (name) => isRepository(name)],
  [/^pushed `([^@`]+)` \((sha256:\w+)\)/, names],
  [/^pushed `([^`]+@sha256:\w+)`, and (?:may have put the tag `.+` on it|put no tag on it)$/, isThere],
  [/^recorded its provenance as `([^`]+)`/, isThere],
  [/^kept the graft for later runs as `([^`]+)` \((sha256:\w+)\)$/, names],
  [/^copied the sensor to `([^`]+)` \((sha256:\w+)\)$/, names],
  [/^wrote `([^`]+)`$/, (path) => assert.ok(existsSync(path), path)],
  [/^registered `arn:aws:ecs:/, mayBe],
  [/^created the buildx builder `/, mayBe],
  [/^began to (push|copy the sensor to) `/, mayBe],
  [
    /^may have (created the repository|recorded the image's provenance|kept the graft|written|registered) /,
    mayBe,
  ],
];

async function isRepository(name) {
  const { host, name: path } = parts(`${name}:x`);
  const answer = await fetch(`https://${host}/v2/${path}/tags/list`, { headers });
  const { errors = [] } = await answer.json();
  // A repository of ECR without an image is there for ECR alone.
  assert.ok(answer.status === 200 || !/does not exist/.test(JSON.stringify(errors)), `${name} is not there`);
}

/** Requests that may have changed something since the log was emptied, once all of them are over. */
async function changes() {
  for (;;) {
    const entries = await front("GET", "/requests");
    if (entries.every(({ ms }) => ms !== null))
      return entries.filter(
        ({ method, path }) =>
          (method === "PUT" && path.includes("/manifests/")) || /^aws:(ecr:Create|ecs:Register)/.test(path),
      );
    await sleep(50);
  }
}

/** The words of an effect that own up to a request. */
function owned({ path, host }) {
  if (path === "aws:ecr:CreateRepository") return [/created the repository/];
  if (path === "aws:ecs:RegisterTaskDefinition") return [/^(registered|may have registered)/];
  const [, name, reference] = /^\/v2\/(.+)\/manifests\/(.+)$/.exec(path);
  const repository = `${host}/${name}`;
  // Parts of an index and records have names of their own only in the registry.
  return reference.startsWith("sha256:") ? [repository] : [repository, reference];
}

/** Every claim of a run is true, and everything that registry and AWS took from it is claimed. */
export async function assertTrue(step) {
  const lines = effects(step);
  for (const line of lines) {
    const claim = claims.find(([form]) => form.test(line));
    assert.ok(claim, `an effect of no known form: ${line}`);
    const [form, proof] = claim;
    await proof(...form.exec(line).slice(1));
  }
  for (const request of await changes()) {
    // A refused request changed nothing; one without an answer may have.
    if (request.status >= 400) continue;
    const words = owned(request);
    const isOwned = (line) =>
      words.every((word) => (typeof word === "string" ? line.includes(word) : word.test(line)));
    assert.ok(lines.some(isOwned), `${request.method} ${request.path} is not in:\n${story(step)}`);
  }
}

/** A tag that is there names an image that is there whole. */
export async function assertWhole(reference) {
  const digest = await digestOf(reference);
  if (digest === undefined) return undefined;
  const { host, name } = parts(reference);
  const answer = await fetch(`https://${host}/v2/${name}/manifests/${digest}`, { headers });
  const { config, layers } = await answer.json();
  for (const { digest: blob } of [config, ...layers]) {
    const { status } = await fetch(`https://${host}/v2/${name}/blobs/${blob}`, { method: "HEAD", headers });
    assert.ok(status < 400, `${reference} lacks ${blob}: ${status}`);
  }
  return digest;
}
