// The demo of `action: deploy`: a patched image goes to an ECS service, once to the end, and once until ECS rolls it back.
import {
  completed,
  draining,
  event,
  progress,
  rolledBack,
  rollingBack,
  stopped,
} from "../lab/ecs/frames.mjs";
import { startEcs } from "../lab/ecs.mjs";
import { follow, heading, printYaml } from "./demo-parts.mjs";
import { deployInputs, deployJob, patchedImage, runningDefinition } from "./deployments.mjs";
import { registry } from "./lab.mjs";

const starting = progress({ pending: 2 }, { events: [event.started] });
const good = [
  starting,
  progress({ running: 1, pending: 1 }),
  progress({ running: 2 }, { events: [event.registered] }),
  draining,
  completed,
];
const broken = [
  starting,
  progress({ pending: 2, failed: 2 }, { stopped: [stopped.exit, stopped.memory] }),
  rollingBack({ events: [event.inconsistent] }),
  rolledBack({ events: [event.steady] }),
];

/** Deploys to a service whose deployment takes the course of `frames`, and shows the step as its pipeline has it. */
async function deploy(image, title, frames, expected) {
  const ecs = await startEcs({ definition: runningDefinition(`${registry}/app/web:1.3.9-falcon`), frames });
  const job = deployJob(ecs);
  try {
    heading(title);
    const inputs = deployInputs(image, { containerName: "web" });
    printYaml(inputs);
    console.log("");
    const ended = await follow(job.start(inputs));
    if (ended.result !== expected) throw new Error(`the step ended as ${ended.result}`);
    const { deployments } = ecs.service.describe();
    console.log("\nThe service now, by ECS:");
    for (const { id, status, taskDefinition, rolloutState, runningCount, desiredCount } of deployments)
      console.log(
        `  ${id} ${status} ${rolloutState} ${taskDefinition.split("/")[1]}, ${runningCount} of ${desiredCount} tasks`,
      );
    for (const [name, value] of Object.entries(ended.outputs)) console.log(`$(deploy.${name}) = ${value}`);
    await job.post();
  } finally {
    job.end();
    await ecs.close();
  }
}

try {
  heading("A patched image");
  const image = await patchedImage(`${registry}/app/web:1.4.2-falcon`);
  console.log(image);
  console.log(
    "(ECS is a scripted stand-in, since no emulator of AWS moves a deployment; the gate reads the real image)",
  );
  await deploy(image, "A deployment that is watched to its end", good, "Succeeded");
  await deploy(
    image,
    "A deployment whose tasks end: ECS rolls it back, and the step fails",
    broken,
    "Failed",
  );
  console.log(
    "\n`aws ecs wait services-stable` would be green in both cases: the service is stable, on the old image in the second.",
  );
  console.log("\nThe demo succeeded");
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
}
