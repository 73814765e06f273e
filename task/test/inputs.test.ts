import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
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
const { readInputs } = await import("../src/inputs.ts");
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

test("Every input of task.json is read as text", () => {
  assert.deepEqual(
    Object.keys(inputs),
    task.inputs.map(({ name }) => name),
  );
  for (const [name, value] of Object.entries(inputs)) assert.equal(typeof value, "string", name);
});
