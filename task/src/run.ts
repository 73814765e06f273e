/** One run, from the inputs to its ending. */
import type { AgentContext, AwsContext, Ending, Loaded, TaskEvent, TaskInputs } from "./addon.ts";
import { command, neutraliseToLine, type WriteLine } from "./command.ts";
import { internalFailure } from "./finish.ts";
import type { History } from "./history.ts";
import { Renderer } from "./render.ts";
import type { Masks } from "./secrets.ts";

/** What a run needs of the process it is in. */
export interface Surroundings {
  write: WriteLine;
  masks: Masks;
  readInputs: () => Promise<TaskInputs>;
  aws: AwsContext;
  agent: AgentContext;
  /** What was decided before the run, in lines for the log. */
  notes: readonly string[];
  /** Keeps what the summary tells of the events. */
  history: History;
  /** Gets the inputs once they are read. */
  onInputs: (inputs: TaskInputs) => void;
  /** Gets what cancels the run, before the run starts. */
  onCancellable: (cancel: () => void) => void;
}

/** Runs the task and shows how it goes. What no one expected comes out as a failure like any other. */
export async function runTask(loaded: Loaded, surroundings: Surroundings): Promise<Ending> {
  const { write, masks, readInputs, aws, agent, notes, history, onInputs, onCancellable } = surroundings;
  if ("failure" in loaded) return { type: "failed", failure: loaded.failure };
  const { addon } = loaded;
  const inputs = await readInputs();
  onInputs(inputs);
  write(opening(addon.version(), inputs));
  for (const note of notes) write(neutraliseToLine(note));
  const renderer = new Renderer(write, masks, () => performance.now());
  let mistake: unknown;
  // An exception in a callback would reach the task library, which sets a result of its own.
  const onEvent = (event: TaskEvent): void => {
    try {
      renderer.handle(event);
      history.handle(event);
    } catch (error) {
      mistake ??= error;
    }
  };
  try {
    const run = new addon.PatchRun(inputs, aws, agent, onEvent);
    onCancellable(() => run.cancel());
    const ending = await run.run();
    // What was done is done, whatever the log looks like.
    if (mistake !== undefined)
      write(command("task.logissue", { type: "warning", code: "TASK_INTERNAL" }, logMistake(mistake)));
    return ending;
  } catch (error) {
    return { type: "failed", failure: internalFailure(error) };
  } finally {
    renderer.close();
  }
}

/** The first line of the log: what runs, and on what. */
function opening(version: string, inputs: TaskInputs): string {
  const name = (text: string, input: string): string => (text === "" ? `(no ${input})` : text);
  const target = name(inputs.targetImage, "targetImage");
  const subject =
    inputs.action === "verify"
      ? target
      : `${name(inputs.sourceImage, "sourceImage")} → ${target}, sensor ${name(inputs.sensorImage, "sensorImage")}`;
  return neutraliseToLine(`FalconArm64Patch ${version}: ${inputs.action || "patch"} ${subject}`);
}

function logMistake(error: unknown): string {
  return `The log of this step is incomplete, because of a bug of the task: ${neutraliseToLine(String(error))}`;
}
