/** One run, from the inputs to its ending. */
import type { AgentContext, AwsContext, Ending, Loaded, TaskEvent, TaskInputs } from "./addon.ts";
import { command, neutraliseToLine, type WriteLine } from "./command.ts";
import type { FalconConnection } from "./falcon.ts";
import { internalFailure } from "./finish.ts";
import type { History } from "./history.ts";
import { clock, Renderer } from "./render.ts";
import type { Masks } from "./secrets.ts";

/** The input of a run, and the ways in which it reports. */
export interface Surroundings {
  inputs: TaskInputs;
  /** Names of inputs that the step sets and that the task does not have. */
  others: readonly string[];
  aws: AwsContext;
  /** The connection of `falconConnection`, if the job has it. */
  falcon: FalconConnection | undefined;
  agent: AgentContext;
  /** Lines for the log about decisions made before the run. */
  notes: readonly string[];
  masks: Masks;
  /** Keeps the events that the summary needs. */
  history: History;
  write: WriteLine;
  /** Cancels the run when aborted. */
  stop: AbortSignal;
}

/** Runs the task and logs its events. An unexpected error ends it as a failure like any other. */
export async function runTask(loaded: Loaded, surroundings: Surroundings): Promise<Ending> {
  const { inputs, others, aws, falcon, agent, notes, masks, history, write, stop } = surroundings;
  if ("failure" in loaded) return { type: "failed", failure: loaded.failure };
  const { addon } = loaded;
  write(opening(addon.version(), inputs));
  for (const note of notes) write(neutraliseToLine(note));
  const renderer = new Renderer(write, masks, clock);
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
    const run = new addon.PatchRun(inputs, [...others], aws, falcon, agent, onEvent);
    stop.addEventListener("abort", () => run.cancel());
    // The listener misses a signal that came earlier.
    if (stop.aborted) run.cancel();
    const ending = await run.run();
    // The work itself is done, however incomplete the log is.
    if (mistake !== undefined)
      write(command("task.logissue", { type: "warning", code: "TASK_INTERNAL" }, incompleteLog(mistake)));
    return ending;
  } catch (error) {
    return { type: "failed", failure: internalFailure(error) };
  } finally {
    renderer.close();
  }
}

/** First line of the log: version, action and images. */
function opening(version: string, inputs: TaskInputs): string {
  const text = (input: string): string => inputs[input] || `(no ${input})`;
  const isCrowdStrikes = inputs.sensorSource === "crowdstrike";
  const sensor = isCrowdStrikes ? `${text("sensorVersion")} of CrowdStrike` : text("sensorImage");
  const subjects: Record<string, string> = {
    verify: text("targetImage"),
    deploy: `${text("targetImage")} → ${text("ecsService")} of ${text("ecsCluster")}`,
    patch: `${text("sourceImage")} → ${text("targetImage")}, sensor ${sensor}`,
  };
  const isDeployment = inputs.action === "plan" && inputs.ecsService;
  const subject = isDeployment ? subjects.deploy : (subjects[inputs.action ?? ""] ?? subjects.patch);
  return neutraliseToLine(`FalconArm64Patch ${version}: ${inputs.action || "patch"} ${subject}`);
}

function incompleteLog(error: unknown): string {
  return `The log of this step is incomplete, because of a bug of the task: ${neutraliseToLine(String(error))}`;
}
