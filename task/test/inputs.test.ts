import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import recorded from "../../tests/package/input-names.json";
import task from "../task.json";

// The task library reads the environment when it is loaded, and prints what it finds unless that is turned off.
const folder = mkdtempSync(join(tmpdir(), "falcon-inputs-"));
after(() => rmSync(folder, { recursive: true }));
Object.assign(process.env, {
  AGENT_TEMPDIRECTORY: folder,
  BUILD_SOURCESDIRECTORY: "/agent/1/s",
  DISTRIBUTEDTASK_TASKS_NODE_SKIPDEBUGLOGSWHENDEBUGMODEOFF: "true",
  INPUT_ACTION: "patch",
  INPUT_SOURCEIMAGE: "app/web:1.4.2",
  INPUT_ADDITIONALTAGS: "one\ntwo",
  INPUT_SKIPUNCHANGED: "true",
  INPUT_FALCONCID: "left behind",
  INPUT_TASKDEFINITION: "/agent/1/s/deploy/ecs.json",
  INPUT_TASKDEFINITIONOUTPUT: "/agent/1/s",
});
const { formInputs, readInputs } = await import("../src/inputs.ts");
const secrets = {
  falconCid: "id",
  falconClientSecret: "",
  falconctlOptions: "",
  awsSecretAccessKey: "key",
  awsSessionToken: "",
};
const inputs = readInputs(secrets);

test("Inputs are read as typed", () => {
  const cases: [string, string][] = [
    ["action", "patch"],
    ["sourceImage", "app/web:1.4.2"],
    ["additionalTags", "one\ntwo"],
    ["skipUnchanged", "true"],
    ["taskDefinition", "/agent/1/s/deploy/ecs.json"],
  ];
  for (const [name, value] of cases) assert.equal(inputs[name], value, name);
});

test("An empty path stays empty instead of becoming the repository's root", () => {
  assert.equal(inputs.taskDefinitionOutput, "");
});

test("Secret inputs do not come from the task library", () => {
  assert.equal(inputs.falconCid, "id");
  assert.equal(inputs.awsSecretAccessKey, "key");
});

test("Every input of task.json that is not for the form alone is read as text", () => {
  const names = task.inputs.map(({ name }) => name);
  assert.deepEqual(
    Object.keys(inputs),
    names.filter((name) => !formInputs.includes(name)),
  );
  for (const [name, value] of Object.entries(inputs)) assert.equal(typeof value, "string", name);
});

test("Inputs of the form alone change nothing, whatever they hold", () => {
  assert.deepEqual([...formInputs], recorded.formNames);
  for (const value of ["connection", "agent", "no such value"]) {
    for (const name of formInputs) process.env[`INPUT_${name.toUpperCase()}`] = value;
    assert.deepEqual(readInputs(secrets), inputs, value);
  }
});
