// Common ground of the scripts: the folders, the start of programs, and the cache.
// Node built-ins only, since it runs before the dependencies are installed.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Tools that are too big for the repository live here, one folder for each version. */
export const cache =
  process.env.FALCON_CACHE ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "falcon-arm64-patch");

/** A command that failed in a way its own output already explains. */
export class CommandFailed extends Error {}

/** Runs a program, shows its output, and throws when it fails. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "inherit", "inherit"], ...options });
    child.on("error", (error) => reject(new CommandFailed(`Cannot start \`${command}\`: ${error.message}`)));
    child.on("close", (code, signal) => {
      if (code === 0) resolve();
      else
        reject(
          new CommandFailed(
            `\`${[command, ...args].join(" ")}\` ended with ${signal ?? `exit code ${code}`}`,
          ),
        );
    });
  });
}

/** Runs a program and returns what it printed. */
export function read(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 256 << 20,
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  if (result.status === 0) return result.stdout;
  throw new CommandFailed(
    `\`${command} ${args.join(" ")}\` failed: ${result.error?.message ?? (result.stdout + result.stderr).trim()}`,
  );
}

/** Returns true where a program starts and succeeds. */
export function succeeds(command, args) {
  return spawnSync(command, args, { cwd: root, stdio: "ignore" }).status === 0;
}

/**
 * A folder of the cache, filled once. It is filled beside its place and then renamed, so that neither an interruption
 * nor a second script running at the same time leaves half a folder under the name.
 */
export function cached(name, fill) {
  if (!filling.has(name)) filling.set(name, fillOnce(name, fill));
  return filling.get(name);
}

/** Folders that this process fills or has filled: two parts of one build can request the same one at the same time. */
const filling = new Map();

async function fillOnce(name, fill) {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    await fill(partial);
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

export function readJson(path) {
  return JSON.parse(readFileSync(join(root, path), "utf8"));
}

/** Runs a script: prints one sentence for an expected failure, the whole trace for a mistake of ours. */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    console.error(error instanceof CommandFailed ? error.message : error);
    process.exitCode = 1;
  }
}

/** Returns true where this module is the script that was started, and not an import of another. */
export function isEntry(meta) {
  return process.argv[1] === fileURLToPath(meta.url);
}
