// The form that a user fills in: its rules work, and it first shows what most people fill in.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readJson } from "../../scripts/tools.mjs";
import { Form, parseRule } from "./form.mjs";

const task = readJson("task/task.json");
const { formNames } = readJson("tests/package/input-names.json");
const inputs = new Map(task.inputs.map((input) => [input.name, input]));
const groups = new Map(task.groups.map((group) => [group.name, group]));
const actions = Object.keys(inputs.get("action").options);
const common = ["action", "sourceImage", "targetImage"];
const falcon = ["sensorSource", "sensorImage", "falconSecrets", "falconCid"];
const aws = ["awsSignIn", "awsConnection", "awsRegion"];

/** The fields that a new step shows, by its action. */
const first = {
  patch: [...common, ...falcon, ...aws],
  plan: [...common, ...falcon, "ecsCluster", "ecsService", ...aws],
  verify: [...common, "minimumSensorVersion", ...aws],
  deploy: [...common, "minimumSensorVersion", "ecsCluster", "ecsService", ...aws],
};
const most = 12;

test("A new step shows at most twelve fields, whichever its action", () => {
  assert.deepEqual(Object.keys(first), actions);
  for (const [action, expected] of Object.entries(first)) {
    const visible = new Form(task, { action }).visible();
    assert.deepEqual(visible, expected, action);
    assert.ok(visible.length <= most, `${action} shows ${visible.length} fields`);
  }
});

test("No required field is hidden or folded", () => {
  const required = task.inputs.filter((input) => input.required).map(({ name }) => name);
  assert.deepEqual(required, ["targetImage"]);
  for (const action of actions) {
    const visible = new Form(task, { action }).visible();
    for (const name of required) assert.ok(visible.includes(name), `${name} with ${action}`);
  }
});

test("A field that depends on another appears with it, and not before", () => {
  const cases = [
    ["sensorVersion", {}, { sensorSource: "crowdstrike" }],
    ["sensorImage", { sensorSource: "crowdstrike" }, {}],
    ["falconConnection", {}, { falconSecrets: "connection" }],
    ["falconCid", { falconSecrets: "connection" }, {}],
    ["falconClientSecret", {}, { falconSecrets: "client" }],
    ["falconRegistry", { falconSecrets: "client" }, { falconSecrets: "client", sensorSource: "crowdstrike" }],
    ["awsSecretAccessKey", {}, { awsSignIn: "keys" }],
    ["awsConnection", { awsSignIn: "agent" }, {}],
    ["awsExternalId", {}, { awsRoleArn: "arn:aws:iam::123456789012:role/falcon-patch" }],
    ["graftCache", {}, { strategy: "graft" }],
    ["emulatorImage", { emulation: "never" }, {}],
    ["stagingRegistryImage", {}, { stagingRegistry: "local" }],
    ["taskDefinitionOutput", {}, { taskDefinition: "deploy/web.json" }],
    ["ecsCluster", {}, { action: "deploy" }],
    ["deployTimeoutMinutes", { action: "deploy", waitForService: "false" }, { action: "deploy" }],
    ["registerTaskDefinition", { action: "deploy" }, {}],
    ["strategy", { action: "verify" }, {}],
  ];
  for (const [name, hidden, shown] of cases) {
    assert.equal(new Form(task, hidden).has(name), false, `${name} with ${JSON.stringify(hidden)}`);
    assert.equal(new Form(task, shown).has(name), true, `${name} with ${JSON.stringify(shown)}`);
  }
});

test("A term about a hidden field does not hold", () => {
  const given = { action: "verify", strategy: "graft" };
  assert.equal(new Form(task, given).has("graftCache"), false);
  const two = {
    groups: [],
    inputs: [
      { name: "a", defaultValue: "1", visibleRule: "b = 1" },
      { name: "b", defaultValue: "2" },
      { name: "c", visibleRule: "a != 2" },
      { name: "d", visibleRule: 'a = "" || b = 2' },
    ],
  };
  assert.deepEqual(new Form(two).visible(), ["b", "d"]);
  assert.deepEqual(new Form(two, { b: "1" }).visible(), ["a", "b", "c"]);
});

test("Every field can be reached with some action", () => {
  // Every answer that a rule compares with, alone and in pairs.
  const terms = [...task.inputs, ...task.groups].flatMap(({ visibleRule }) =>
    visibleRule ? parseRule(visibleRule).terms : [],
  );
  const answers = terms.map(({ name, isEqual, value }) => ({ [name]: isEqual ? value : "x" }));
  const reached = new Set();
  for (const one of answers)
    for (const other of answers) {
      const form = new Form(task, { ...one, ...other });
      for (const name of inputs.keys()) if (form.has(name)) reached.add(name);
    }
  assert.deepEqual(
    [...inputs.keys()].filter((name) => !reached.has(name)),
    [],
  );
});

test("Groups exist, none is empty, and fields stand with their group", () => {
  const used = task.inputs.map(({ groupName }) => groupName).filter(Boolean);
  const inOrder = used.filter((name, index) => name !== used[index - 1]);
  assert.deepEqual(inOrder, [...groups.keys()]);
});

test("Visibility rules name existing inputs and values", () => {
  for (const { name, visibleRule } of [...task.inputs, ...task.groups]) {
    assert.doesNotMatch(visibleRule ?? "", /&&.*\|\||\|\|.*&&/, `the rule of ${name} mixes && and ||`);
    assert.doesNotMatch(visibleRule ?? "", /action\s*!=/, `the rule of ${name} does not name its actions`);
    for (const { name: subject, value } of visibleRule ? parseRule(visibleRule).terms : []) {
      const input = inputs.get(subject);
      assert.ok(input, `the rule of ${name} names ${subject}, which is not an input`);
      const values = input.type === "boolean" ? ["true", "false"] : Object.keys(input.options ?? {});
      if (values.length > 0) assert.ok(values.includes(value), `the rule of ${name} compares with ${value}`);
      // The form reads no other character in a value.
      assert.match(value, /^[A-Za-z0-9. ]*$/, `the rule of ${name}`);
    }
  }
});

test("Fields for the form alone steer it, and are pick lists", () => {
  const steering = new Set(
    [...inputs.values()].flatMap(({ visibleRule }) =>
      visibleRule ? parseRule(visibleRule).terms.map(({ name }) => name) : [],
    ),
  );
  for (const name of formNames) {
    assert.equal(inputs.get(name).type, "pickList");
    assert.ok(steering.has(name), name);
    assert.match(inputs.get(name).helpMarkDown, /^Chooses the fields that this form shows, and nothing else/);
  }
});

test("A new step's name fits every action", () => {
  const names = actions.map((action) => {
    const form = new Form(task, { action, targetImage: "app/web:1.4.2-falcon" });
    return task.instanceNameFormat.replaceAll(/\$\((\w+)\)/g, (_, name) => form.value(name));
  });
  assert.deepEqual(
    names,
    actions.map((action) => `Falcon: ${action} app/web:1.4.2-falcon`),
  );
});
