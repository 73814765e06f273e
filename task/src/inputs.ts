/** Reads the inputs by the task library; the secret ones were taken before. */
import * as task from "azure-pipelines-task-lib/task.js";
import { inputs as definitions } from "../task.json";
import type { TaskInputs } from "./addon.ts";
import type { SecretInput } from "./secrets.ts";

type Definition = (typeof definitions)[number];

/** Inputs that only choose the fields of the form. No run reads them, so a pipeline without them means the same. */
export const formInputs: readonly string[] = ["awsSignIn", "falconSecrets"];

/** Every other input of task.json by its name, as typed. The core checks them, and names the input in every problem. */
export function readInputs(secrets: Record<SecretInput, string>): TaskInputs {
  const read = definitions.filter(({ name }) => !formInputs.includes(name));
  return Object.fromEntries(read.map((input) => [input.name, text(input, secrets)]));
}

function text({ name, type }: Definition, secrets: Readonly<Record<string, string>>): string {
  const secret = secrets[name];
  if (secret !== undefined) return secret;
  // The agent resolves a path against the repository's root, so an empty one arrives as that root.
  if (type === "filePath" && !task.filePathSupplied(name)) return "";
  return task.getInput(name) ?? "";
}
