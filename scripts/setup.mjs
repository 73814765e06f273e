// Installs what the other scripts need on a Debian 12 machine with Rust and Node, and nothing where all is there.
// `node scripts/setup.mjs --system` installs the programs alone, `--modules` the npm packages alone.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, isEntry, main, readJson, root, run, succeeds } from "./tools.mjs";

/** Programs of the system, each with a way to see it and the Debian packages that bring it. */
const programs = [
  { probe: ["cc", ["--version"]], packages: ["gcc", "libc6-dev"] },
  { probe: ["readelf", ["--version"]], packages: ["binutils"] },
  // tfx asks `file` for the type of what it packs.
  { probe: ["file", ["--version"]], packages: ["file"] },
  { probe: ["python3", ["-m", "pip", "--version"]], packages: ["python3-pip"] },
];

export async function setup() {
  await setupSystem();
  await setupModules();
}

/** Installs the Debian packages that are missing. */
export async function setupSystem() {
  if (process.platform !== "linux" || process.arch !== "x64") {
    throw new CommandFailed("Building needs an x86-64 Linux machine; Debian 12 is the tested one");
  }
  await installPackages(programs);
}

/** Installs the Debian packages of the programs that are missing. */
export async function installPackages(wanted) {
  const packages = wanted.filter(({ probe }) => !succeeds(...probe)).flatMap((program) => program.packages);
  if (packages.length === 0) return;
  if (process.getuid() !== 0) {
    throw new CommandFailed(`Programs are missing; run \`sudo apt-get install ${packages.join(" ")}\``);
  }
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", ["install", "-qq", "--no-install-recommends", ...packages], { env });
}

/** Installs the npm packages of the lock file, unless they are there. */
export async function setupModules() {
  if (dependenciesMatchLock()) return;
  // `npm ci` would insist on entries for processors and systems of which some registries hold no package. This takes
  // the lock file's versions and hashes too, and writes nothing back.
  await run("npm", ["install", "--no-save", "--no-fund", "--no-audit", "--loglevel=error"]);
}

/** Compares the lock file with the record that npm keeps of what it installed. */
function dependenciesMatchLock() {
  const record = "node_modules/.package-lock.json";
  if (!existsSync(join(root, record))) return false;
  const wanted = readJson("package-lock.json").packages;
  const installed = readJson(record).packages;
  return (
    // npm 11 adds optional peers of optional packages that the lock file does not list.
    Object.entries(installed).every(([path, { optional }]) => optional || wanted[path] !== undefined) &&
    Object.entries(wanted).every(
      ([path, { version, optional }]) =>
        path === "" || installed[path]?.version === version || (optional && installed[path] === undefined),
    )
  );
}

if (isEntry(import.meta)) {
  const parts = { "--system": setupSystem, "--modules": setupModules };
  await main(parts[process.argv[2]] ?? setup);
}
