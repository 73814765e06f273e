// The commands, policies and names in the documents: they can be run, and they agree with each other.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readJson, root } from "../../scripts/tools.mjs";
import { documents, fencedBlocks, textOf } from "./markdown.mjs";

const task = readJson("task/task.json");

/** Every fenced block of a language in all documents, with its document. */
const blocksOf = (language) =>
  documents.flatMap((path) => fencedBlocks(path, language).map((text) => ({ path, text })));

/** Fails with every problem at once, a line each. */
const assertNone = (problems) => assert.equal(problems.join("\n"), "");

test("Shell blocks are valid for bash", () => {
  const blocks = ["sh", "bash"].flatMap(blocksOf);
  assert.ok(blocks.length > 30, `${blocks.length} blocks`);
  const check = (text) => spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
  assert.notEqual(check("if true; then").status, 0, "a mistake is noticed");
  assertNone(
    blocks.flatMap(({ path, text }) => {
      const { status, stderr } = check(text);
      return status === 0 ? [] : [`${path}: ${stderr}\n${text}`];
    }),
  );
});

test("Commands of this repository exist", () => {
  const { scripts } = readJson("package.json");
  const named = (pattern) =>
    documents.flatMap((path) => [...textOf(path).matchAll(pattern)].map(([, name]) => ({ path, name })));
  const npm = named(/\bnpm run ([a-z]+)/g);
  const files = named(/\b(?:node )?((?:scripts|tests\/lab)\/[a-z-]+\.(?:mjs|sh))\b/g);
  assert.ok(npm.length > 10 && files.length > 3, `${npm.length} and ${files.length}`);
  assertNone([
    ...npm.filter(({ name }) => !(name in scripts)).map(({ path, name }) => `${path}: npm run ${name}`),
    ...files.filter(({ name }) => !existsSync(join(root, name))).map(({ path, name }) => `${path}: ${name}`),
  ]);
});

test("JSON blocks are valid, but for those that are a part of one", () => {
  const isPart = (text) => text.startsWith('"');
  assertNone(
    blocksOf("json").flatMap(({ path, text }) => {
      try {
        JSON.parse(isPart(text) ? `{${text}}` : text);
        return [];
      } catch (error) {
        return [`${path}: ${error.message}\n${text}`];
      }
    }),
  );
});

test("Policies are in docs/iam.md alone", () => {
  const holders = blocksOf("json").filter(({ text }) => text.includes('"Effect"'));
  assert.deepEqual([...new Set(holders.map(({ path }) => path))], ["docs/iam.md"]);
});

test("Every permission that a text names is in docs/iam.md", () => {
  const [needed, notNeeded] = textOf("docs/iam.md").split(/^## What is not needed$/m);
  assert.match(notNeeded, /`ecr:DescribeImages`/);
  // The service in an ARN begins no action.
  const pattern = /(?<!:)\b(?:ecr|ecs|iam|kms|logs|secretsmanager|signer|ssm|sts):[A-Z]\w+/g;
  const texts = documents.filter((path) => path.startsWith("docs/") && path !== "docs/iam.md");
  const sources = [...texts.map((path) => [path, textOf(path)]), ["task.json", JSON.stringify(task)]];
  // These are rights that others have, or failures of a stand-in: the step needs none of them.
  const others = ["kms:UpdateAlias", "kms:DescribeKey", "ecr:DescribeImages"];
  assertNone(
    sources.flatMap(([path, text]) =>
      [...new Set(text.match(pattern))]
        .filter((action) => !others.includes(action) && !new RegExp(`${action}\\b`).test(needed))
        .map((action) => `${path}: ${action}`),
    ),
  );
});

test("No document has a digest that its readers lack", () => {
  const defaults = task.inputs.map(({ defaultValue }) => defaultValue).join();
  // docs/faults.md quotes messages as its tests got them; no one copies a name from there.
  const pages = documents.filter((path) => !path.startsWith("scripts/") && path !== "docs/faults.md");
  assertNone(
    pages.flatMap((path) =>
      [...new Set(textOf(path).match(/sha256:[0-9a-f]{64}/g))]
        .filter((digest) => !defaults.includes(digest))
        .map((digest) => `${path}: ${digest}`),
    ),
  );
});

test("The walk through the classic editor has the form's own labels", () => {
  const walk = textOf("docs/migrating.md")
    .split(/^## /m)
    .find((text) => text.startsWith("In the classic editor\n"));
  const labels = new Set([
    task.friendlyName,
    ...task.inputs.flatMap(({ label, options = {} }) => [label, ...Object.values(options)]),
  ]);
  const step = (number) => walk.match(new RegExp(`^${number}\\. .*$`, "m"))[0];
  const shown = [5, 7].flatMap((number) =>
    [...step(number).matchAll(/\*([^*]+)\*/g)].map(([, name]) => name),
  );
  assert.ok(shown.length >= 9, shown.join());
  assertNone(shown.filter((name) => !labels.has(name)));
  assert.ok(step(4).includes(`*${task.friendlyName}*`));
});
