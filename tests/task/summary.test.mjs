// What the run's page shows of a step.
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { customerId, inputs, needsLab, registry } from "./lab.mjs";

test("the_summary_tells_what_was_made_and_no_secret", needsLab, async () => {
  await inJob(async (job) => {
    const given = inputs({ targetImage: `${registry}/app/target:told` });
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
    assertNoLeak(step, [given.awsSecretAccessKey, customerId]);
  });
});

test("a_failed_step_says_on_the_run_s_page_what_to_do", needsLab, async () => {
  await inJob(async (job) => {
    const step = await job.run(inputs({ targetImage: "" }));
    assertFailed(step, step.errors[0].code);
    assert.ok(step.summaries[0].text.includes(step.errors[0].code));
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
