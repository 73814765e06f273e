// The documents against the code: what they list is what there is.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";

const task = JSON.parse(readFileSync(join(root, "task/task.json"), "utf8"));
const readme = readFileSync(join(root, "README.md"), "utf8");
const troubleshooting = readFileSync(join(root, "docs/troubleshooting.md"), "utf8");
const declarations = readFileSync(join(root, "native/node/index.d.ts"), "utf8");

/** The names in backticks in the first column of the tables below a heading. */
function tableNames(heading) {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section, `README has no section ${heading}`);
  return [...section.matchAll(/^\| `([A-Za-z]+)`/gm)].map((match) => match[1]);
}

/** Every code that the addon knows. */
function codes() {
  const addon = { exports: {} };
  process.dlopen(addon, join(root, `dist/task/native/falcon-patch.linux-${process.arch}.node`));
  return addon.exports.codes();
}

test("every_code_has_its_heading_and_every_heading_its_code", () => {
  const headings = [...troubleshooting.matchAll(/^## ([A-Z]+(?:_[A-Z0-9]+)+)$/gm)].map((match) => match[1]);
  assert.deepEqual(headings, codes());
});

test("the_readme_lists_the_inputs_of_the_task", () => {
  assert.deepEqual(
    tableNames("Inputs"),
    task.inputs.map(({ name }) => name),
  );
});

test("the_readme_lists_the_output_variables_of_the_task", () => {
  assert.deepEqual(
    tableNames("Output variables"),
    task.outputVariables.map(({ name }) => name),
  );
});

test("the_addon_takes_the_inputs_of_the_task", () => {
  const body = declarations.match(/export interface TaskInputs \{([^}]*)\}/)?.[1] ?? "";
  const names = [...body.matchAll(/^\s*(\w+): string$/gm)].map((match) => match[1]);
  assert.deepEqual(
    names,
    task.inputs.map(({ name }) => name),
  );
});

test("every_way_in_names_a_test_that_is_there", () => {
  const rows = [...readme.matchAll(/^\| .* \| `(tests\/task\/[a-z]+\.test\.mjs)`: `([^`]+)` \|$/gm)];
  assert.ok(rows.length > 15, `${rows.length} rows`);
  for (const [, file, name] of rows) {
    const text = readFileSync(join(root, file), "utf8");
    assert.ok(text.includes(`"${name}"`), `${file} has no test ${name}`);
  }
});
