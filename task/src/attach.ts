/** Attaches a summary to the run's page. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { command, type WriteLine } from "./command.ts";

/**
 * Writes the summary and attaches it. It gets a folder of its own, so that steps of one job can have the same
 * title. The agent uploads it after the step and empties its temporary folder after the job.
 *
 * A task cannot find out whether its commands are restricted. An agent that refuses logs a warning. That does not change
 * the result of the step, and neither does a file that cannot be written.
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
