/**
 * Signals, by which the agent stops the step.
 *
 * It sends SIGINT to this process alone, SIGTERM 7.5 s later, and kills it after another 2.5 s. It also sets the result
 * itself, so the step only has to clean up and end with exit code 0.
 */
import type { WriteLine } from "./command.ts";

/** The core limits its cleanup to 5 s; this limit is for a core that does not return at all. */
const patience = 6000;

/** Reactions to a signal; `process` has both. */
export interface Reactions {
  write: WriteLine;
  /** Ends the process at once. */
  exit: () => void;
}

type SignalSource = Pick<NodeJS.EventEmitter, "on">;

/**
 * Aborts the returned signal on the first SIGINT or SIGTERM. Ends the process on the second, or when the cleanup takes
 * too long.
 */
export function watchSignals(source: SignalSource, { write, exit }: Reactions): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) {
      exit();
      return;
    }
    write("The agent stopped this step; cleaning up");
    setTimeout(() => {
      write("The cleanup takes too long; the post-job step or the next run removes the rest");
      exit();
    }, patience).unref();
    controller.abort();
  };
  source.on("SIGINT", stop);
  source.on("SIGTERM", stop);
  return controller.signal;
}
