/** The work of the post-job step. */
import type { AgentContext, Loaded } from "./addon.ts";
import { command, neutraliseToLine, type WriteLine } from "./command.ts";

/** The parts of the process that a sweep uses. */
export interface Surroundings {
  agent: AgentContext;
  write: WriteLine;
}

/** Removes leftovers of the job's runs. Where the addon cannot run, the main step left none. */
export async function sweepAfterJob(loaded: Loaded, { agent, write }: Surroundings): Promise<void> {
  if ("failure" in loaded) return;
  const warn = (message: string): void => {
    write(command("task.logissue", { type: "warning", code: "TASK_LEFTOVERS" }, message));
  };
  try {
    const { removed, failed } = await loaded.addon.sweep(agent);
    for (const name of removed) write(`Removed ${neutraliseToLine(name)}`);
    for (const name of failed) write(`Could not be cleaned up: ${neutraliseToLine(name)}`);
    if (failed.length > 0)
      warn("Something could not be cleaned up after the job; the log names it [TASK_LEFTOVERS]");
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    warn(`Cleaning up after the job failed: ${neutraliseToLine(reason)} [TASK_LEFTOVERS]`);
  }
}
