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

test("The shim reads exactly the inputs of task.json", () => {
  assert.deepEqual(
    Object.keys(kinds),
    task.inputs.map(({ name }) => name),
  );
});

test("Exactly the path inputs are read as paths", () => {
  for (const { name, type } of task.inputs) {
    assert.equal(kinds[name as keyof typeof kinds] === "path", type === "filePath", name);
  }
});

test("Every secret input is removed before the task library is loaded", () => {
  const read = Object.entries(kinds).filter(([, kind]) => kind === "secret");
  assert.deepEqual(read.map(([name]) => name).sort(), [...secretInputs].sort());
});

test("The help of every secret input asks for a secret variable", () => {
  const help = new Map(task.inputs.map((input) => [input.name, JSON.stringify(input)]));
  for (const name of secretInputs) assert.match(help.get(name) ?? "", /secret variable/, name);
});

test("The shim sets exactly the output variables of task.json", () => {
  assert.deepEqual(
    Object.keys(outputVariables(outcome())),
    task.outputVariables.map(({ name }) => name),
  );
});

test("task.json allows the variables that the task sets, and no others", () => {
  const full = outcome({ builder: { name: "arm64builder", folder: "/agent/_temp/builder" } });
  const set = [...Object.keys(outputVariables(full)), ...Object.keys(jobVariables(full))];
  assert.deepEqual(task.restrictions.settableVariables.allowed, set);
});

test("task.json does not restrict commands, which would refuse the summary", () => {
  assert.equal(task.restrictions.commands.mode, "any");
});
