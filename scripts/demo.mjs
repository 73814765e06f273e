// `npm run demo`: the task on an ARM64 image, in the lab, from nothing: sets up, builds, patches, starts the result.
// `npm run demo -- signed` shows another of the demos below, `npm run demo -- overlay2` takes the engine's other image store.
import { join, relative } from "node:path";
import { Stages } from "./stages.mjs";
import { CommandFailed, main, root } from "./tools.mjs";

const logs = join(root, "dist/dev/logs");
/** Without a terminal cargo would not count what it compiles. */
const cargoCounts = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };

/** Each demo by its name: what its last stage shows, and the script that the lab runs. */
const demos = {
  patch: { shows: "patch an image in the lab", script: "tests/task/demo.mjs" },
  signed: { shows: "sign and verify a record in the lab", script: "tests/task/demo-signed.mjs" },
  cache: { shows: "graft without an engine", script: "tests/task/demo-cache.mjs" },
  deploy: { shows: "deploy an image to a service in the lab", script: "tests/task/demo-deploy.mjs" },
};
const stores = ["containerd", "overlay2"];

await main(async () => {
  const words = process.argv.slice(2);
  const unknown = words.find((word) => !stores.includes(word) && !Object.hasOwn(demos, word));
  if (unknown !== undefined) {
    const known = [...Object.keys(demos), ...stores].map((word) => `\`${word}\``).join(", ");
    throw new CommandFailed(`\`${unknown}\` is not a demo or an image store; those are ${known}`);
  }
  const store = words.find((word) => stores.includes(word)) ?? "containerd";
  const { shows, script } = demos[words.find((word) => Object.hasOwn(demos, word)) ?? "patch"];
  console.log(`The first run takes some minutes, a later one half a minute; logs: ${relative(root, logs)}\n`);
  const stages = new Stages(4, logs);
  await stages.run("system packages", [process.execPath, "scripts/setup.mjs", "--system"]);
  // The compiler keeps the processors busy, the lab waits for downloads.
  await Promise.all([
    stages.run("build the task", [process.execPath, "scripts/build.mjs", "--dev"], { env: cargoCounts }),
    stages.run("prepare the lab", ["tests/lab/prepare.sh", "--engine", "28"]),
  ]);
  const lab = ["tests/lab/lab.sh", "--store", store, "--", "node_modules/node24/bin/node"];
  const env = { FALCON_TASK_DIR: join(root, "dist/dev/task") };
  await stages.run(shows, [...lab, script], { env, shown: true });
  console.log(`From start to end: ${stages.seconds} s`);
});
