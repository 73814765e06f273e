// The flows that are measured: two scripts of docker commands, and the task as an agent starts it.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Job, story } from "../task/agent.mjs";
import { customerId, inputs, registry, registryPassword } from "../task/lab.mjs";
import { loadStagingRegistry } from "./bed.mjs";

const sampling = 25;

/**
 * The flows, each with its work before the clock starts; `leavesSource` marks one that must not fetch the source's layers.
 * `run` gets the place, the sensor and a job, and resolves to `seconds` and, of the task, `peakBytes` and `steps`.
 */
export const flows = {
  pipeline: { prepare: loadStagingRegistry, run: (given) => script("pipeline-stage.sh", given) },
  cli: { run: (given) => script("docker-cli.sh", given) },
  full: { run: (given) => task(given, { strategy: "full" }) },
  unchanged: { run: (given) => task(given, { strategy: "full" }, { changed: "false" }), leavesSource: true },
  graft: { run: (given) => task(given, { strategy: "graft" }), leavesSource: true },
  "graft again": {
    target: (target) => `${target}-again`,
    run: (given) => task(given, { strategy: "graft", graftCache: "none" }),
    leavesSource: true,
  },
  "graft from the cache": {
    target: (target) => `${target}-cached`,
    run: (given) => withoutEngine(given, { strategy: "graft" }),
    leavesSource: true,
  },
};

/** The task on a fresh agent, where no engine's socket is. */
async function withoutEngine(given, changes) {
  const job = new Job({ timed: true, env: { DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  try {
    return await task({ ...given, job }, changes);
  } finally {
    job.end();
  }
}

/** Runs one of the scripts beside this file, with a Docker configuration of its own. */
export async function script(name, { place, sensor }) {
  const configuration = mkdtempSync(join(tmpdir(), "falcon-docker-"));
  const auth = Buffer.from(`AWS:${registryPassword}`).toString("base64");
  writeFileSync(join(configuration, "config.json"), JSON.stringify({ auths: { [registry]: { auth } } }));
  const byTag = { SOURCE: place.source, SENSOR: sensor.reference };
  const byDigest = {
    SOURCE: place.sourceByDigest,
    SENSOR_ARM64: sensor.arm64,
    SENSOR_NATIVE: sensor.native,
  };
  const env = {
    ...process.env,
    ...(name === "pipeline-stage.sh" ? byTag : byDigest),
    TARGET: place.target,
    REGISTRY: registry,
    TOKEN: registryPassword,
    CID: customerId,
    DOCKER_CONFIG: configuration,
  };
  try {
    return await timed(fileURLToPath(new URL(name, import.meta.url)), env);
  } finally {
    rmSync(configuration, { recursive: true });
  }
}

function timed(path, env) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(path, [], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (code) => {
      if (code === 0) resolve({ seconds: (performance.now() - started) / 1000 });
      else reject(new Error(`${path} ended with exit code ${code}:\n${output.slice(-4000)}`));
    });
  });
}

async function task({ place, sensor, job }, changes, { changed = "true" } = {}) {
  const given = inputs({
    sourceImage: place.source,
    targetImage: place.target,
    sensorImage: sensor.reference,
    skipUnchanged: "true",
    graftCache: "registry",
    ...changes,
  });
  const step = job.start(given);
  const peak = watchPeak(step.child);
  const ended = await step.done;
  if (ended.result !== "Succeeded") throw new Error(`the task ended as ${ended.result}:\n${story(ended)}`);
  if (ended.outputs.changed !== changed)
    throw new Error(`the task says that changed is ${ended.outputs.changed}:\n${story(ended)}`);
  return { seconds: ended.seconds, peakBytes: peak(), steps: stepsOf(ended) };
}

/** Time of each step by the task's own log, which explains a missed goal. */
function stepsOf({ shown }) {
  const steps = shown.map((line) => /^(?:##\[group\])?(.+): done in ([\d.]+) s$/.exec(line));
  return Object.fromEntries(steps.filter(Boolean).map(([, name, seconds]) => [name, Number(seconds)]));
}

/** The most memory that a process ever had, as the kernel counts it; asked again and again, because it ends with the process. */
function watchPeak(child) {
  let kibibytes = 0;
  const timer = setInterval(() => {
    kibibytes = Math.max(kibibytes, peakOf(child.pid));
  }, sampling);
  child.on("close", () => clearInterval(timer));
  return () => kibibytes * 1024;
}

function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
