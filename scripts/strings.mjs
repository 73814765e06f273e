// `node scripts/strings.mjs` writes the English texts of task.json, which a translation replaces by a file of its own:
// task/Strings/resources.resjson/LANGUAGE/resources.resjson with the same keys, such as de-DE.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isEntry, main, root } from "./tools.mjs";

/** The keys of the task's own texts, each the name of a field. */
const own = ["friendlyName", "helpMarkDown", "description", "instanceNameFormat"];

/**
 * A copy of a task with each of its texts replaced by `replace(key, text)`. The keys are those by which Azure DevOps looks
 * a text up; options of pick lists and output variables have none.
 */
function withTexts(task, replace) {
  return {
    ...task,
    ...Object.fromEntries(own.map((name) => [name, replace(`loc.${name}`, task[name])])),
    groups: task.groups.map((group) => ({
      ...group,
      displayName: replace(`loc.group.displayName.${group.name}`, group.displayName),
    })),
    inputs: task.inputs.map((input) => ({
      ...input,
      label: replace(`loc.input.label.${input.name}`, input.label),
      helpMarkDown: replace(`loc.input.help.${input.name}`, input.helpMarkDown),
    })),
    messages: Object.fromEntries(
      Object.entries(task.messages).map(([key, text]) => [key, replace(`loc.messages.${key}`, text)]),
    ),
  };
}

/** The texts of a task by their keys. */
export function stringsOf(task) {
  const strings = {};
  withTexts(task, (key, text) => {
    strings[key] = text;
    return text;
  });
  return strings;
}

/** The task with a reference to a text in the place of each. Azure DevOps reads it where a language is not English. */
export function localized(task) {
  return withTexts(task, (key) => `ms-resource:${key}`);
}

const asText = (value) => `${JSON.stringify(value, null, 2)}\n`;
const readTask = (folder) => JSON.parse(readFileSync(join(folder, "task.json"), "utf8"));

/** Writes the English texts of the task in a folder, and returns the file's path. */
export function writeStrings(folder) {
  const path = join(folder, "Strings/resources.resjson/en-US/resources.resjson");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, asText(stringsOf(readTask(folder))));
  return path;
}

/** Writes task.loc.json beside the task.json of a folder. */
export function writeLocalized(folder) {
  writeFileSync(join(folder, "task.loc.json"), asText(localized(readTask(folder))));
}

if (isEntry(import.meta)) {
  await main(async () => console.log(`Wrote ${writeStrings(join(root, "task"))}`));
}
