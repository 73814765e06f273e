// What task.json promises and what the shim does must be the same.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { jobVariables, outputVariables } from "../src/finish.ts";
import { secretInputs } from "../src/secrets.ts";
import { outcome } from "./samples.ts";

const task = JSON.parse(readFileSync(new URL("../task.json", import.meta.url), "utf8")) as {
  inputs: { name: string }[];
  outputVariables: { name: string }[];
  restrictions: { commands: { mode: string }; settableVariables: { allowed: string[] } };
};

test("The secret inputs are those whose help asks for a secret variable", () => {
  const asking = task.inputs.filter((input) => /secret variable/.test(JSON.stringify(input)));
  assert.deepEqual(asking.map(({ name }) => name).sort(), [...secretInputs].sort());
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
