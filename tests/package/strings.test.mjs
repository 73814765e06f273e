// The texts that a translation replaces: each language has exactly those of task.json.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { localized, stringsOf } from "../../scripts/strings.mjs";
import { readJson, root } from "../../scripts/tools.mjs";

const task = readJson("task/task.json");
const folder = "task/Strings/resources.resjson";
const languages = readdirSync(join(root, folder)).sort();
const strings = (language) => readJson(`${folder}/${language}/resources.resjson`);
const placeholders = (text) => text.match(/%s|\$\(\w+\)/g)?.sort() ?? [];

test("The English texts are those of task.json", () => {
  assert.ok(languages.includes("en-US"));
  assert.deepEqual(strings("en-US"), stringsOf(task), "run `node scripts/strings.mjs`");
});

for (const language of languages)
  test(`The texts in ${language} have every key, no other, and the same values to fill in`, () => {
    const english = stringsOf(task);
    const own = strings(language);
    assert.deepEqual(Object.keys(own).sort(), Object.keys(english).sort());
    for (const [key, text] of Object.entries(own)) {
      assert.notEqual(text, "", key);
      assert.deepEqual(placeholders(text), placeholders(english[key]), key);
    }
  });

test("Every text that the form shows has a key as Azure DevOps looks it up", () => {
  const keys = new Set(Object.keys(stringsOf(task)));
  const expected = [
    ...["friendlyName", "helpMarkDown", "description", "instanceNameFormat"].map((name) => `loc.${name}`),
    ...task.groups.map(({ name }) => `loc.group.displayName.${name}`),
    ...task.inputs.flatMap(({ name }) => [`loc.input.label.${name}`, `loc.input.help.${name}`]),
    ...Object.keys(task.messages).map((key) => `loc.messages.${key}`),
  ];
  assert.deepEqual([...keys].sort(), expected.sort());
});

test("The localized task refers to an existing text wherever task.json has one", () => {
  const english = stringsOf(task);
  const resolve = (value) => {
    if (typeof value === "string") {
      const [, key] = /^ms-resource:(.*)$/.exec(value) ?? [];
      if (key === undefined) return value;
      assert.ok(key in english, key);
      return english[key];
    }
    if (Array.isArray(value)) return value.map(resolve);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, resolve(inner)]));
  };
  assert.notDeepEqual(localized(task), task);
  assert.deepEqual(resolve(localized(task)), task);
});

test("Every message is used by the shim", () => {
  const source = readFileSync(join(root, "task/src/addon.ts"), "utf8");
  for (const key of Object.keys(task.messages)) assert.ok(source.includes(`say("${key}"`), key);
});
