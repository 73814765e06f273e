// The demo inside the lab: one job as an agent runs it, with its log, and then the patched image at work.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Job } from "./agent.mjs";
import { follow, heading, printYaml, record } from "./demo-parts.mjs";
import { startPatched } from "./demo-start.mjs";
import { customerId, inputs, registry } from "./lab.mjs";
import { exampleDefinition } from "./task-definition.mjs";

const yaml = {
  ...inputs(),
  skipUnchanged: "true",
  sourceImage: `${registry}/app/web:1.4.2`,
  targetImage: `${registry}/app/web:1.4.2-falcon`,
  additionalTags: "stable-falcon",
  taskDefinition: "ecs-task-definition.json",
  registerTaskDefinition: true,
};

/** Writes the example with its names filled in; the task fills in its image. */
function writeTaskDefinition(folder) {
  writeFileSync(join(folder, yaml.taskDefinition), exampleDefinition());
}

const job = new Job();
writeTaskDefinition(job.folders.sources);
try {
  heading("The step");
  printYaml(yaml);
  heading("Its log, as the run's page shows it");
  const ended = await follow(job.start(yaml));
  if (ended.result !== "Succeeded") throw new Error(`the step ended as ${ended.result}`);
  if (ended.leaks(customerId)) throw new Error("the customer ID is in the log");
  record(ended, job);
  heading("What later steps can read");
  for (const [name, value] of Object.entries(ended.outputs)) console.log(`$(falcon.${name}) = ${value}`);
  for (const [name, value] of Object.entries(ended.variables)) console.log(`$(${name}) = ${value}`);
  const taskDefinition = readFileSync(ended.outputs.taskDefinitionPath, "utf8");
  heading("The end of the job");
  const post = await job.post();
  console.log(post.shown.filter((line) => !line.startsWith("##[debug]")).join("\n"));
  heading("The patched image, started from the registry");
  console.log(
    "(falconutil and its entrypoint are stand-ins with the documented behaviour; the image, engine, emulation and registry are real)",
  );
  await startPatched(ended.outputs.imageReference);
  heading("The ECS task definition that the step wrote and registered");
  console.log(taskDefinition.trimEnd());
  console.log("\nThe demo succeeded");
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
} finally {
  job.end();
}
