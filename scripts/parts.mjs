// Lists the software by others that is linked or bundled into the task: for its notices, its bill and its licences.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { read, root } from "./tools.mjs";

const platforms = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];

/** The parts, each with name, version, licence and folder, and the registry's name that package URLs have. */
export function linkedParts(bundledFiles) {
  return [...crates(), ...modules(bundledFiles)];
}

/** The crates that are linked into the addon for either architecture, without those that only build it. */
export function crates() {
  const filters = platforms.flatMap((name) => ["--filter-platform", name]);
  const metadata = JSON.parse(read("cargo", ["metadata", "--locked", "--format-version", "1", ...filters]));
  const packages = new Map(metadata.packages.map((part) => [part.id, part]));
  const nodes = new Map(metadata.resolve.nodes.map((node) => [node.id, node]));
  const linked = new Set();
  const visit = (id) => {
    if (linked.has(id) || packages.get(id).targets.some(({ kind }) => kind.includes("proc-macro"))) return;
    linked.add(id);
    for (const dependency of nodes.get(id).deps) {
      if (dependency.dep_kinds.some(({ kind }) => kind === null)) visit(dependency.pkg);
    }
  };
  visit(metadata.packages.find(({ name }) => name === "falcon-patch-node").id);
  return [...linked]
    .map((id) => packages.get(id))
    .filter(({ source }) => source !== null)
    .map(({ name, version, license, manifest_path }) => ({
      registry: "cargo",
      name,
      version,
      licence: license,
      folder: dirname(manifest_path),
    }));
}

/** The npm packages of which a file was bundled. */
function modules(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders)].filter(Boolean).map((path) => {
    const folder = join(root, path);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { registry: "npm", name, version, licence: license, folder };
  });
}
