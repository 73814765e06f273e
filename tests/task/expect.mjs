// Properties of every step, however it ends.
import assert from "node:assert/strict";
import { story } from "./agent.mjs";

/** The step ended properly: every ending is reported in the agent's own commands. */
export function assertOrderly(step) {
  assert.equal(step.exitCode, 0, story(step));
  assert.deepEqual(step.refused, [], "commands that the agent refuses");
  assert.ok(
    !step.raw.some(({ line }) => /^\s+at .*\.(js|ts):\d+/.test(line)),
    `a stack trace:\n${story(step)}`,
  );
}

/** Exactly one issue, with a code and something to do about it. */
export function assertFailed(step, code) {
  assertOrderly(step);
  assert.equal(step.result, "Failed", story(step));
  assert.equal(step.completed.length, 1);
  assert.equal(step.errors.length, 1, `one issue:\n${story(step)}`);
  const [issue] = step.errors;
  assert.equal(issue.code, code, story(step));
  assert.ok(issue.message.endsWith(`[${code}]`), issue.message);
  assert.match(issue.message, /^([A-Z]|\d|`|falconutil )/, `a sentence: ${issue.message}`);
  assert.match(story(step), /^ {2}hint: /m, `a hint:\n${story(step)}`);
  const more = new RegExp(`^More: (${code} in docs/|https://.*#${code.toLowerCase()}$)`, "m");
  assert.match(story(step), more, "the place that explains the code");
  assert.deepEqual(step.outputs, {}, "no output variable of a failed step");
  return issue.message;
}

export function assertSucceeded(step) {
  assertOrderly(step);
  assert.equal(step.result, "Succeeded", story(step));
  assert.deepEqual(step.errors, []);
  assert.deepEqual(step.warnings, []);
}

/** None of the texts can be seen by a reader of the run. */
export function assertNoLeak(step, secrets) {
  for (const secret of secrets.filter(Boolean)) {
    const forms = [secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)];
    for (const form of forms) assert.ok(!step.leaks(form), `${form} can be read:\n${story(step)}`);
  }
}
