/**
 * What happens when the agent stops the step.
 *
 * It sends SIGINT to this process alone, SIGTERM 7.5 s later, and kills it after another 2.5 s. It also sets the result
 * itself, so the step only has to clean up and end with exit code 0.
 */

/** The core gives cleaning up 5 s; this is for the case that it does not come back at all. */
const patience = 6000;

/** What is done about signals; `process` has all of it. */
export interface Cancellation {
  /** Asks the run to stop. */
  cancel: () => void;
  /** Says a line in the log. */
  say: (line: string) => void;
  /** Ends the process at once. */
  exit: () => void;
}

/** Tells whether the agent has asked the step to stop. */
export interface Watch {
  readonly stopped: boolean;
}

type SignalSource = Pick<NodeJS.EventEmitter, "on">;

/** Cancels the run on the first SIGINT or SIGTERM, and ends the process on the second, or when cleaning up takes too long. */
export function watchSignals(source: SignalSource, { cancel, say, exit }: Cancellation): Watch {
  const watch = { stopped: false };
  const stop = (): void => {
    if (watch.stopped) {
      exit();
      return;
    }
    watch.stopped = true;
    say("The agent stops this step; cleaning up");
    setTimeout(() => {
      say("Cleaning up takes too long; what is left goes in the post-job step or with the next run");
      exit();
    }, patience).unref();
    cancel();
  };
  source.on("SIGINT", stop);
  source.on("SIGTERM", stop);
  return watch;
}
