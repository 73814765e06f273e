/** Reads the inputs by the task library; the secret ones were taken before. */
import * as task from "azure-pipelines-task-lib/task.js";
import { inputs as definitions } from "../task.json";
import type { TaskInputs } from "./addon.ts";
import type { SecretInput } from "./secrets.ts";

type Definition = (typeof definitions)[number];

/** Every input of task.json by its name, as typed. The core checks them, and names the input in every problem. */
export function readInputs(secrets: Record<SecretInput, string>): TaskInputs {
  return Object.fromEntries(definitions.map((input) => [input.name, read(input, secrets)]));
}

function read({ name, type }: Definition, secrets: Readonly<Record<string, string>>): string {
  const secret = secrets[name];
  if (secret !== undefined) return secret;
  // The agent resolves a path against the repository's root, so an empty one arrives as that root.
  if (type === "filePath" && !task.filePathSupplied(name)) return "";
  return task.getInput(name) ?? "";
}
