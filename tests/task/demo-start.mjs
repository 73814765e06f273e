// Starts a patched image in a demo, as ECS would, and requests a page of its web server.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { config, docker, registry } from "./lab.mjs";

/** Starts the patched image from the registry and requests a page of its web server. */
export async function startPatched(reference) {
  const env = { ...process.env, DOCKER_CONFIG: mkdtempSync(join(tmpdir(), "falcon-demo-")) };
  const name = "falcon-demo";
  try {
    const token = `${registry.split(".")[0]}-auth-token`;
    execFileSync("docker", ["login", "--username", "AWS", "--password-stdin", registry], {
      env,
      input: token,
      stdio: ["pipe", "ignore", "ignore"],
    });
    const options = ["--detach", "--quiet", "--platform=linux/arm64", "--network=host", `--name=${name}`];
    execFileSync("docker", ["run", ...options, reference], { env, stdio: "ignore" });
    const page = await answer("http://127.0.0.1:8080/");
    console.log(`entrypoint  ${JSON.stringify(config(reference).config.Entrypoint)}`);
    console.log(`program     ${docker("exec", name, "/bin/busybox", "uname", "-m")}, under emulation`);
    console.log(`log         ${docker("logs", name).split("\n").slice(0, 3).join("\n            ")}`);
    console.log(`answer      ${page}`);
  } finally {
    execFileSync("docker", ["rm", "--force", "--volumes", name], { stdio: "ignore" });
    rmSync(env.DOCKER_CONFIG, { recursive: true, force: true });
  }
}

async function answer(url) {
  for (let attempt = 0; attempt < 120; attempt += 1) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) {
      const server = response.headers.get("server");
      return `${response.status} from ${server}: ${(await response.text()).replaceAll(/\s+/g, " ").trim()}`;
    }
    await sleep(500);
  }
  throw new Error(`${url} does not answer:\n${docker("logs", "falcon-demo")}`);
}
