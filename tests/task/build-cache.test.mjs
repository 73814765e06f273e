// The customer ID and the options in the engine's data folder, and the documented commands that remove them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { test } from "node:test";
import { Job } from "./agent.mjs";
import { assertSucceeded } from "./expect.mjs";
import { customerId, docker, inputs, needsLab, registry } from "./lab.mjs";

const provisioningToken = "PROVISION0123456";

/** Databases that do not overwrite the pages that they free. */
const freedPages =
  /^(buildkit\/history(_c8d)?|containerd\/daemon\/io\.containerd\.metadata\.v1\.bolt\/meta)\.db$/;

/** The files of the engine that hold a text. */
function filesWith(text) {
  const data = join(process.env.LAB_DIR, "engine/data");
  const found = spawnSync("grep", [
    "--recursive",
    "--files-with-matches",
    "--text",
    "--fixed-strings",
    text,
    data,
  ]);
  return found.stdout
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((path) => relative(data, path));
}

test("The documented commands leave secrets in freed pages of two databases alone", needsLab, async () => {
  const job = new Job({ timed: true });
  try {
    const options = `--provisioning-token=${provisioningToken}`;
    const target = `${registry}/app/target:build-cache`;
    assertSucceeded(await job.run(inputs({ falconctlOptions: options, targetImage: target })));
    await job.post();
    assert.ok(filesWith(customerId).length > 1, "the search finds the build cache");
    docker("builder", "prune", "--all", "--force");
    docker("buildx", "history", "rm", "--all");
    for (const secret of [customerId, provisioningToken]) {
      const left = filesWith(secret).filter((path) => !freedPages.test(path));
      assert.deepEqual(left, [], "files beside the two databases");
    }
  } finally {
    job.end();
  }
});
