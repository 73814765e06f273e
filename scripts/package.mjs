// `npm run package` leaves one VSIX in dist. With `-- --dev` it is the private variant, which an organization can have
// beside the public one: the extension and the task then have names and ids of their own. `--patch NUMBER` is the last
// part of the private variant's version, since each publication needs a new one.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeReproducible } from "./archive.mjs";
import { build } from "./build.mjs";
import { listedExtension, listedPage, listedTask, readContacts } from "./listing.mjs";
import { writeLocalized, writeStrings } from "./strings.mjs";
import { CommandFailed, isEntry, main, read, readJson, root } from "./tools.mjs";

/** Limit of the package's size, since every job downloads the task. */
const sizeLimit = 10_000_000;

/** The private variant's own names and ids, since an organization has one name space for tasks and connection types. */
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

/** The manifests of extension and task in the private variant; `patch` is the last part of their version, if given. */
export function developmentVariant({ extension, task }, patch) {
  const contributions = extension.contributions.map(({ properties, ...contribution }) => ({
    ...contribution,
    properties: { ...properties, ...(properties.name === connectionType ? developmentType : {}) },
  }));
  const inputs = task.inputs.map((input) => ({
    ...input,
    type: input.type.replace(`:${connectionType}`, `:${developmentType.name}`),
  }));
  const { Major, Minor, Patch } = task.version;
  const version = { Major, Minor, Patch: patch ?? Patch };
  const names = { ...readJson("vss-extension.dev.json"), version: Object.values(version).join(".") };
  return {
    extension: { ...extension, ...names, contributions },
    task: { ...task, ...developmentTask, version, inputs },
  };
}

/** Packs a built task, and returns the path of the package and its size. */
export async function pack(task, { development = false, patch } = {}) {
  const staging = join(root, "dist/package");
  const sources = { extension: readJson("vss-extension.json"), task: readJson("task/task.json") };
  const manifests = development ? developmentVariant(sources, patch) : sources;
  stage(task, staging, manifests);
  for (const file of readdirSync(join(root, "dist"))) {
    if (file.endsWith(".vsix")) rmSync(join(root, "dist", file));
  }
  const { id, version } = manifests.extension;
  const vsix = join(root, "dist", `${id}-${version}.vsix`);
  createExtension(staging, vsix);
  await makeReproducible(vsix);
  const { size } = statSync(vsix);
  if (size >= sizeLimit) throw new CommandFailed(`${vsix} has ${size} bytes, more than ${sizeLimit}`);
  return { vsix, size };
}

/** Lays out the package's tree beside its manifest: tfx checks the task only where its folder has its packed name. */
function stage(built, staging, { extension, task }) {
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const contacts = readContacts();
  const pictures = [extension.icons.default, ...extension.screenshots.map(({ path }) => path)];
  for (const path of ["LICENSE", ...pictures]) cpSync(join(root, path), join(staging, path));
  cpSync(built, join(staging, "FalconArm64Patch"), { recursive: true });
  const write = (path, text) => writeFileSync(join(staging, path), text);
  const page = readFileSync(join(root, "docs/overview.md"), "utf8");
  write("overview.md", listedPage(page, contacts));
  write("vss-extension.json", JSON.stringify(listedExtension(extension, contacts), null, 2));
  write("FalconArm64Patch/task.json", JSON.stringify(listedTask(task, contacts), null, 2));
  // The packed texts are those of the packed task.
  writeStrings(join(staging, "FalconArm64Patch"));
  writeLocalized(join(staging, "FalconArm64Patch"));
}

/** Runs tfx and takes its warnings seriously: it reports a broken task as a warning and succeeds. */
export function createExtension(staging, vsix) {
  const manifest = ["--manifests", "vss-extension.json", "--root", staging];
  const output = ["--output-path", vsix, "--no-prompt", "--no-color"];
  const args = ["extension", "create", ...manifest, ...output];
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
    const options = { dev: { type: "boolean" }, patch: { type: "string" } };
    const { dev, patch } = parseArgs({ options }).values;
    if (patch !== undefined && !(dev && /^\d+$/.test(patch)))
      throw new CommandFailed("`--patch` is a number and needs `--dev`");
    const { vsix, size } = await pack(await build(), { development: dev, patch: patch && Number(patch) });
    for (const entry of await listEntries(vsix))
      console.log(`${String(entry.size).padStart(10)}  ${entry.name}`);
    console.log(`${vsix}: ${(size / 1e6).toFixed(1)} MB`);
  });
}
