// The summary of a step on the run's page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { customerId, inputs, keys, needsLab, registry } from "./lab.mjs";

test("The summary describes the patched image and holds no secret", needsLab, async () => {
  await inJob(async (job) => {
    const falconctlOptions = "--tags=a --provisioning-token=A1+B2_C3=D4";
    const given = inputs({ targetImage: `${registry}/app/target:summary`, falconctlOptions });
    const step = await job.run(given);
    assertSucceeded(step);
    assert.equal(step.summaries.length, 1);
    const [{ title, text }] = step.summaries;
    assert.equal(title, "Falcon ARM64 patch app target summary");
    assert.match(text, /^\*\*Patched and pushed\*\*/);
    for (const value of [step.outputs.imageReference, step.outputs.sourceDigest, step.outputs.sensorDigest])
      assert.ok(text.includes(value), value);
    assert.match(text, /recorded its provenance as `.*@sha256:[0-9a-f]{64}`/);
    assert.match(text, /^\| Step \| Time \|$/m);
    assertNoLeak(step, [given.awsSecretAccessKey, customerId, "A1+B2_C3=D4"]);
  });
});

test("The summary of a failed step has the hint", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(inputs({ targetImage: "" }));
    assertFailed(step, "INPUT_MISSING");
    assert.match(step.summaries[0].text, /^\*\*Failed: .*`targetImage`.*\(`INPUT_MISSING`\)/);
  });
});

test("A kept image and a passed gate have a summary", needsLab, async () => {
  await inJob(async (job) => {
    const target = { targetImage: `${registry}/app/target:kept`, containerName: "kept" };
    const given = inputs({ ...target, skipUnchanged: "true" });
    await job.run(given);
    const kept = await job.run(given);
    assert.match(kept.summaries[0].text, /^\*\*Nothing to patch: the target is up to date\*\*/);
    assert.match(kept.summaries[0].text, /Target: up to date, by its provenance/);
    const gate = await job.run({ action: "verify", targetImage: given.targetImage, ...keys("ADMIN") });
    assert.match(gate.summaries[0].text, /^\*\*Verified: the image is patched\*\*/);
    assert.ok(gate.summaries[0].text.includes(kept.outputs.sensorDigest));
  });
});

test("An agent that refuses the summary does not fail the step", needsLab, async () => {
  await inJob(
    async (job) => {
      const step = await job.run(inputs({ action: "plan", targetImage: `${registry}/app/target:never` }));
      assert.equal(step.result, "Succeeded");
      assert.deepEqual(step.summaries, []);
      assert.match(step.warnings[0].message, /task\.uploadsummary/);
    },
    { restricted: true },
  );
});
