// What the run's page shows of a step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { customerId, inputs, keys, needsLab, registry } from "./lab.mjs";

test("the_summary_tells_what_was_made_and_no_secret", needsLab, async () => {
  await inJob(async (job) => {
    const falconctlOptions = "--tags=a --provisioning-token=A1+B2_C3=D4";
    const given = inputs({ targetImage: `${registry}/app/target:told`, falconctlOptions });
    const step = await job.run(given);
    assertSucceeded(step);
    assert.equal(step.summaries.length, 1);
    const [{ title, text }] = step.summaries;
    assert.equal(title, "Falcon ARM64 patch app target told");
    assert.match(text, /^\*\*Patched and pushed\*\*/);
    for (const value of [step.outputs.imageReference, step.outputs.sourceDigest, step.outputs.sensorDigest])
      assert.ok(text.includes(value), value);
    assert.match(text, /recorded what it was made of as `.*@sha256:[0-9a-f]{64}`/);
    assert.match(text, /^\| Step \| Time \|$/m);
    assertNoLeak(step, [given.awsSecretAccessKey, customerId, "A1+B2_C3=D4"]);
  });
});

test("a_failed_step_says_on_the_run_s_page_what_to_do", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(inputs({ targetImage: "" }));
    assertFailed(step, "INPUT_MISSING");
    assert.match(step.summaries[0].text, /^\*\*Failed: .*`targetImage`.*\(`INPUT_MISSING`\)/);
  });
});

test("a_kept_image_and_a_passed_gate_are_told_as_such", needsLab, async () => {
  await inJob(async (job) => {
    const target = { targetImage: `${registry}/app/target:kept`, containerName: "kept" };
    const given = inputs({ ...target, skipUnchanged: "true" });
    await job.run(given);
    const kept = await job.run(given);
    assert.match(kept.summaries[0].text, /^\*\*Nothing to patch: the target is up to date\*\*/);
    assert.match(kept.summaries[0].text, /it is what patching would make/);
    const gate = await job.run({ action: "verify", targetImage: given.targetImage, ...keys("ADMIN") });
    assert.match(gate.summaries[0].text, /^\*\*Verified: the image is patched\*\*/);
    assert.ok(gate.summaries[0].text.includes(kept.outputs.sensorDigest));
  });
});

test("an_agent_that_takes_no_summary_does_not_fail_the_step", needsLab, async () => {
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
