/** The entry of the task. */
import { currentPlatform, loadAddon } from "./addon.ts";
import { agentContext } from "./agent.ts";
import { attachSummary } from "./attach.ts";
import { takeAwsContext } from "./aws.ts";
import { watchSignals } from "./cancel.ts";
import { writeToStdout } from "./command.ts";
import { finish, internalFailure } from "./finish.ts";
import { History } from "./history.ts";
import { inert } from "./markdown.ts";
import { prepareNetwork } from "./network.ts";
import { runTask } from "./run.ts";
import { Masks, takeSecrets } from "./secrets.ts";
import { summary, summaryName } from "./summary.ts";

const masks = new Masks(writeToStdout);
const secrets = takeSecrets(process.env, masks);
const aws = takeAwsContext(process.env, masks);
const notes = prepareNetwork(process.env, masks);
let cancel = (): void => undefined;
const watch = watchSignals(process, { cancel: () => cancel(), say: writeToStdout, exit: endProcess });

/** The exit code tells the agent that the machinery works; the result it was told by `task.complete`. */
function endProcess(): void {
  process.stdout.write("", () => process.exit(0));
}

async function main(): Promise<void> {
  const loaded = loadAddon(__dirname, currentPlatform());
  const write = writeToStdout;
  const agent = agentContext(process.env);
  const history = new History();
  let target = "";
  const ending = await runTask(loaded, {
    write,
    masks,
    // Only now: loading the task library prints, and it must not find the secret inputs.
    readInputs: async () => (await import("./inputs.ts")).readInputs(secrets),
    aws,
    agent,
    notes,
    history,
    onInputs: ({ targetImage }) => {
      target = targetImage;
    },
    onCancellable: (run) => {
      cancel = run;
      if (watch.stopped) run();
    },
  });
  const text = watch.stopped ? undefined : summary(ending, history);
  if (text !== undefined)
    attachSummary(masks.hide(text, inert), masks.hide(summaryName(target)), agent.tempDirectory, write);
  finish(ending, { write, milliseconds: performance.now(), stopped: watch.stopped });
}

main()
  .catch((error: unknown) => {
    const failure = internalFailure(error);
    finish(
      { type: "failed", failure },
      { write: writeToStdout, milliseconds: performance.now(), stopped: watch.stopped },
    );
  })
  .finally(endProcess);
