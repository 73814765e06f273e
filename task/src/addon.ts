/** Checks that the native addon can run here, and loads it. */
import { join } from "node:path";
import type { Failure } from "../../native/node/index.d.ts";
import { english, type Translate } from "./messages.ts";

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
export function loadAddon(directory: string, platform: Platform, say: Translate = english): Loaded {
  const reason = unsupported(platform, say);
  if (reason !== undefined) return { failure: unsupportedAgent(reason, say) };
  const path = join(directory, "native", `falcon-patch.linux-${platform.architecture}.node`);
  // Not `require`, which the bundler would try to follow.
  const module = { exports: {} };
  try {
    process.dlopen(module, path);
  } catch (error) {
    return { failure: notLoadable(path, platform, error, say) };
  }
  return { addon: module.exports as Addon };
}

/** The reason that the addon cannot run on a platform, as the end of a sentence; `undefined` if it can. */
export function unsupported(
  { os, architecture, glibc }: Platform,
  say: Translate = english,
): string | undefined {
  if (os !== "linux") return say("AgentSystem", systems[os] ?? os);
  if (!architectures.includes(architecture)) return say("AgentArchitecture", architecture);
  if (glibc === undefined) return say("AgentLibrary");
  return isOldEnough(glibc) ? undefined : say("AgentLibraryVersion", glibc);
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

function unsupportedAgent(reason: string, say: Translate): Failure {
  return {
    code: "TASK_AGENT_UNSUPPORTED",
    kind: "environment",
    what: say("AgentUnsupported", oldestGlibc.join("."), reason),
    why: [],
    hint: say("AgentUnsupportedHint"),
    effects: [],
    cleanup: [],
  };
}

function notLoadable(path: string, platform: Platform, error: unknown, say: Translate): Failure {
  const { architecture, glibc, node } = platform;
  return {
    code: "TASK_AGENT_UNSUPPORTED",
    kind: "environment",
    what: say("AddonNotLoadable", node, architecture, String(glibc)),
    why: [error instanceof Error ? error.message : String(error)],
    hint: say("AddonNotLoadableHint", path),
    effects: [],
    cleanup: [],
  };
}
