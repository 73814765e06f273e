/** The one place where the result of the step is set. */
import type { Ending, Failure, Outcome, VerifiedImage } from "./addon.ts";
import { command, neutraliseToLine, type WriteLine } from "./command.ts";
import { cancelledLines, failureLines, outcomeLines, planLines, verifiedLines } from "./report.ts";

/** The output variables, read by later steps as `$(step.name)`. */
export function outputVariables(outcome: Outcome): Record<string, string> {
  return {
    imageReference: outcome.imageReference ?? "",
    imageTag: outcome.imageTag,
    imageDigest: outcome.imageDigest ?? "",
    sourceDigest: outcome.sourceDigest ?? "",
    sensorDigest: outcome.sensorDigest,
    sensorVersion: outcome.sensorVersion ?? "",
    changed: String(outcome.changed),
    taskDefinitionPath: outcome.taskDefinitionPath ?? "",
    taskDefinitionArn: outcome.taskDefinitionArn ?? "",
  };
}

/**
 * The output variables of a verification. The plain variables stay what they are: nothing was made that later steps
 * could go on with.
 */
export function verifiedVariables(image: VerifiedImage): Record<string, string> {
  return {
    imageReference: image.imageReference,
    imageTag: image.imageTag ?? "",
    imageDigest: image.imageDigest,
    sourceDigest: image.sourceDigest ?? image.record?.sourceDigest ?? "",
    sensorDigest: image.record?.sensorDigest ?? "",
    sensorVersion: image.sensorVersion ?? "",
    changed: "false",
    taskDefinitionPath: "",
    taskDefinitionArn: "",
  };
}

/**
 * Plain variables of the job: the images under the names of the pipeline that this task replaces, and the builder, if
 * there is one, where buildx looks for it.
 */
export function jobVariables(outcome: Outcome): Record<string, string> {
  const { builder } = outcome;
  return {
    SOURCE_IMAGE_URI: outcome.sourceReference,
    TARGET_IMAGE_URI: outcome.imageTag,
    FALCON_ECR_IMAGE: outcome.sensorReference,
    ...(builder && { BUILDX_CONFIG: builder.folder, BUILDX_BUILDER: builder.name }),
  };
}

/** What {@link finish} needs beside the ending. */
export interface Finish {
  write: WriteLine;
  /** How long the step took. */
  milliseconds: number;
  /** Whether the agent asked the step to stop: it then sets the result itself. */
  stopped: boolean;
}

/** Reports how the run ended, sets the variables, and tells the agent the result. */
export function finish(ending: Ending, { write, milliseconds, stopped }: Finish): void {
  const print = (lines: string[]): void => {
    for (const line of lines) write(line);
  };
  const complete = (result: string, message = ""): void => {
    if (!stopped) write(command("task.complete", { result }, message));
  };
  switch (ending.type) {
    case "done":
      print(outcomeLines(ending.outcome, milliseconds));
      succeed(ending.outcome, write, complete);
      break;
    case "planned":
      print(planLines(ending.stages, ending.outcome, milliseconds));
      succeed(ending.outcome, write, complete);
      break;
    case "verified":
      print(verifiedLines(ending.image, milliseconds));
      setVariables(write, verifiedVariables(ending.image), true);
      complete("Succeeded");
      break;
    case "failed":
      fail(ending.failure, write, complete);
      break;
    case "cancelled":
      print(cancelledLines(ending.effects, ending.cleanup));
      break;
    default:
      ending satisfies never;
  }
}

/** A failure for what no one expected: a mistake of this task. */
export function internalFailure(error: unknown): Failure {
  return {
    code: "TASK_INTERNAL",
    kind: "bug",
    what: `The task has a bug: ${error instanceof Error ? error.message : String(error)}`,
    why:
      error instanceof Error && error.stack
        ? error.stack
            .split("\n")
            .slice(1, 6)
            .map((line) => line.trim())
        : [],
    hint: "Please report it with this log; a run with the variable `System.Debug` set to `true` tells more",
    effects: [],
    cleanup: [],
  };
}

type Complete = (result: string, message?: string) => void;

function succeed(outcome: Outcome, write: WriteLine, complete: Complete): void {
  setVariables(write, outputVariables(outcome), true);
  setVariables(write, jobVariables(outcome), false);
  if (outcome.cleanup.length === 0) {
    complete("Succeeded");
    return;
  }
  const left = "Something could not be cleaned up; the log names it [TASK_LEFTOVERS]";
  write(command("task.logissue", { type: "warning", code: "TASK_LEFTOVERS" }, left));
  complete("SucceededWithIssues");
}

function fail(failure: Failure, write: WriteLine, complete: Complete): void {
  const message = `${neutraliseToLine(failure.what)} [${failure.code}]`;
  write(command("task.logissue", { type: "error", code: failure.code }, message));
  for (const line of failureLines(failure)) write(line);
  complete("Failed");
}

function setVariables(write: WriteLine, variables: Record<string, string>, isoutput: boolean): void {
  for (const [variable, value] of Object.entries(variables)) {
    const properties = { variable, ...(isoutput ? { isoutput: "true" } : {}) };
    write(command("task.setvariable", properties, neutraliseToLine(value)));
  }
}
