// Extracts files of Debian packages without installing them, for both architectures.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { read, run } from "./tools.mjs";

/**
 * A view of Debian with a package list of its own. The machine's apt keeps its architectures and its state; the sources
 * and their keys are the machine's.
 */
export function openDebian(folder) {
  for (const sub of ["state/lists/partial", "cache/archives/partial", "deb"]) {
    mkdirSync(join(folder, sub), { recursive: true });
  }
  writeFileSync(join(folder, "status"), "");
  const config = join(folder, "apt.conf");
  writeFileSync(
    config,
    `Dir::State "${folder}/state";
Dir::State::status "${folder}/status";
Dir::Cache "${folder}/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "arm64"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
`,
  );
  const env = { ...process.env, APT_CONFIG: config, LC_ALL: "C" };
  read("apt-get", ["update", "-qq"], { env });

  return {
    /** The version of a package that would be downloaded, or undefined. */
    version: (name) => /Candidate: (\d\S*)/.exec(read("apt-cache", ["policy", name], { env }))?.[1],

    /** The first dependency of a package whose name matches. */
    dependency(name, pattern) {
      const names = [...read("apt-cache", ["depends", name], { env }).matchAll(/Depends: ([^:\s]+)/g)];
      return names.map((match) => match[1]).find((dependency) => pattern.test(dependency));
    },

    async unpack(packages, into) {
      const deb = join(folder, "deb");
      await run("apt-get", ["download", "-qq", ...packages], { env, cwd: deb });
      for (const file of readdirSync(deb)) {
        await run("dpkg", ["-x", join(deb, file), into]);
        rmSync(join(deb, file));
      }
    },
  };
}
