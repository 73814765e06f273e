// The examples work: the task's steps of each run in the lab as they are written.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { startCrowdStrike } from "../lab/crowdstrike.mjs";
import { completed, failed, progress, rolledBack, rollingBack } from "../lab/ecs/frames.mjs";
import { startEcs } from "../lab/ecs.mjs";
import { documents } from "../package/markdown.mjs";
import { blocks, examples, isComplete } from "../package/pipelines.mjs";
import { Job } from "./agent.mjs";
import { runningDefinition } from "./deployments.mjs";
import { assertFailed, assertSucceeded } from "./expect.mjs";
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
/** Values of variables that are set in Azure DevOps. */
const variables = {
  FALCON_CID: customerId,
  AWS_ACCESS_KEY_ID: username,
  AWS_SECRET_ACCESS_KEY: password,
};
const endpoints = { "production-aws": { parameters: { username, password, useOIDC: "false" } } };
const services = ["api", "web", "worker", "order-worker"];
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
  for (const service of services) {
    await front("PUT", `/repositories/app/${service}`, {});
    for (const tag of ["1.4.2", "production"])
      if (`${service}:${tag}` !== "web:1.4.2")
        crane("copy", `${registry}/app/web:1.4.2`, `${registry}/app/${service}:${tag}`);
  }
});
after(() => falcon?.close());

/** Puts values in place of macros, and of the expressions that read another job's outputs. */
function expand(value, known) {
  const text = String(value);
  const output = /^\$\[ (?:dependencies|stageDependencies\.\w+)\.(\w+)\.outputs\['(.+)'\] \]$/.exec(text);
  if (output) return known[`${output[1]}.${output[2]}`];
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

/** Runs one step to its end, with the values that the pipeline has by then. */
async function runStep(job, step, known) {
  const visible = { ...known, ...step.variables };
  const inputs = Object.fromEntries(
    Object.entries(step.inputs).map(([name, value]) => [name, expand(value, visible)]),
  );
  if (inputs.taskDefinition) addDefinition(job.folders.sources, inputs.taskDefinition, inputs.containerName);
  const ended = await job.run(inputs);
  const inJob = [step.job, step.leg, step.name].filter(Boolean).join(".");
  for (const [name, value] of Object.entries(ended.outputs))
    for (const place of [step.name, inJob]) known[`${place}.${name}`] = value;
  return { inputs, ended };
}

/** ECS with the services of the examples, none of which runs a patched image yet. */
function startServices(frames) {
  return startEcs({ definition: runningDefinition("example/web:before"), names: services, frames });
}

/** Runs the task's steps of a pipeline in one job, and checks the result of each. */
async function runPipeline({ steps }) {
  const ecs = await startServices([completed]);
  const job = new Job({ endpoints, env: { AWS_ENDPOINT_URL_ECS: ecs.url } });
  const known = { ...variables };
  try {
    for (const step of steps) {
      const { inputs, ended } = await runStep(job, step, known);
      assertSucceeded(ended);
      assert.equal(config(ended.outputs.imageReference).config.Entrypoint[0], falconEntrypoint);
      if (inputs.taskDefinition) {
        const written = JSON.parse(readFileSync(ended.outputs.taskDefinitionPath, "utf8"));
        assert.equal(written.containerDefinitions[0].image, ended.outputs.imageReference);
        rmSync(join(job.folders.sources, "deploy"), { recursive: true });
      }
      if (inputs.action === "deploy") assertRuns(ecs, inputs.ecsService, ended.outputs.imageReference);
    }
  } finally {
    await job.post();
    job.end();
    await ecs.close();
  }
  assert.equal(docker("images", "--quiet"), "", "no image stays on the agent");
}

/** The service's only deployment is of the image. */
function assertRuns(ecs, service, image) {
  const [deployment, ...others] = ecs.services.get(service).describe().deployments;
  assert.deepEqual([deployment.rolloutState, others], ["COMPLETED", []]);
  assert.equal(ecs.definitions.image(deployment.taskDefinition, service), image);
}

for (const pipeline of examples())
  test(`The pipeline of ${pipeline.path} works`, needsLab, () => runPipeline(pipeline));

test("The pipeline that replaces the hand-written one works", needsLab, async () => {
  const [pipeline, ...others] = blocks("docs/migrating.md").filter(isComplete);
  assert.deepEqual(others, []);
  await runPipeline(pipeline);
});

const shown = documents.filter((path) => path !== "docs/migrating.md");
for (const [index, pipeline] of shown.flatMap(blocks).filter(isComplete).entries())
  test(`Pipeline ${index + 1} of the documents works (${pipeline.path})`, needsLab, () =>
    runPipeline(pipeline),
  );

const nightly = () =>
  examples()
    .find(({ path }) => path === "examples/nightly.yml")
    .steps.slice(0, 2);

/** A night of one service: it is patched, then deployed, in a job of its own. */
async function night(ecs) {
  const job = new Job({ endpoints, env: { AWS_ENDPOINT_URL_ECS: ecs.url } });
  const known = { ...variables };
  try {
    const ends = [];
    for (const step of nightly()) ends.push((await runStep(job, step, known)).ended);
    return ends;
  } finally {
    await job.post();
    job.end();
  }
}

const fails = {
  "that ECS rolled back": [[rollingBack(), rolledBack()], "ECS_DEPLOYMENT_ROLLED_BACK"],
  "that stayed broken": [[progress({ pending: 2 }), failed()], "ECS_DEPLOYMENT_FAILED"],
};

for (const [situation, [broken, code]] of Object.entries(fails))
  test(
    `The next night heals a deployment ${situation}, and the one after changes nothing`,
    needsLab,
    async () => {
      const ecs = await startServices([broken, [progress({ running: 1 }), completed]]);
      try {
        const [first, failure] = await night(ecs);
        assertSucceeded(first);
        assertFailed(failure, code);
        const [second, healed] = await night(ecs);
        assertSucceeded(second);
        assert.equal(second.outputs.changed, "false", "the image is there already");
        assertSucceeded(healed);
        assert.equal(healed.outputs.changed, "true");
        const { ecsService } = nightly()[1].inputs;
        assertRuns(ecs, expand(ecsService, nightly()[1].variables), healed.outputs.imageReference);
        const updates = ecs.count("UpdateService");
        for (const ended of await night(ecs)) {
          assertSucceeded(ended);
          assert.equal(ended.outputs.changed, "false");
        }
        assert.equal(ecs.count("UpdateService"), updates);
      } finally {
        await ecs.close();
      }
    },
  );
