/** The sentences of the shim in the language of the organisation, by the task library. */
import { join } from "node:path";
import * as task from "azure-pipelines-task-lib/task.js";
import type { Translate } from "./messages.ts";

/** Reads them from task.json and from the folder Strings beside it; `directory` has both. */
export function translation(directory: string): Translate {
  task.setResourcePath(join(directory, "task.json"));
  return (key, ...values) => task.loc(key, ...values);
}
