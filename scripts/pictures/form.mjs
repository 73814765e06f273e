// The form of the task beside the step that it writes, drawn from task.json with its groups and visibility rules.
import { Form } from "../../tests/package/form.mjs";
import { readJson } from "../tools.mjs";
import { html } from "./html.mjs";

const task = readJson("task/task.json");

/** The values that the picture shows; every other field has its default. */
const given = {
  sourceImage: "app/web:1.4.2",
  targetImage: "app/web:1.4.2-falcon",
  sensorImage: "containersensor:7.39.0-7802",
  falconSecrets: "connection",
  falconConnection: "falcon",
  awsConnection: "production-aws",
  awsRegion: "eu-west-1",
};
const form = new Form(task, given);

/** The step as the form writes it into the pipeline: what differs from the defaults, in the order of the form. */
export function stepAsYaml() {
  const names = form.groups().flatMap(({ fields }) => fields.map(({ name }) => name));
  return [
    yamlLine(0, "- task", `${task.name}@${task.version.Major}`),
    yamlLine(2, "name", "falcon"),
    yamlLine(2, "inputs", ""),
    ...names.filter((name) => name in given).map((name) => yamlLine(4, name, given[name])),
    yamlLine(0, "- script", "deploy --image $(falcon.imageReference)"),
  ];
}

function yamlLine(indent, name, value) {
  return html`${" ".repeat(indent)}<b>${name}:</b> <u>${value}</u>\n`;
}

/** The panel with the form: fields without a group first, then each group, folded or not. */
export function formPanel() {
  const [{ fields }, ...groups] = form.groups();
  return html`<section class="panel"><header>${task.friendlyName}</header>
    <div class="fields">${fields.map(field)}
    ${groups.map(
      ({ group, fields: its }) =>
        html`<fieldset class="${group.isExpanded ? "open" : ""}"><legend>${group.displayName}</legend>
          ${group.isExpanded ? its.map(field) : []}</fieldset>`,
    )}</div></section>`;
}

function field({ name, label, type, required, options }) {
  const value = form.value(name);
  if (type === "boolean")
    return html`<label class="check"><i class="${value === "true" ? "on" : ""}"></i>${label}<s></s></label>`;
  const isList = options !== undefined || type.startsWith("connectedService");
  return html`<label>${label}${required ? html`<em>*</em>` : ""}<s></s>
    <span class="box ${isList ? "list" : ""}">${options?.[value] ?? value}</span></label>`;
}
