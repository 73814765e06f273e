// The demo of the graft cache inside the lab: a first agent patches, a second without an engine grafts the next build.
import { execFileSync } from "node:child_process";
import { Job } from "./agent.mjs";
import { follow, heading, printYaml } from "./demo-parts.mjs";
import { startPatched } from "./demo-start.mjs";
import { derive } from "./images.mjs";
import { customerId, inputs, registry } from "./lab.mjs";

/** The step for a build of the image. */
const stepFor = (build) => ({
  ...inputs(),
  strategy: "graft",
  graftCache: "registry",
  skipUnchanged: "true",
  sourceImage: `${registry}/app/web:${build}`,
  targetImage: `${registry}/app/web:${build}-falcon`,
});

/** Runs a step on a fresh agent, with its post-job step. */
async function onFreshAgent(given) {
  const job = new Job();
  try {
    const ended = await follow(job.start(given));
    if (ended.result !== "Succeeded") throw new Error(`the step ended as ${ended.result}`);
    if (ended.leaks(customerId)) throw new Error("the customer ID is in the log");
    const post = await job.post();
    if (post.warnings.length > 0) throw new Error(post.text);
    return ended;
  } finally {
    job.end();
  }
}

/** The next build of the image: one more layer, and its commit in a label. */
const nextBuild = () =>
  derive(
    `${registry}/app/web:1.4.2`,
    "1.4.3",
    ({ config }) => {
      config.created = "2026-11-26T12:00:00Z";
      config.config.Labels = { ...config.config.Labels, "org.opencontainers.image.revision": "0a1b2c3d" };
    },
    Buffer.alloc(1024),
  );

try {
  heading("The first agent, with a Docker Engine");
  printYaml(stepFor("1.4.2"));
  const first = await onFreshAgent(stepFor("1.4.2"));
  await nextBuild();
  heading("The second agent, on which no engine exists, and the next build of the image");
  execFileSync("engine", ["stop"]);
  let second;
  try {
    second = await onFreshAgent(stepFor("1.4.3"));
  } finally {
    execFileSync("engine", ["start"]);
  }
  console.log(`\nThe first took ${first.seconds.toFixed(1)} s, the second ${second.seconds.toFixed(1)} s`);
  if (!/has falconutil's answer/.test(second.text)) throw new Error("the second did not use the cache");
  for (const { outputs } of [first, second]) {
    heading(`${outputs.imageReference.split("/").slice(1).join("/")}, started from the registry`);
    await startPatched(outputs.imageReference);
  }
  console.log("\nThe demo succeeded");
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`);
  process.exitCode = 1;
}
