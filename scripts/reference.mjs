// `npm run reference` writes the tables of docs/reference.md from task/task.json.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceBlock } from "./blocks.mjs";
import { isEntry, main, readJson, root } from "./tools.mjs";

const path = join(root, "docs/reference.md");
const actions = ["patch", "plan", "verify", "deploy"];

/** True if a rule of the form can hold with an action. A term about another input can, where that input is used. */
function allows(rule, action, task) {
  if (!rule) return true;
  const holds = (term) => {
    const [, name, operator, value] = /^\s*(\w+)\s*(==|!=|=)\s*(.*?)\s*$/.exec(term);
    if (name === "action") return (action === value) === (operator !== "!=");
    return isUsed(
      task.inputs.find((input) => input.name === name),
      action,
      task,
    );
  };
  return rule.includes("||") ? rule.split("||").some(holds) : rule.split("&&").every(holds);
}

function isUsed(input, action, task) {
  const group = task.groups.find(({ name }) => name === input.groupName);
  return allows(group?.visibleRule, action, task) && allows(input.visibleRule, action, task);
}

function actionsOf(input, task) {
  const used = actions.filter((action) => isUsed(input, action, task));
  return used.length === actions.length ? "all" : used.map((action) => `\`${action}\``).join(", ");
}

function defaultOf({ defaultValue, required }) {
  if (required) return "required";
  return defaultValue ? `\`${defaultValue}\`` : "none";
}

/** The help of the form, with the values that it does not mention, and the other names of the input. */
function meaningOf({ helpMarkDown, options = {}, properties = {}, aliases = [] }) {
  const values = Object.keys(options).map((value) => `\`${value}\``);
  const isEditable = properties.EditableOptions === "True";
  const lists = values.some((value) => !helpMarkDown.includes(value));
  return [
    helpMarkDown,
    ...(lists ? [`Values: ${values.join(", ")}${isEditable ? ", or another text" : ""}.`] : []),
    ...aliases.map((alias) => `Alias: \`${alias}\`.`),
  ].join(" ");
}

function table(head, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** The inputs as a table for each group of the form, in its order. */
function inputs(task) {
  const first = { name: undefined, displayName: "Action" };
  return [first, ...task.groups]
    .map((group) => {
      const members = task.inputs.filter(({ groupName }) => groupName === group.name);
      const rows = members.map((input) => [
        `\`${input.name}\``,
        defaultOf(input),
        actionsOf(input, task),
        meaningOf(input),
      ]);
      return `### ${group.displayName}\n\n${table(["input", "default", "used by", "meaning"], rows)}`;
    })
    .join("\n\n");
}

function outputs(task) {
  const rows = task.outputVariables.map(({ name, description }) => [`\`${name}\``, description]);
  return table(["output", "meaning"], rows);
}

/** The text of the page with its tables as `task` has them. */
export function withTables(document, task) {
  const blocks = { "task.json: inputs": inputs(task), "task.json: outputs": outputs(task) };
  return Object.entries(blocks).reduce((text, [name, block]) => replaceBlock(text, name, block), document);
}

if (isEntry(import.meta)) {
  await main(async () => {
    writeFileSync(path, withTables(readFileSync(path, "utf8"), readJson("task/task.json")));
    console.log(`Wrote ${path}`);
  });
}
