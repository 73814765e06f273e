// `npm run package` leaves one VSIX in dist. With `-- --dev` it is the private variant, which an organisation can have
// beside the public one: the extension and the task then have names and ids of their own.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeReproducible } from "./archive.mjs";
import { build } from "./build.mjs";
import { CommandFailed, isEntry, main, read, readJson, root } from "./tools.mjs";

/** Limit of the package's size, since every job downloads the task. */
const sizeLimit = 10_000_000;

/** The private variant's own names and ids, since an organisation has one name space for tasks and connection types. */
const developmentTask = {
  id: "c91c51d9-5e4a-47b0-b06e-6bcc17e661f0",
  name: "FalconArm64PatchDev",
  friendlyName: "Falcon ARM64 patch (development)",
};
const connectionType = "FalconArm64PatchApi";
const developmentType = {
  name: "FalconArm64PatchDevApi",
  displayName: "CrowdStrike Falcon (ARM64 patch, development)",
};

/** The manifests of extension and task in the private variant. */
export function developmentVariant({ extension, task }) {
  const contributions = extension.contributions.map(({ properties, ...contribution }) => ({
    ...contribution,
    properties: { ...properties, ...(properties.name === connectionType ? developmentType : {}) },
  }));
  const inputs = task.inputs.map((input) => ({
    ...input,
    type: input.type.replace(`:${connectionType}`, `:${developmentType.name}`),
  }));
  return { extension: { ...extension, contributions }, task: { ...task, ...developmentTask, inputs } };
}

export async function makePackage({ development = false } = {}) {
  const task = await build();
  const staging = join(root, "dist/package");
  stage(task, staging, development);
  for (const file of readdirSync(join(root, "dist"))) {
    if (file.endsWith(".vsix")) rmSync(join(root, "dist", file));
  }
  const { id, version } = readJson(`vss-extension${development ? ".dev" : ""}.json`);
  const vsix = join(root, "dist", `${id}-${version ?? readJson("vss-extension.json").version}.vsix`);
  createExtension(staging, vsix, development);
  await makeReproducible(vsix);
  const { size } = statSync(vsix);
  if (size >= sizeLimit) throw new CommandFailed(`${vsix} has ${size} bytes, more than ${sizeLimit}`);
  return { vsix, size };
}

/** Lays out the package's tree beside its manifest: tfx checks the task only where its folder has its packed name. */
function stage(task, staging, development) {
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  for (const path of ["vss-extension.json", "LICENSE", "docs/overview.md", "images/icon.png"]) {
    cpSync(join(root, path), join(staging, path));
  }
  const packed = join(staging, "FalconArm64Patch");
  cpSync(task, packed, { recursive: true });
  if (development) {
    const paths = { extension: join(staging, "vss-extension.json"), task: join(packed, "task.json") };
    const parse = (path) => JSON.parse(readFileSync(path, "utf8"));
    const variant = developmentVariant({ extension: parse(paths.extension), task: parse(paths.task) });
    for (const [name, path] of Object.entries(paths))
      writeFileSync(path, JSON.stringify(variant[name], null, 2));
  }
}

/** Runs tfx and takes its warnings seriously: it reports a broken task as a warning and succeeds. */
export function createExtension(staging, vsix, development) {
  const manifest = ["--manifests", "vss-extension.json", "--root", staging];
  const variant = development ? ["--overrides-file", join(root, "vss-extension.dev.json")] : [];
  const output = ["--output-path", vsix, "--no-prompt", "--no-color"];
  const args = ["extension", "create", ...manifest, ...variant, ...output];
  const log = read("sh", ["-c", '"$@" 2>&1', "sh", join(root, "node_modules/.bin/tfx"), ...args]);
  console.log(log.trim());
  if (/warning/i.test(log)) throw new CommandFailed("tfx warned about the package");
}

/** The files in a VSIX, which is a ZIP archive, with their sizes. */
export async function listEntries(vsix) {
  const { openPromise } = (await import("yauzl")).default;
  const archive = await openPromise(vsix);
  const entries = [];
  for await (const { fileName, uncompressedSize } of archive.eachEntry()) {
    const folder = fileName.endsWith("/");
    if (!folder) entries.push({ name: fileName, size: uncompressedSize });
  }
  return entries;
}

if (isEntry(import.meta)) {
  await main(async () => {
    const { vsix, size } = await makePackage({ development: process.argv.includes("--dev") });
    for (const entry of await listEntries(vsix))
      console.log(`${String(entry.size).padStart(10)}  ${entry.name}`);
    console.log(`${vsix}: ${(size / 1e6).toFixed(1)} MB`);
  });
}
