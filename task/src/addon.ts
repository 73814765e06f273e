/** Checks that the native addon can run here, and loads it. */
import { join } from "node:path";
import type { Failure } from "../../native/node/index.d.ts";

export type * from "../../native/node/index.d.ts";

/** Functions of the native addon. */
export type Addon = typeof import("../../native/node/index.d.ts");

/** Texts of the inputs by their names in task.json. */
export type TaskInputs = Readonly<Record<string, string>>;

/** Properties of a machine that decide about loading the addon. */
export interface Platform {
  os: string;
  architecture: string;
  /** The version of glibc; `undefined` where Node uses another C library. */
  glibc: string | undefined;
  node: string;
}

/** The addon, or the failure to load it. */
export type Loaded = { addon: Addon } | { failure: Failure };

const architectures = ["x64", "arm64"];
/** The oldest glibc that the addon is built for, and that Node 20 itself runs with. */
const oldestGlibc = [2, 28] as const;

/** The platform that this process runs on. */
export function currentPlatform(): Platform {
  const { platform: os, arch: architecture, version: node } = process;
  return { os, architecture, glibc: os === "linux" ? glibcVersion() : undefined, node };
}

/** Loads the addon from `directory`, which also holds the bundle. */
export function loadAddon(directory: string, platform: Platform): Loaded {
  const reason = unsupported(platform);
  if (reason !== undefined) return { failure: unsupportedAgent(reason) };
  const path = join(directory, "native", `falcon-patch.linux-${platform.architecture}.node`);
  // Not `require`, which the bundler would try to follow.
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (error) {
    return { failure: notLoadable(path, platform, error) };
  }
  return { addon: module.exports as Addon };
}

/** The reason that the addon cannot run on a platform, as the end of a sentence; `undefined` if it can. */
export function unsupported({ os, architecture, glibc }: Platform): string | undefined {
  if (os !== "linux") return `this agent runs ${systems[os] ?? os}`;
  if (!architectures.includes(architecture)) return `this agent's architecture is \`${architecture}\``;
  if (glibc === undefined) return "this agent has another C library, such as Alpine's musl";
  return isOldEnough(glibc) ? undefined : `this agent has glibc ${glibc}`;
}

const systems: Record<string, string> = { win32: "Windows", darwin: "macOS" };

function isOldEnough(glibc: string): boolean {
  const [major = 0, minor = 0] = glibc.split(".").map(Number);
  return major > oldestGlibc[0] || (major === oldestGlibc[0] && minor >= oldestGlibc[1]);
}

function glibcVersion(): string | undefined {
  // Without this, the report looks up the name of every network connection. @types/node does not know it yet.
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function unsupportedAgent(reason: string): Failure {
  return {
    code: "TASK_AGENT_UNSUPPORTED",
    kind: "environment",
    what: `The task needs a Linux agent on x64 or arm64 with glibc ${oldestGlibc.join(".")} or later, but ${reason}`,
    why: [],
    hint: "Run the job in a pool of such agents, for example with `vmImage: ubuntu-latest`; in a container job, give the step `target: host`",
    effects: [],
    cleanup: [],
  };
}

function notLoadable(path: string, { architecture, glibc, node }: Platform, error: unknown): Failure {
  return {
    code: "TASK_AGENT_UNSUPPORTED",
    kind: "environment",
    what: `The task's native addon cannot be loaded on this agent (Node ${node}, ${architecture}, glibc ${glibc})`,
    why: [error instanceof Error ? error.message : String(error)],
    hint: `Check that \`${path}\` exists, is readable, and is not on a file system mounted with \`noexec\``,
    effects: [],
    cleanup: [],
  };
}
