/**
 * Facts about the agent and the job that the task runs in.
 *
 * All of them are in public variables, which stay in the environment, so the post-job step needs no task library.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AgentContext } from "./addon.ts";

/** Docker puts this file into every container. */
const containerMarker = "/.dockerenv";

export function agentContext(env: NodeJS.ProcessEnv, exists = existsSync): AgentContext {
  const text = (name: string): string => env[name] ?? "";
  const tempDirectory = text("AGENT_TEMPDIRECTORY") || tmpdir();
  const context: AgentContext = {
    // The same agent name can be in several organisations and on several machines.
    identity: fingerprint(
      text("SYSTEM_COLLECTIONURI"),
      text("AGENT_ID"),
      text("AGENT_NAME"),
      text("AGENT_MACHINENAME"),
    ),
    job: fingerprint(text("SYSTEM_PLANID"), text("SYSTEM_JOBID")),
    tempDirectory,
    workDirectory: text("AGENT_WORKFOLDER") || dirname(tempDirectory),
    // The agent passes the container's ID to every step of the job, also to one with `target: host`. An agent that
    // itself is in a container has the marker without running container jobs. Only both together prove it.
    inContainerJob: text("AGENT_CONTAINERID") !== "" && exists(containerMarker),
  };
  const sourcesDirectory = text("SYSTEM_DEFAULTWORKINGDIRECTORY");
  return {
    ...context,
    ...(sourcesDirectory === "" ? {} : { sourcesDirectory }),
    ...engine(text),
    ...origin(text),
  };
}

/** The address of the engine, as the Docker CLI reads it: any text switches TLS on, also `0`. */
function engine(text: (name: string) => string): Pick<AgentContext, "dockerHost" | "dockerCertificates"> {
  const dockerHost = text("DOCKER_HOST");
  const byTls = text("DOCKER_TLS_VERIFY") !== "" || text("DOCKER_TLS") !== "";
  const dockerCertificates =
    text("DOCKER_CERT_PATH") || text("DOCKER_CONFIG") || join(text("HOME") || homedir(), ".docker");
  return {
    ...(dockerHost === "" ? {} : { dockerHost }),
    ...(byTls ? { dockerCertificates } : {}),
  };
}

/** Origin of the run, which is recorded beside the image; empty where the agent does not report it. */
function origin(text: (name: string) => string): Pick<AgentContext, "runUrl" | "repositoryUrl" | "commit"> {
  const [collection, project, build] = [
    text("SYSTEM_COLLECTIONURI"),
    text("SYSTEM_TEAMPROJECT"),
    text("BUILD_BUILDID"),
  ];
  const isBuild = collection !== "" && project !== "" && build !== "";
  const page = `_build/results?buildId=${build}`;
  const runUrl = isBuild
    ? `${collection}${encodeURIComponent(project)}/${page}`
    : text("RELEASE_RELEASEWEBURL");
  const repositoryUrl = withoutCredentials(text("BUILD_REPOSITORY_URI"));
  const commit = text("BUILD_SOURCEVERSION");
  return {
    ...(runUrl === "" ? {} : { runUrl }),
    ...(repositoryUrl === undefined ? {} : { repositoryUrl }),
    ...(commit === "" ? {} : { commit }),
  };
}

/** Addresses of repositories can hold a user, a password or a token. */
function withoutCredentials(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  url.username = "";
  url.password = "";
  url.search = "";
  return url.href;
}

/** A short name that reveals nothing about its parts, and that fits file names and labels. */
function fingerprint(...parts: string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 16);
}
