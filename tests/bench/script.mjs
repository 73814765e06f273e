// The scripts of docker commands that the task is measured against.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { customerId, registry, registryPassword } from "../task/lab.mjs";

/** Runs one of the scripts beside this file, with a Docker configuration of its own. */
export async function script(name, { place, sensor }, more = {}) {
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
    ...more,
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
