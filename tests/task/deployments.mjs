// Deployments to a scripted ECS service, for tests and for the demo.
import assert from "node:assert/strict";
import { event, progress } from "../lab/ecs/frames.mjs";
import { startEcs } from "../lab/ecs.mjs";
import { Job } from "./agent.mjs";
import { inputs, keys, needsLab } from "./lab.mjs";
import { exampleDefinition } from "./task-definition.mjs";

/** Deployments mostly wait, so many can run side by side. */
export const sideBySide = { ...needsLab, concurrency: 10 };

/** The definition of a service that runs `image`, with a field that no SDK knows yet, and with tags. */
export function runningDefinition(image) {
  const definition = JSON.parse(exampleDefinition(image));
  return { ...definition, futureSetting: { level: 1 }, tags: [{ key: "team", value: "a" }] };
}

/** Inputs of a deployment of `image` to the service, without any of patching. */
export function deployInputs(image, changes = {}) {
  return {
    action: "deploy",
    targetImage: image,
    ecsCluster: "production",
    ecsService: "web",
    ...keys("ADMIN"),
    ...changes,
  };
}

/** An address at which no engine is: deploying needs none. */
const noEngine = "unix:///nonexistent/docker.sock";

/** A job whose steps deploy to `ecs`. */
export function deployJob(ecs, options = {}) {
  const env = { AWS_ENDPOINT_URL_ECS: ecs.url, DOCKER_HOST: noEngine, ...options.env };
  return new Job({ timed: true, ...options, env });
}

/** Deploys once to a service that `script` describes, and returns the step with what ECS saw of it. */
export async function deployOnce(image, script = {}, changes = {}, options = {}) {
  const ecs = await startEcs({ definition: runningDefinition("example/web:before"), ...script });
  const job = deployJob(ecs, options);
  try {
    const step = await job.run(deployInputs(image, changes));
    const post = await job.post();
    return { step, post, ecs, left: job.files(), found: job.findings() };
  } finally {
    job.end();
    await ecs.close();
  }
}

/** Patches an image that tests deploy, and returns it by digest. */
export async function patchedImage(targetImage) {
  const job = new Job({ timed: true });
  try {
    const step = await job.run(inputs({ targetImage, containerName: "web" }));
    await job.post();
    if (step.result !== "Succeeded") throw new Error(step.text);
    return step.outputs.imageReference;
  } finally {
    job.end();
  }
}

/** The first frames of most deployments. */
export const starting = progress({ pending: 2 }, { status: "PENDING", events: [event.started] });
export const running = progress({ running: 1, pending: 1 });

/** The actions of a run that change something, in order. */
export const changes = (ecs) =>
  ecs.requests.map(({ action }) => action).filter((action) => /^(Register|Update)/.test(action));

/** The ID of the deployment that the last update began. */
export const deploymentOf = (ecs) => ecs.service.ours?.id;

/** Exactly one registration and one update, in that order, whatever the deployment's end is. */
export function assertDeployedOnce(ecs) {
  assert.deepEqual(changes(ecs), ["RegisterTaskDefinition", "UpdateService"]);
  const [{ arn }] = ecs.definitions.registered;
  const { cluster, service, ...others } = ecs.requests.find(({ action }) => action === "UpdateService").body;
  assert.deepEqual([cluster, service], ["production", "web"]);
  assert.equal(others.taskDefinition, arn, "the full ARN, since a family may move on");
  assert.deepEqual(
    Object.keys(others).filter((name) => name !== "forceNewDeployment"),
    ["taskDefinition"],
  );
}
