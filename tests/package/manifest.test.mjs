// task.json against its schema, and against what neither the schema nor tfx sees.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import Ajv from "ajv-draft-04";
import { listedTask } from "../../scripts/listing.mjs";
import { developmentVariant } from "../../scripts/package.mjs";
import { readJson, root } from "../../scripts/tools.mjs";
import { emptyContacts, madeUpContacts } from "./contacts.mjs";

const task = readJson("task/task.json");
const extension = readJson("vss-extension.json");
const recorded = readJson("tests/package/input-names.json");
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const inputs = new Map(task.inputs.map((input) => [input.name, input]));

test("task.json follows the schema", () => {
  const validate = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false }).compile(
    readJson("tests/package/task.schema.json"),
  );
  const listed = [emptyContacts, madeUpContacts].map((contacts) => listedTask(task, contacts));
  for (const each of [task, ...listed]) assert.ok(validate(each), JSON.stringify(validate.errors, null, 2));
});

test("The extension's identity follows the rules of the Marketplace", () => {
  assert.match(task.id, uuid);
  assert.equal(task.name, "FalconArm64Patch");
  assert.ok(task.friendlyName.length <= 40);
  assert.ok(task.instanceNameFormat);
});

test("Handlers use supported versions of Node, and their targets exist", () => {
  for (const stage of ["execution", "postjobexecution"]) {
    assert.deepEqual(Object.keys(task[stage]).sort(), ["Node20_1", "Node24"], stage);
    for (const { target } of Object.values(task[stage])) {
      assert.ok(existsSync(join(root, "dist/task", target)), `${stage} target ${target}`);
    }
  }
});

// Pipelines name inputs and outputs, so a recorded name stays for ever; a new one is recorded at once.
test("Names of inputs and outputs are the recorded ones", () => {
  const aliases = task.inputs.flatMap((input) => input.aliases ?? []);
  const outputs = task.outputVariables.map(({ name }) => name);
  assert.deepEqual([...inputs.keys()].sort(), [...recorded.names, ...recorded.formNames].sort());
  assert.deepEqual(aliases.sort(), [...recorded.aliases].sort());
  assert.deepEqual(outputs.sort(), [...recorded.outputVariables].sort());
});

test("Input names and aliases are unique in any case", () => {
  const names = task.inputs.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
});

test("Every input has a label and help", () => {
  for (const input of task.inputs) {
    assert.ok(input.label, `label of ${input.name}`);
    assert.ok(input.helpMarkDown, `help of ${input.name}`);
  }
});

test("Defaults are among the options", () => {
  for (const { name, options, defaultValue, properties } of task.inputs) {
    if (!options) continue;
    const free = properties?.EditableOptions === "True";
    assert.ok(free || defaultValue in options, `default ${defaultValue} of ${name}`);
  }
});

/** The service connection types of an extension, each with its descriptors by ID. */
function connectionTypes({ contributions }) {
  const types = contributions.filter(({ type }) => type === "ms.vss-endpoint.service-endpoint-type");
  return types.map(({ properties, targets }) => ({ ...properties, targets }));
}

const ids = (descriptors) => descriptors.map(({ id }) => id).sort();
const typeOf = (manifest, input) => manifest.inputs.find(({ name }) => name === input).type;

test("The connection's type keeps secrets in its scheme and all else in itself", () => {
  const [type, ...others] = connectionTypes(extension);
  assert.deepEqual(others, []);
  assert.deepEqual(type.targets, ["ms.vss-endpoint.endpoint-types"]);
  const [scheme, ...schemes] = type.authenticationSchemes;
  assert.deepEqual(schemes, []);
  assert.equal(scheme.type, "ms.vss-endpoint.endpoint-auth-scheme-basic");
  // Connections are stored with these, and the agent masks every value of the scheme: a region there would blank `us-1`
  // in the log.
  assert.deepEqual(ids(scheme.inputDescriptors), ["customerId", "password", "username"]);
  assert.deepEqual(ids(type.inputDescriptors), ["apiUrl", "region", "registry"]);
  const confidential = scheme.inputDescriptors.filter(({ isConfidential }) => isConfidential);
  assert.deepEqual(ids(confidential), ["customerId", "password"]);
  for (const { id, inputMode } of confidential) assert.equal(inputMode, "passwordbox", id);
  for (const each of [...scheme.inputDescriptors, ...type.inputDescriptors])
    assert.ok(each.name && each.description && each.validation.isRequired === false, each.id);
  assert.ok(extension.files.some(({ path, addressable }) => addressable && type.icon.startsWith(`${path}/`)));
  assert.ok(existsSync(join(root, type.icon)));
});

test("The connection offers the clouds of the input", () => {
  const [{ inputDescriptors }] = connectionTypes(extension);
  const { values } = inputDescriptors.find(({ id }) => id === "region");
  const { options, defaultValue } = inputs.get("falconRegion");
  assert.equal(values.defaultValue, defaultValue);
  assert.deepEqual(
    values.possibleValues.map(({ value }) => value),
    Object.keys(options),
  );
});

test("The private variant has a type of its own, which its task takes", () => {
  const variants = [{ extension, task }, developmentVariant({ extension, task })];
  const names = variants.map((variant) => {
    const [{ name }, ...others] = connectionTypes(variant.extension);
    assert.deepEqual(others, []);
    assert.equal(typeOf(variant.task, "falconConnection"), `connectedService:${name}`);
    assert.equal(typeOf(variant.task, "awsConnection"), "connectedService:AWS");
    return name;
  });
  assert.equal(names[0], recorded.connectionType);
  assert.notEqual(names[0].toLowerCase(), names[1].toLowerCase());
  const { extension: dev, task: devTask } = developmentVariant({ extension, task }, 4711);
  assert.notEqual(dev.id, extension.id);
  assert.deepEqual(
    [dev.public, dev.version, devTask.version.Patch],
    [false, extension.version.replace(/\d+$/, "4711"), 4711],
  );
});
