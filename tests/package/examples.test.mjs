// The pipelines that users copy, against task.json: what they set exists, is allowed, and is enough.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readJson } from "../../scripts/tools.mjs";
import { Form } from "./form.mjs";
import { documents as allDocuments, textOf } from "./markdown.mjs";
import { blocks, examples, isComplete } from "./pipelines.mjs";
import { startProblems } from "./start.mjs";

const task = readJson("task/task.json");
const { formNames } = readJson("tests/package/input-names.json");
const declared = new Map(
  task.inputs.flatMap((input) => [input.name, ...(input.aliases ?? [])].map((name) => [name, input])),
);
const documents = allDocuments
  .map((path) => ({ path, blocks: blocks(path) }))
  .filter((document) => document.blocks.length > 0);
const complete = [...examples(), ...documents.flatMap((document) => document.blocks).filter(isComplete)];

/** A value as the task gets it: all of them are texts. */
const given = (inputs, name) => String(inputs[name] ?? declared.get(name).defaultValue ?? "");

/** Each way to choose the fields of the form by those that only the form has. */
const choices = formNames
  .map((name) => Object.keys(declared.get(name).options).map((option) => ({ [name]: option })))
  .reduce((all, more) => all.flatMap((one) => more.map((other) => ({ ...one, ...other }))), [{}]);

/** True if the form has a place for an input beside the others: only then it counts as required. */
const isVisible = (name, inputs) =>
  choices.some((chosen) => new Form(task, { ...inputs, ...chosen }).has(name));

/** The inputs that an action needs and no rule of the form can demand: the core does. */
const demanded = { patch: ["sourceImage"], deploy: ["ecsCluster", "ecsService"] };

/** A value that only a run knows can be anything. */
const isMacro = (value) => /^\$\(.*\)$/.test(value);

function assertAllowed(inputs, where) {
  for (const [name, value] of Object.entries(inputs)) {
    const input = declared.get(name);
    assert.ok(input, `${where}: there is no input ${name}`);
    assert.ok(value !== null && typeof value !== "object", `${where}: ${name} is not a single value`);
    const text = String(value);
    if (isMacro(text)) continue;
    if (input.type === "boolean") assert.match(text, /^(true|false)$/, `${where}: ${name}`);
    if (input.options && input.properties?.EditableOptions !== "True")
      assert.ok(text in input.options, `${where}: ${name} cannot be ${text}`);
  }
}

function assertComplete(inputs, where) {
  for (const { name, required } of task.inputs) {
    const counts = isVisible(name, inputs);
    if (required && counts) assert.notEqual(given(inputs, name), "", `${where}: ${name} is required`);
    if (!counts) assert.ok(!(name in inputs), `${where}: ${name} has no meaning beside the others`);
  }
  for (const name of demanded[given(inputs, "action")] ?? [])
    assert.notEqual(given(inputs, name), "", `${where}: ${name} is required`);
}

for (const [index, pipeline] of complete.entries()) {
  const { path, document, steps } = pipeline;
  const title = `${path}, complete pipeline ${index + 1}`;

  test(`${title}: existing inputs and all required ones`, () => {
    assert.ok(steps.length > 0, "no step of the task");
    for (const { inputs, name } of steps) {
      assertAllowed(inputs, `${path}, ${name}`);
      assertComplete(inputs, `${path}, ${name}`);
    }
    assert.equal(document.trigger, "none", "a copied example runs only when it is started");
  });

  test(`${title}: starts as it is copied`, () => {
    assert.deepEqual(startProblems(pipeline), []);
  });
}

test("A pipeline that could not start is noticed", () => {
  const text = "# a comment";
  const problems = (document, inputs = {}) =>
    startProblems({ path: "README.md", text, document, steps: [{ inputs, variables: {} }] });
  const names = {
    steps: [
      { script: "true", name: "order-worker" },
      { script: "true", name: "2" },
    ],
  };
  assert.deepEqual(problems(names), ["`order-worker` is not a valid name", "`2` is not a valid name"]);
  assert.deepEqual(problems({ steps: [{ name: "a" }, { name: "a" }] }), ["two steps are named `a`"]);
  assert.deepEqual(problems({ variables: [{ group: "falcon" }] }), ["no page creates the group `falcon`"]);
  assert.deepEqual(problems({}, { awsConnection: "other" }), ["no page creates the connection `other`"]);
  assert.deepEqual(problems({ steps: [{ script: "echo $(unheard) $(Build.BuildId)" }] }), [
    "nothing declares `$(unheard)`",
  ]);
  const digest = `a@sha256:${"0".repeat(64)}`;
  assert.deepEqual(problems({}, { emulatorImage: digest }), [`no reader has \`${digest}\``]);
  assert.deepEqual(problems({ jobs: [{ job: "a", dependsOn: "b" }] }), ["nothing is named `b`"]);
});

test("The pipelines of the guide are complete", () => {
  const guide = complete.filter(({ path }) => path === "docs/guide/many-images.md");
  assert.deepEqual(
    guide.map(({ steps }) => steps.length),
    [3, 6, 1],
  );
  assert.deepEqual(
    guide[0].steps.map(({ name }) => name),
    ["falcon_api", "falcon_web", "falcon_order_worker"],
  );
});

for (const document of documents) {
  test(`The pipelines in ${document.path} set existing inputs`, () => {
    for (const { path, steps } of document.blocks) {
      assert.ok(steps.length > 0, path);
      for (const { inputs } of steps) assertAllowed(inputs, path);
    }
  });
}

test("Output variables that pipelines read exist", () => {
  const outputs = new Set(task.outputVariables.map(({ name }) => name));
  const sources = [...examples(), ...documents.flatMap((document) => document.blocks)];
  let read = 0;
  for (const { path, text, steps } of sources)
    for (const step of new Set(steps.map(({ name }) => name).filter(Boolean)))
      for (const [, output] of text.matchAll(new RegExp(`\\b${step}\\.(\\w+)(?=\\)|')`, "g"))) {
        assert.ok(outputs.has(output), `${path}: there is no output ${step}.${output}`);
        read += 1;
      }
  assert.ok(read > 10, `${read} uses`);
});

test("Every example is in the table of its README", () => {
  const rows = [...textOf("examples/README.md").matchAll(/^\| \[([a-z-]+\.yml)\]\(\1\) \| .+ \|$/gm)].map(
    ([, name]) => name,
  );
  assert.deepEqual(
    rows.sort(),
    examples()
      .map(({ path }) => path.slice("examples/".length))
      .sort(),
  );
});
