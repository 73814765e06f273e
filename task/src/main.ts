/** The entry of the task. */
import { currentPlatform, loadAddon } from "./addon.ts";
import { agentContext } from "./agent.ts";
import { attachSummary } from "./attach.ts";
import { takeAwsContext } from "./aws.ts";
import { watchSignals } from "./cancel.ts";
import { writeToStdout } from "./command.ts";
import { takeFalconConnection } from "./falcon.ts";
import { finish, unexpectedFailure } from "./finish.ts";
import { History } from "./history.ts";
import { inert } from "./markdown.ts";
import { prepareNetwork } from "./network.ts";
import { otherInputs } from "./other-inputs.ts";
import { runTask } from "./run.ts";
import { Masks, takeSecrets } from "./secrets.ts";
import { summary, summaryName } from "./summary.ts";

const write = writeToStdout;
const masks = new Masks(write);
const secrets = takeSecrets(process.env, masks);
const aws = takeAwsContext(process.env, masks);
const falcon = takeFalconConnection(process.env, masks);
const others = otherInputs(process.env);
const notes = prepareNetwork(process.env, masks);
const stop = watchSignals(process, { write, exit: endProcess });

async function main(): Promise<void> {
  // Only now: loading the task library prints, and it must not find the secret inputs.
  const { readInputs } = await import("./inputs.ts");
  const { translation } = await import("./translation.ts");
  const inputs = readInputs(secrets);
  const agent = agentContext(process.env);
  const addon = loadAddon(__dirname, currentPlatform(), translation(__dirname));
  const history = new History();
  const context = { inputs, others, aws, falcon, agent };
  const ending = await runTask(addon, { ...context, notes, masks, history, write, stop });
  const milliseconds = performance.now();
  const text = stop.aborted ? undefined : summary(ending, history, milliseconds);
  if (text !== undefined)
    attachSummary(
      masks.hide(text, inert),
      masks.hide(summaryName(inputs.targetImage ?? "")),
      agent.tempDirectory,
      write,
    );
  finish(ending, { write, milliseconds, stopped: stop.aborted });
}

/** The exit code reports only that the process worked; `task.complete` has reported the result. */
function endProcess(): void {
  process.stdout.write("", () => process.exit(0));
}

main()
  .catch((error: unknown) => {
    const ending = { type: "failed", failure: unexpectedFailure(error) } as const;
    finish(ending, { write, milliseconds: performance.now(), stopped: stop.aborted });
  })
  .finally(endProcess);
