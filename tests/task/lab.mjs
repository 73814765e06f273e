// The lab as tests see it: images and keys, the engine's state, and the switches of the registry's front.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** True inside the lab. */
export const inLab = process.env.LAB === "1";

/** Options of tests that need the lab's engine, registry and AWS. */
export const needsLab = { skip: inLab ? false : "runs in the lab: tests/lab/lab.sh -- node --test …" };

export const registry = process.env.LAB_REGISTRY ?? "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
export const sensorTag = "7.39.0-7802";
/** The password that the lab's ECR issues; see tests/lab/front. */
export const registryPassword = `${registry.slice(0, 12)}-auth-token`;
export const customerId = "0123456789abcdef0123456789abcdef-12";

/**
 * Inputs that patch the lab's web image, with keys that may do everything. Tests share a registry, so an image that another
 * test has patched is patched again, and falconutil's answer is asked for again, unless a test is about that.
 */
export function inputs(changes = {}) {
  return {
    sourceImage: `${registry}/app/web:1.4.2`,
    targetImage: `${registry}/app/target:1.4.2-falcon`,
    sensorImage: `${registry}/containersensor:${sensorTag}`,
    falconCid: customerId,
    skipUnchanged: "false",
    graftCache: "none",
    emulatorImage: process.env.LAB_EMULATOR_IMAGE ?? `${registry}/lab/binfmt@sha256:${"0".repeat(64)}`,
    ...keys("ADMIN"),
    ...changes,
  };
}

/** The keys of one of the lab's IAM users. */
export function keys(user) {
  return {
    awsAccessKeyId: process.env[`LAB_${user}_ACCESS_KEY_ID`] ?? "AKIAIOSFODNN7EXAMPLE",
    awsSecretAccessKey:
      process.env[`LAB_${user}_SECRET_ACCESS_KEY`] ?? "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  };
}

/** The engine's command line, signed in to the registry. */
export function docker(...args) {
  return tool("docker", args).trim();
}

/** The same as a later step of a job runs it, with the variables that the job has by then. */
export function dockerInStep({ variables }, ...args) {
  return tool("docker", args, variables).trim();
}

/** crane, signed in to the registry; its progress on stderr is of no interest. */
export function crane(...args) {
  return tool("crane", args).trim();
}

/** cosign, signed in to the registry and with the keys of one of the lab's users; a failure throws with its stderr. */
export function cosign(args, { user = "ADMIN", region = "eu-west-1" } = {}) {
  const { awsAccessKeyId, awsSecretAccessKey } = keys(user);
  const variables = {
    AWS_ACCESS_KEY_ID: awsAccessKeyId,
    AWS_SECRET_ACCESS_KEY: awsSecretAccessKey,
    AWS_REGION: region,
  };
  return tool("cosign", args, variables).trim();
}

/** oras, signed in to the registry. */
export function oras(...args) {
  return tool("oras", args).trim();
}

let configuration;

/** One of the lab's own commands, such as `engine empty`. */
export function lab(program, ...args) {
  return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
}

/** Runs a program with a Docker configuration of the tests' own, which the task never sees. */
function tool(program, args, variables = {}, encoding = "utf8") {
  if (configuration === undefined) {
    configuration = mkdtempSync(join(tmpdir(), "falcon-docker-"));
    const auth = Buffer.from(`AWS:${registryPassword}`).toString("base64");
    writeFileSync(join(configuration, "config.json"), JSON.stringify({ auths: { [registry]: { auth } } }));
  }
  const env = { ...process.env, ...variables, DOCKER_CONFIG: configuration };
  return execFileSync(program, args, {
    encoding,
    env,
    maxBuffer: 1 << 26,
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Everything in the engine that a run could leave behind, to compare before with after. */
export function engineState() {
  const list = (...args) =>
    docker(...args)
      .split("\n")
      .filter(Boolean)
      .sort();
  return {
    containers: list("ps", "--all", "--no-trunc", "--format", "{{.ID}} {{.Names}}"),
    images: list("images", "--all", "--no-trunc", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"),
    volumes: list("volume", "ls", "--quiet"),
    networks: list("network", "ls", "--no-trunc", "--format", "{{.ID}} {{.Name}}"),
  };
}

/** Asks the control interface of the registry's front, anew each time: it closes connections while a caller waits for a program. */
export async function front(method, path, body) {
  const response = await fetch(`${process.env.LAB_FRONT}${path}`, {
    method,
    // Tests wait for programs without looking, and so would not see that a connection was closed meanwhile.
    headers: { connection: "close" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? undefined : response.json();
}

/** The registry's manifest of a reference. */
export function manifest(reference) {
  return JSON.parse(crane("manifest", reference));
}

/** A blob's content, as text. */
export function content(reference) {
  return crane("blob", reference);
}

export function config(reference) {
  return JSON.parse(crane("config", reference));
}

/** The paths in the last layer that the registry holds of an image. */
export function lastLayer(reference) {
  const { digest } = manifest(reference).layers.at(-1);
  const repository = reference.slice(0, reference.lastIndexOf(":"));
  const tar = tool("crane", ["blob", `${repository}@${digest}`], {}, "buffer");
  return execFileSync("tar", ["--list", "--gzip"], { input: tar, encoding: "utf8" }).split("\n").sort();
}

/** An engine that only answers requests for its properties, for engines that the task refuses. */
export async function fakeEngine(folder, { info = {}, version = {} }) {
  const path = join(folder, "engine.sock");
  const answers = {
    _ping: "OK",
    info: { OSType: "linux", Architecture: "x86_64", SecurityOptions: [], Driver: "overlay2", ...info },
    version: {
      Version: "28.5.2",
      ApiVersion: "1.51",
      MinAPIVersion: "1.24",
      Os: "linux",
      Arch: "amd64",
      Components: [],
      ...version,
    },
  };
  const server = createServer(({ url }, response) => {
    const answer = answers[url.replace(/^\/(v[\d.]+\/)?/, "").replace(/\?.*/, "")];
    const isText = typeof answer === "string";
    response.writeHead(answer === undefined ? 404 : 200, {
      "content-type": isText ? "text/plain" : "application/json",
      "api-version": "1.51",
    });
    response.end(isText ? answer : JSON.stringify(answer ?? { message: "page not found" }));
  });
  await new Promise((resolve) => server.listen(path, resolve));
  return { host: `unix://${path}`, close: () => new Promise((resolve) => server.close(resolve)) };
}

const socket = "/var/run/docker.sock";

/** Runs an action on a machine that has no engine's socket, and returns its result. */
export async function withoutEngine(use) {
  renameSync(socket, `${socket}.away`);
  try {
    return await use();
  } finally {
    renameSync(`${socket}.away`, socket);
  }
}

/** Tests compare the engine before with after, so the files that share a lab take turns. */
async function takeTurn() {
  const lock = join(process.env.LAB_DIR, "black-box.lock");
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
      await sleep(100);
    }
  }
  process.on("exit", () => rmdirSync(lock));
}

if (inLab) await takeTurn();
