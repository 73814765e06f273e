// Collects the licences of everything that is linked or bundled into the task, as those licences ask.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { read, root } from "./tools.mjs";

/** Writes one text: each package with its licence's name, and each licence's text once below those that carry it. */
export function writeNotices(bundledFiles, path) {
  const byText = new Map();
  for (const part of [...crates(), ...modules(bundledFiles)]) {
    const text = licenceTexts(part);
    byText.set(text, [...(byText.get(text) ?? []), `${part.name} ${part.version} (${part.licence})`]);
  }
  const sections = [...byText].map(([text, parts]) => [...parts.sort(), "", text].join("\n").trimEnd());
  const title = "FalconArm64Patch contains the following software by others.";
  writeFileSync(path, `${[title, ...sections.sort()].join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}

/** The crates that are linked into the addon for either architecture, without those that only build it. */
function crates() {
  const platforms = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"].flatMap((name) => [
    "--filter-platform",
    name,
  ]);
  const metadata = JSON.parse(read("cargo", ["metadata", "--locked", "--format-version", "1", ...platforms]));
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
    .map((part) => ({ ...part, licence: part.license, folder: dirname(part.manifest_path) }));
}

/** The npm packages of which a file was bundled. */
function modules(files) {
  const folders = files.map((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]);
  return [...new Set(folders)].filter(Boolean).map((path) => {
    const folder = join(root, path);
    const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { name, version, licence: license, folder };
  });
}

/** Reads the texts of a licence. Of several licences it takes MIT's, whose text is short. */
function licenceTexts({ folder, licence }) {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice|copyright)/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  const mit =
    /\bMIT\b/.test(licence) && /\bOR\b|\//.test(licence) ? files.filter((name) => /mit/i.test(name)) : [];
  return (mit.length > 0 ? mit : files)
    .map((name) => readFileSync(join(folder, name), "utf8").trim())
    .join("\n\n");
}
