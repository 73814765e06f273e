// `npm run build` leaves the task in dist/task exactly as it goes into the package.
// `npm run build -- --dev` makes a quick one for trying things out in dist/dev/task.
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { architectures, buildAddon, compileDevelopmentAddon, copyDevelopmentAddon } from "./addon.mjs";
import { writeBill } from "./bill.mjs";
import { writeNotices } from "./notices.mjs";
import { linkedParts } from "./parts.mjs";
import { setup, setupModules, setupSystem } from "./setup.mjs";
import { writeLocalized } from "./strings.mjs";
import { isEntry, main, root } from "./tools.mjs";

export async function build({ development = false } = {}) {
  if (development) {
    await setupSystem();
    // The compiler needs none of the npm packages.
    await Promise.all([setupModules(), compileDevelopmentAddon()]);
  } else {
    await setup();
  }
  const task = join(root, development ? "dist/dev/task" : "dist/task");
  const native = join(task, "native");
  rmSync(task, { recursive: true, force: true });
  mkdirSync(native, { recursive: true });
  // An agent starts the bundle where no package.json is near; here the repository's own would make it a module.
  writeFileSync(join(root, "dist/package.json"), '{ "type": "commonjs" }\n');
  if (development) {
    await copyDevelopmentAddon(native);
  } else {
    await Promise.all(architectures.map((architecture) => buildAddon(architecture, native)));
  }
  const bundled = await bundle(task);
  for (const file of ["task.json", "icon.png", "Strings"])
    cpSync(join(root, "task", file), join(task, file), { recursive: true });
  writeLocalized(task);
  cpSync(join(root, "LICENSE"), join(task, "LICENSE"));
  const parts = linkedParts(bundled);
  writeNotices(parts, join(task, "THIRD-PARTY-NOTICES.txt"));
  await writeBill(parts, join(task, "../sbom.cdx.json"));
  return task;
}

/** Bundles the two entries and returns the files that went in. */
async function bundle(task) {
  const { build } = await import("esbuild");
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["task/src/main.ts", "task/src/post.ts"],
    outdir: task,
    bundle: true,
    minify: true,
    platform: "node",
    target: "node20",
    format: "cjs",
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
  });
  return Object.keys(metafile.inputs);
}

if (isEntry(import.meta)) {
  await main(async () => {
    const started = Date.now();
    const task = await build({ development: process.argv.includes("--dev") });
    console.log(`Built ${task} in ${Math.round((Date.now() - started) / 1000)} s`);
  });
}
