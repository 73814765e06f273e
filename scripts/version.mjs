// `node scripts/version.mjs 1.2.3` writes the one version of addon, task and extension; without a number it shows them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, isEntry, main, root, run } from "./tools.mjs";

/** Each place that states the version, as a pattern around it. Of several matches in a file, the first is meant. */
const places = [
  { path: "Cargo.toml", pattern: /(^\[workspace\.package\]\nversion = ")([\d.]+)(")/m },
  { path: "package.json", pattern: /(^ {2}"version": ")([\d.]+)(")/m },
  { path: "package-lock.json", pattern: /(^ {2}"version": ")([\d.]+)(")/m },
  { path: "package-lock.json", pattern: /(^ {4}"": \{\n(?: {6}.*\n)*? {6}"version": ")([\d.]+)(")/m },
  { path: "vss-extension.json", pattern: /(^ {2}"version": ")([\d.]+)(")/m },
  {
    path: "task/task.json",
    pattern: /(^ {2}"version": )(\{[^}]*\})()/m,
    parse: (text) => {
      const { Major, Minor, Patch } = JSON.parse(text);
      return `${Major}.${Minor}.${Patch}`;
    },
    format: (version) => {
      const [major, minor, patch] = version.split(".");
      return `{\n    "Major": ${major},\n    "Minor": ${minor},\n    "Patch": ${patch}\n  }`;
    },
  },
];

/** The versions as they stand, by file. */
export function readVersions() {
  return places.map(({ path, pattern, parse = (text) => text }) => {
    const match = pattern.exec(readFileSync(join(root, path), "utf8"));
    if (!match) throw new CommandFailed(`\`${path}\` states no version where one is expected`);
    return { path, version: parse(match[2]) };
  });
}

function writeVersion(version) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) throw new CommandFailed(`\`${version}\` is not of the form 1.2.3`);
  for (const { path, pattern, format = (text) => text } of places) {
    const file = join(root, path);
    const text = readFileSync(file, "utf8");
    writeFileSync(
      file,
      text.replace(pattern, (_, before, __, after) => before + format(version) + after),
    );
  }
}

if (isEntry(import.meta)) {
  await main(async () => {
    const version = process.argv[2];
    if (version) {
      writeVersion(version);
      // Cargo.lock repeats the version of the workspace's own crates.
      await run("cargo", ["update", "--workspace", "--offline"]);
    }
    for (const place of readVersions()) console.log(`${place.version}  ${place.path}`);
  });
}
