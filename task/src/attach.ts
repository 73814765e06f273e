/** Has the agent show a summary on the run's page. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, type WriteLine } from "./command.ts";

/**
 * Writes the summary and attaches it. The folder is its own, so that steps of one job can have the same title; the
 * agent uploads it after the step and empties its temporary folder after the job.
 *
 * Nothing tells a task whether its commands are restricted. An agent that refuses says so in a warning; the result of
 * the step stays what it is, as it does where the file cannot be written.
 */
export function attachSummary(text: string, name: string, directory: string, write: WriteLine): void {
  try {
    const path = join(mkdtempSync(join(directory, "falcon-summary-")), name);
    writeFileSync(path, text, { mode: 0o600 });
    write(command("task.uploadsummary", {}, path));
  } catch (error) {
    write(command("task.debug", {}, `The summary could not be written: ${String(error)}`));
  }
}
