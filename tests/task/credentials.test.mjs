// The search for credentials finds what it is there to find; otherwise its silence in other tests would mean nothing.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CredentialSearch, engineFiles, markTime } from "./credentials.mjs";
import { docker, needsLab } from "./lab.mjs";

const secret = "planted-s3cret/1";
const encoded = Buffer.from(secret).toString("base64");
const argument = "--provisioning-token=A1B2C3D4";

test("A planted credential is found in every place", needsLab, async () => {
  const search = new CredentialSearch();
  search.seek([secret]);
  search.seek([argument], { inSensor: true });
  const marker = markTime();
  docker("import", "/dev/null", "planted:1");
  const container = docker("create", "--env", `KEY=${secret}`, "planted:1", "/run", argument);
  const folder = mkdtempSync(join(tmpdir(), "falcon-search-"));
  try {
    writeFileSync(join(folder, "config.json"), `{"auth":"${encoded}"}`);
    // The root gets it from the agent, its child must not; and no command line may hold it.
    const script = `KEY='${encoded}' sleep 1 & sh -c 'sleep 1; : ${argument}'; wait`;
    const root = spawn("sh", ["-c", script], { env: { ...process.env, GIVEN: secret } });
    search.watch(root);
    await once(root, "close");
    const raw = [`##vso[task.setsecret]${secret}`, `a password: ${encoded}`].map((line) => ({ line }));
    search.readOutput({ raw, leaks: (text) => text === argument });
    const found = search.findings(folder).join("\n");
    for (const place of [
      /^pla… .* in the environment of sleep$/m,
      /^pla… .* in the command line of sh$/m,
      /^--p… .* in the command line of sh$/m,
      /^pla… .* in container \//m,
      /^pla… .* in .*config\.json$/m,
      /^pla… .* in the output$/m,
      /^--p… .* in what readers see$/m,
    ])
      assert.match(found, place);
    assert.doesNotMatch(found, /in the arguments of/, "where falconutil needs it");
    assert.doesNotMatch(found, new RegExp(`${secret}|${encoded}`), "what was found is not shown");
    assert.match(engineFiles(new Set([secret]), marker).join("\n"), /containers\/\w+\/config\.v2\.json$/m);
    assert.deepEqual(engineFiles(new Set([`${secret}-other`]), marker), []);
  } finally {
    rmSync(folder, { recursive: true });
    rmSync(marker);
    docker("rm", container);
    docker("image", "rm", "planted:1");
  }
});
