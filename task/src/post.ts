/**
 * The entry of the post-job step: removes leftovers of the job's runs.
 *
 * It also runs when the main step was skipped, so it logs nothing unless there was something to remove, and it never
 * fails the job.
 */
import { currentPlatform, loadAddon } from "./addon.ts";
import { agentContext } from "./agent.ts";
import { writeToStdout } from "./command.ts";
import { forgetSecrets } from "./secrets.ts";
import { sweepAfterJob } from "./sweep.ts";

function endProcess(): void {
  process.stdout.write("", () => process.exit(0));
}

process.on("SIGINT", endProcess);
process.on("SIGTERM", endProcess);
forgetSecrets(process.env);

sweepAfterJob(loadAddon(__dirname, currentPlatform()), {
  agent: agentContext(process.env),
  write: writeToStdout,
}).finally(endProcess);
