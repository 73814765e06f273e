// What task.json promises and what the shim does must be the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { jobVariables, outputVariables } from "../src/finish.ts";
import { secretInputs } from "../src/secrets.ts";
import { outcome } from "./samples.ts";

process.env.DISTRIBUTEDTASK_TASKS_NODE_SKIPDEBUGLOGSWHENDEBUGMODEOFF = "true";
process.env.AGENT_TEMPDIRECTORY ??= "/tmp";
const { inputs: kinds } = await import("../src/inputs.ts");

interface Input {
  name: string;
  type: string;
}
const task = JSON.parse(readFileSync(new URL("../task.json", import.meta.url), "utf8")) as {
  inputs: Input[];
  outputVariables: { name: string }[];
  restrictions: { commands: { mode: string }; settableVariables: { allowed: string[] } };
};

test("the_shim_reads_exactly_the_inputs_of_task_json", () => {
  assert.deepEqual(
    Object.keys(kinds),
    task.inputs.map(({ name }) => name),
  );
});

test("paths_are_read_as_paths_and_nothing_else_is", () => {
  for (const { name, type } of task.inputs) {
    assert.equal(kinds[name as keyof typeof kinds] === "path", type === "filePath", name);
  }
});

test("every_secret_input_is_taken_before_the_task_library_sees_it", () => {
  const read = Object.entries(kinds).filter(([, kind]) => kind === "secret");
  assert.deepEqual(read.map(([name]) => name).sort(), [...secretInputs].sort());
});

test("help_of_every_secret_input_asks_for_a_secret_variable", () => {
  const help = new Map(task.inputs.map((input) => [input.name, JSON.stringify(input)]));
  for (const name of secretInputs) assert.match(help.get(name) ?? "", /secret variable/, name);
});

test("the_shim_sets_exactly_the_output_variables_of_task_json", () => {
  assert.deepEqual(
    Object.keys(outputVariables(outcome())),
    task.outputVariables.map(({ name }) => name),
  );
});

test("the_agent_lets_the_task_set_its_variables_and_no_others", () => {
  const full = outcome({ builder: { name: "arm64builder", folder: "/agent/_temp/builder" } });
  const set = [...Object.keys(outputVariables(full)), ...Object.keys(jobVariables(full))];
  assert.deepEqual(task.restrictions.settableVariables.allowed, set);
});

test("commands_are_not_restricted_since_that_would_refuse_the_summary", () => {
  assert.equal(task.restrictions.commands.mode, "any");
});
