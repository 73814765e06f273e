// `npm run demo`: the real task on a real image, in the lab, from nothing: sets up, builds, patches, starts the result.
import { join } from "node:path";
import { build } from "./build.mjs";
import { main, root, run } from "./tools.mjs";

await main(async () => {
  const store = process.argv[2] ?? "containerd";
  console.log("Setting up and building the task; the first time this takes several minutes\n");
  await build();
  await run(join(root, "tests/lab/prepare.sh"), []);
  const node = join(root, "node_modules/node24/bin/node");
  await run(join(root, "tests/lab/lab.sh"), ["--store", store, "--", node, "tests/task/demo.mjs"]);
});
