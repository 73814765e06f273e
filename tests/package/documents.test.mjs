// The documents against the code: they list exactly what exists.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { withTables } from "../../scripts/reference.mjs";
import { root } from "../../scripts/tools.mjs";
import { documents, textOf } from "./markdown.mjs";

const task = JSON.parse(readFileSync(join(root, "task/task.json"), "utf8"));
const { formNames } = JSON.parse(readFileSync(join(root, "tests/package/input-names.json"), "utf8"));
/** The names that a run reads; the others only choose the fields of the form. */
const inputNames = task.inputs.map(({ name }) => name).filter((name) => !formNames.includes(name));
const troubleshooting = textOf("docs/troubleshooting.md");
const tests = textOf("tests/README.md");

/** Settings of a job without anything for AWS. */
const aws = {
  variables: {
    accessKeyId: "",
    secretAccessKey: "",
    sessionToken: "",
    roleArn: "",
    roleSessionName: "",
    externalId: "",
    region: "",
    roleDuration: "",
  },
};
const agent = {
  identity: "1",
  job: "1",
  tempDirectory: "/tmp",
  workDirectory: "/tmp",
  inContainerJob: false,
};

/** The addon as it was built for this machine. */
function loadAddon() {
  const addon = { exports: {} };
  process.dlopen(addon, join(root, `dist/task/native/falcon-patch.linux-${process.arch}.node`));
  return addon.exports;
}

test("Every code has a heading, and every heading a code", () => {
  const headings = [...troubleshooting.matchAll(/^## ([A-Z]+(?:_[A-Z0-9]+)+)$/gm)].map((match) => match[1]);
  assert.deepEqual(headings, loadAddon().codes());
});

test("The reference has the inputs and outputs of task.json", () => {
  const reference = textOf("docs/reference.md");
  assert.equal(reference, withTables(reference, task), "`npm run reference` writes them");
  for (const { name } of [...task.inputs, ...task.outputVariables])
    assert.ok(reference.includes(`\n| \`${name}\` | `), name);
});

test("The addon takes exactly the inputs of the task", () => {
  const { PatchRun } = loadAddon();
  const prepare = (inputs) => new PatchRun(inputs, [], aws, undefined, agent, () => undefined);
  const { action, ...others } = Object.fromEntries(inputNames.map((name) => [name, ""]));
  prepare({ action, ...others });
  const refused = (inputs, reason) =>
    assert.throws(
      () => prepare(inputs),
      ({ message, cause }) => /^The shim's inputs/.test(message) && reason.test(cause.message),
    );
  refused(others, /^missing field `action`$/);
  for (const name of ["more", ...formNames])
    refused({ action, ...others, [name]: "" }, new RegExp(`^unknown field \`${name}\``));
});

/** Asserts that the last cell of each row names a test, by file and name or by the subject of a parametrized one. */
function assertNamesTests(document, least) {
  const rows = [...document.matchAll(/^\| .* \| `([a-z/_-]+\.(?:test\.mjs|test\.ts|rs))`: `([^`]+)` \|$/gm)];
  assert.ok(rows.length >= least, `${rows.length} rows`);
  for (const [, file, name] of rows) {
    const text = readFileSync(join(root, file), "utf8");
    const forms = [`"${name}"`, `\`${name}\``, `fn ${name}()`];
    assert.ok(
      forms.some((form) => text.includes(form)),
      `${file} has no test ${name}`,
    );
  }
  return rows.length;
}

/** A section of the tests' page. */
function section(heading) {
  const found = tests.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  assert.ok(found, `tests/README.md has no section ${heading}`);
  return found;
}

test("Every way in names an existing test", () => {
  assertNamesTests(section("Every way in and its test"), 16);
});

test("Every promise of SECURITY.md names an existing test", () => {
  const security = readFileSync(join(root, "SECURITY.md"), "utf8");
  const promises = security.match(/^\| (?!promise \||---)/gm);
  assert.equal(assertNamesTests(security, 20), promises.length);
});

/** Every part of the hand-written pipeline's guide, by a word of the row's first cell. */
const guide = [
  ...[
    "flow as a whole",
    "complete pipeline",
    "QEMU emulation set-up",
    "buildx create",
    "Installing the AWS CLI",
  ],
  ...[
    "get-caller-identity",
    "Region, account",
    "image URIs",
    "Docker authentication",
    "local registry on port 5000",
  ],
  ...["Pulling the ARM64 images", "patch-image", "exit code", "tagging and pushing", "Stopping and removing"],
  ...["system prune", "task definition template", "Key components", "Process flow", "Security: secrets"],
  ...[
    "Security: principals",
    "Security: least",
    "Security: audits",
    "Security: watching",
    "Required variables",
  ],
  ...[
    "Set-up instructions",
    "shooting: QEMU",
    "shooting: buildx",
    "shooting: AWS",
    "shooting: logs",
    "shooting: ARM64",
  ],
];

test("Every part of the guide has its replacement and a test", () => {
  const table = section("Every part of the hand-written pipeline");
  const rows = table.match(/^\| .*$/gm).slice(2);
  for (const part of guide)
    assert.ok(
      rows.some((row) => row.split(" | ")[0].includes(part)),
      `no row about ${part}`,
    );
  assert.equal(assertNamesTests(table, guide.length), rows.length, "each row names a test");
});

/** GitHub's anchor of a heading. */
const anchor = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

test("Links between documents have a target", () => {
  const headings = (path) =>
    [
      ...textOf(path)
        .replaceAll(/^ *```[\s\S]*?^ *```$/gm, "")
        .matchAll(/^#+ (.+)$/gm),
    ].map(([, heading]) => anchor(heading));
  for (const path of documents)
    for (const [, target, fragment] of textOf(path).matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const file = target === "" ? path : join(dirname(path), target);
      assert.ok(existsSync(join(root, file)), `${path} links to ${file}, which is not there`);
      if (fragment) assert.ok(headings(file).includes(fragment), `${path} links to ${file}#${fragment}`);
    }
});

test("The README stays short, and names the two commands", () => {
  const lines = textOf("README.md").split("\n");
  assert.ok(lines.length < 150, `${lines.length} lines`);
  for (const command of ["npm run demo", "npm test"])
    assert.ok(
      lines.some((line) => line.startsWith(`${command} `)),
      command,
    );
});

test("Each page of docs/ can be reached from the README", () => {
  const reached = new Set();
  const visit = (path) => {
    if (reached.has(path) || !existsSync(join(root, path))) return;
    reached.add(path);
    for (const [, target] of textOf(path).matchAll(/\]\((?![a-z]+:)([^)#\s]+\.md)/g))
      visit(join(dirname(path), target));
  };
  visit("README.md");
  // The Marketplace shows it by itself.
  const pages = documents.filter((path) => path.startsWith("docs/") && path !== "docs/overview.md");
  assert.deepEqual(
    pages.filter((path) => !reached.has(path)),
    [],
  );
});
