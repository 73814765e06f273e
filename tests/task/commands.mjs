// Logging commands, read as the agent reads them: anywhere in a line, by name, with its unescaping.
import { existsSync, readFileSync } from "node:fs";
import { basename, isAbsolute } from "node:path";

/**
 * The command in a line, or undefined.
 *
 * @see https://github.com/microsoft/azure-pipelines-agent, Agent.Sdk/CommandStringConvertor and Command.TryParse
 */
export function parseCommand(line) {
  const start = line.indexOf("##vso[");
  const end = line.indexOf("]", start);
  if (start < 0 || end < 0) return undefined;
  const head = line.slice(start + "##vso[".length, end);
  const space = head.indexOf(" ");
  const name = space < 0 ? head : head.slice(0, space);
  if (!/^[^.]+\.[^.]+$/.test(name)) return undefined;
  const properties = {};
  for (const property of space < 0 ? [] : head.slice(space + 1).split(";")) {
    const equals = property.indexOf("=");
    if (equals > 0)
      properties[property.slice(0, equals).trim().toLowerCase()] = unescapeProperty(
        property.slice(equals + 1),
      );
  }
  return { name: name.toLowerCase(), properties, message: unescapeMessage(line.slice(end + 1)) };
}

function unescapeMessage(text) {
  return text.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%AZP25", "%");
}

function unescapeProperty(text) {
  return unescapeMessage(text.replaceAll("%3B", ";").replaceAll("%5D", "]"));
}

const severity = ["Succeeded", "SucceededWithIssues", "Canceled", "Failed"];

/** The agent's reading of one step's output: its log, its variables, its issues, its result. */
export class StepLog {
  /** Lines as a reader of the run sees them, debug lines included as with `System.Debug`. */
  shown = [];
  outputs = {};
  variables = {};
  errors = [];
  warnings = [];
  progress = [];
  /** Commands that the agent would refuse or not know. */
  refused = [];
  /** Summaries on the run's page, each with the title of its section and its text. */
  summaries = [];
  /** Every `task.complete`. */
  completed = [];

  /** `masks` are those of the job: a text stays masked in later steps; `restricted` is the mode of `target: commands`. */
  constructor(masks, settableVariables, { restricted = false, attached = new Set() } = {}) {
    this.masks = masks;
    this.restricted = restricted;
    this.attached = attached;
    this.settable = new Set(settableVariables.map((name) => name.toLowerCase()));
  }

  /** Reads a line of stdout or stderr. */
  take(line) {
    const command = parseCommand(line);
    if (command) this.#obey(command);
    else this.#show(line);
  }

  get text() {
    return this.shown.join("\n");
  }

  /** The result that the agent shows. */
  result(exitCode) {
    const results = this.completed.map(({ result }) => result);
    if (exitCode !== 0) results.push("Failed");
    return results.sort((a, b) => severity.indexOf(b) - severity.indexOf(a))[0] ?? "Succeeded";
  }

  #show(line) {
    this.shown.push(this.#mask(line));
  }

  #mask(text) {
    return [...this.masks]
      .sort((a, b) => b.length - a.length)
      .reduce((masked, secret) => masked.replaceAll(secret, "***"), text);
  }

  #obey(command) {
    const { name, properties, message } = command;
    switch (name) {
      case "task.setsecret":
        if (/[\r\n]/.test(message)) this.refused.push(command);
        else if (message !== "") this.masks.add(message);
        break;
      case "task.setvariable":
        this.#setVariable(command);
        break;
      case "task.logissue":
      case "task.issue":
        this.#show(`##[${properties.type}]${message}`);
        (properties.type === "error" ? this.errors : this.warnings).push({
          code: properties.code,
          message: this.#mask(message),
        });
        break;
      case "task.complete":
        this.completed.push({ result: properties.result, message });
        break;
      case "task.setprogress":
        this.progress.push(Number(properties.value));
        break;
      case "task.debug":
        this.#show(`##[debug]${message}`);
        break;
      case "task.uploadsummary":
        this.#attach(command);
        break;
      default:
        this.refused.push(command);
    }
  }

  /** The file must be there when the line is read; the agent uploads it as it is, without masking anything. */
  #attach(command) {
    const { message: path } = command;
    const warning = "##vso[task.uploadsummary] is not allowed in this step due to policy restrictions";
    this.attached.add(path);
    if (this.restricted) this.warnings.push({ message: warning });
    else if (!isAbsolute(path) || !existsSync(path)) this.refused.push(command);
    else this.summaries.push({ title: basename(path, ".md"), text: readFileSync(path, "utf8") });
  }

  #setVariable(command) {
    const { variable, isoutput } = command.properties;
    if (!this.settable.has(variable?.toLowerCase())) this.refused.push(command);
    else if (isoutput?.toLowerCase() === "true") this.outputs[variable] = command.message;
    else this.variables[variable] = command.message;
  }
}
