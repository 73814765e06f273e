// The examples work: the task's steps of each run in the lab as they are written.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startCrowdStrike } from "../lab/crowdstrike.mjs";
import { blocks, examples } from "../package/pipelines.mjs";
import { Job } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import {
  config,
  crane,
  customerId,
  docker,
  front,
  inLab,
  keys,
  needsLab,
  registry,
  sensorTag,
} from "./lab.mjs";

const { awsAccessKeyId: username, awsSecretAccessKey: password } = keys("ADMIN");
const client = { id: "4fd0e0b4c1e04c7a", secret: "c1ient-s3cret" };
/** Values of the variable groups and of the pipeline's own variables. */
const variables = {
  FALCON_CID: customerId,
  AWS_ACCESS_KEY_ID: username,
  AWS_SECRET_ACCESS_KEY: password,
};
const endpoints = { "production-aws": { parameters: { username, password, useOIDC: "false" } } };
const falconRepository = "falcon-container/release/falcon-container";
const falconEntrypoint = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

let falcon;

before(async () => {
  if (!inLab) return;
  const tags = { [falconRepository]: { [sensorTag]: sensorTag, "7.38.0-7700": sensorTag } };
  falcon = await startCrowdStrike({ clientId: client.id, clientSecret: client.secret, customerId, tags });
  endpoints.falcon = {
    parameters: { username: client.id, password: client.secret, customerId },
    data: { region: "auto", apiUrl: falcon.apiUrl, registry: falcon.registry },
  };
  await front("PUT", "/repositories/mirror/falcon-sensor", {});
  for (const service of ["api", "web", "worker"]) {
    await front("PUT", `/repositories/app/${service}`, {});
    for (const tag of ["1.4.2", "production"])
      if (`${service}:${tag}` !== "web:1.4.2")
        crane("copy", `${registry}/app/web:1.4.2`, `${registry}/app/${service}:${tag}`);
  }
});
after(() => falcon?.close());

/** Puts values in place of macros, and of the expressions that read an earlier stage's outputs. */
function expand(value, known) {
  const text = String(value);
  const output = /^\$\[.*outputs\['(.+)'\] \]$/.exec(text)?.[1];
  if (output) return known[output];
  return text.replaceAll(/\$\(([\w.]+)\)/g, (macro, name) =>
    name in known ? expand(known[name], known) : assert.fail(`nothing is known of ${macro}`),
  );
}

/** The ECS task definition that a service has in its sources: the template, with its names filled in. */
function addDefinition(sources, path, service) {
  const template = readFileSync(
    fileURLToPath(new URL("../../examples/ecs-task-definition.json", import.meta.url)),
    "utf8",
  );
  const names = { "aws-account": "123456789012", "container-name": service, region: "eu-west-1" };
  const filled = template.replaceAll(/<([a-z-]+)>/g, (placeholder, name) =>
    name === "patched-image" ? placeholder : (names[name] ?? service),
  );
  mkdirSync(join(sources, "deploy"), { recursive: true });
  writeFileSync(join(sources, path), filled);
}

/** Runs one step. */
async function runStep(job, step, known) {
  const visible = { ...known, ...step.variables };
  const inputs = Object.fromEntries(
    Object.entries(step.inputs).map(([name, value]) => [name, expand(value, visible)]),
  );
  if (inputs.taskDefinition) addDefinition(job.folders.sources, inputs.taskDefinition, inputs.containerName);
  const ended = await job.run(inputs);
  assertSucceeded(ended);
  for (const [name, value] of Object.entries(ended.outputs)) known[`${step.name}.${name}`] = value;
  return { inputs, ended };
}

/** Runs the task's steps of a pipeline in one job, and checks the result of each. */
async function runPipeline({ steps }) {
  const job = new Job({ endpoints });
  const known = { ...variables };
  try {
    for (const step of steps) {
      const { inputs, ended } = await runStep(job, step, known);
      assert.equal(config(ended.outputs.imageReference).config.Entrypoint[0], falconEntrypoint);
      if (inputs.taskDefinition) {
        const written = JSON.parse(readFileSync(ended.outputs.taskDefinitionPath, "utf8"));
        assert.equal(written.containerDefinitions[0].image, ended.outputs.imageReference);
        rmSync(join(job.folders.sources, "deploy"), { recursive: true });
      }
    }
  } finally {
    await job.post();
    job.end();
  }
  assert.equal(docker("images", "--quiet"), "", "no image stays on the agent");
}

for (const pipeline of examples())
  test(`The pipeline of ${pipeline.path} works`, needsLab, () => runPipeline(pipeline));

test("The pipeline that replaces the hand-written one works", needsLab, async () => {
  const [pipeline, ...others] = blocks("docs/migrating.md").filter(
    ({ document }) => document.trigger === "none",
  );
  assert.deepEqual(others, []);
  await runPipeline(pipeline);
});

test("A second night changes nothing", needsLab, async () => {
  const job = new Job({ endpoints });
  try {
    for (const night of ["first", "second"])
      for (const step of examples().find(({ path }) => path === "examples/nightly.yml").steps) {
        const { ended } = await runStep(job, step, { ...variables });
        if (night === "second") assert.equal(ended.outputs.changed, "false");
      }
  } finally {
    await job.post();
    job.end();
  }
});
