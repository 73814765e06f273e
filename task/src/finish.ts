/** The end of the step: the only place that sets its result. */
import { dirname } from "node:path";
import type { Ending, Failure, Outcome, ServiceDeployment, VerifiedImage } from "./addon.ts";
import { command, neutraliseToLine, type WriteLine } from "./command.ts";
import { reportLines } from "./report.ts";

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
    deploymentId: "",
  };
}

/** The output variables of a verification. Plain variables are not set: later steps have no new image to use. */
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
    deploymentId: "",
  };
}

/** The output variables of a deployment. Plain variables are not set: the image is not a new one. */
export function deploymentVariables(deployment: ServiceDeployment): Record<string, string> {
  return {
    ...verifiedVariables(deployment.image),
    changed: String(deployment.changed),
    taskDefinitionPath: deployment.taskDefinitionPath ?? "",
    taskDefinitionArn: deployment.taskDefinitionArn ?? "",
    deploymentId: deployment.deploymentId ?? "",
  };
}

/**
 * Plain variables of the job: the images under the names of the pipeline that this task replaces. A builder is set where
 * buildx looks for it.
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

/** Everything about the step that {@link finish} needs, apart from its ending. */
export interface Finish {
  write: WriteLine;
  /** Time that the step took. */
  milliseconds: number;
  /** True if the agent stopped the step: it then sets the result itself. */
  stopped: boolean;
}

/** Logs the ending, sets the variables, and reports the result to the agent. */
export function finish(ending: Ending, { write, milliseconds, stopped }: Finish): void {
  if (ending.type === "failed") writeIssue(write, "error", ending.failure.code, ending.failure.what);
  for (const line of reportLines(ending, milliseconds)) write(line);
  setVariables(ending, write);
  const result = resultOf(ending);
  if (result === "SucceededWithIssues")
    writeIssue(write, "warning", "TASK_LEFTOVERS", "Something could not be cleaned up; the log names it");
  if (result !== undefined && !stopped) write(command("task.complete", { result }));
}

/** Errors of a folder that cannot be written to. */
const unwritable = ["EACCES", "EDQUOT", "ENOSPC", "EPERM", "EROFS"];

/**
 * A failure for an unexpected error: a bug of this task, or a folder of the agent that cannot be written to. The task
 * library writes a key into the temporary folder as soon as it is loaded.
 */
export function unexpectedFailure(error: unknown): Failure {
  const { code = "", path } = (error ?? {}) as NodeJS.ErrnoException;
  if (!(error instanceof Error && typeof path === "string" && unwritable.includes(code)))
    return internalFailure(error);
  return {
    code: "TASK_FOLDER_NOT_WRITABLE",
    kind: "environment",
    what: `Cannot write to \`${dirname(path)}\``,
    why: [error.message],
    hint: "Let the agent's user own and write to the agent's temporary folder, and let its disk have space",
    effects: [],
    cleanup: [],
  };
}

/** A failure for a bug of this task. */
export function internalFailure(error: unknown): Failure {
  return {
    code: "TASK_INTERNAL",
    kind: "bug",
    what: `The task has a bug: ${error instanceof Error ? error.message : String(error)}`,
    why: error instanceof Error ? [...causes(error), ...calls(error)] : [],
    hint: "Please report it with this log; a run with the variable `System.Debug` set to `true` shows more",
    effects: [],
    cleanup: [],
  };
}

/** Messages of an error's causes, outermost first. */
function causes({ cause }: Error): string[] {
  return cause instanceof Error ? [cause.message, ...causes(cause)] : [];
}

/** The innermost calls that led to an error. */
function calls({ stack = "" }: Error): string[] {
  const lines = stack.split("\n").map((line) => line.trim());
  return lines.filter((line) => line.startsWith("at ")).slice(0, 5);
}

/** The result in the agent's terms; none for a cancelled step, whose result the agent sets. */
function resultOf(ending: Ending): string | undefined {
  switch (ending.type) {
    case "done":
    case "planned":
      return ending.outcome.cleanup.length === 0 ? "Succeeded" : "SucceededWithIssues";
    case "deployed":
    case "deploymentPlanned":
      return ending.deployment.cleanup.length === 0 ? "Succeeded" : "SucceededWithIssues";
    case "verified":
      return "Succeeded";
    case "failed":
      return "Failed";
    case "cancelled":
      return undefined;
    default:
      return ending satisfies never;
  }
}

function writeIssue(write: WriteLine, type: "error" | "warning", code: string, text: string): void {
  write(command("task.logissue", { type, code }, `${neutraliseToLine(text)} [${code}]`));
}

function setVariables(ending: Ending, write: WriteLine): void {
  const set = (variables: Record<string, string>, properties: Record<string, string>): void => {
    for (const [variable, value] of Object.entries(variables))
      write(command("task.setvariable", { variable, ...properties }, neutraliseToLine(value)));
  };
  if (ending.type === "verified") set(verifiedVariables(ending.image), { isoutput: "true" });
  if (ending.type === "deployed" || ending.type === "deploymentPlanned")
    set(deploymentVariables(ending.deployment), { isoutput: "true" });
  if (ending.type === "done" || ending.type === "planned") {
    set(outputVariables(ending.outcome), { isoutput: "true" });
    set(jobVariables(ending.outcome), {});
  }
}
