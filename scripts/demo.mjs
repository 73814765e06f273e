// `npm run demo`: the task on an ARM64 image, in the lab, from nothing: sets up, builds, patches, starts the result.
// `npm run demo -- overlay2` takes the engine's other image store.
import { join, relative } from "node:path";
import { Stages } from "./stages.mjs";
import { CommandFailed, main, root } from "./tools.mjs";

const logs = join(root, "dist/dev/logs");
/** Without a terminal cargo would not count what it compiles. */
const cargoCounts = { CARGO_TERM_PROGRESS_WHEN: "always", CARGO_TERM_PROGRESS_WIDTH: "100" };

await main(async () => {
  const store = process.argv[2] ?? "containerd";
  if (!["containerd", "overlay2"].includes(store))
    throw new CommandFailed(`The store is \`containerd\` or \`overlay2\`, not \`${store}\``);
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
  await stages.run("patch an image in the lab", [...lab, "tests/task/demo.mjs"], { env, shown: true });
  console.log(`From start to end: ${stages.seconds} s`);
});
