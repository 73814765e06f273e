/** The Markdown on the run's page: what came of the step, for people who do not read its log. */
import type { Ending, Failure, ImageRecord, Outcome, PlannedStage, VerifiedImage } from "./addon.ts";
import { duration, megabytes } from "./format.ts";
import type { History } from "./history.ts";
import { literal, sentence, table } from "./markdown.ts";

type Row = [name: string, value: string | undefined];

/** The summary, or nothing for a step that was cancelled: who did that knows. */
export function summary(ending: Ending, history: History): string | undefined {
  const lines = body(ending, history);
  return lines && `${lines.join("\n")}\n`;
}

/**
 * The file's name, which the run's page shows without its ending as the title of the section.
 *
 * `name` is the target as typed, of which the registry is left out.
 */
export function summaryName(name: string): string {
  const short = name.slice(name.search(/[.:][^/]*\//) < 0 ? 0 : name.indexOf("/") + 1);
  const safe = short.replaceAll(/[^\w.-]+/g, " ").trim();
  return `${`Falcon ARM64 patch ${safe}`.slice(0, 100).trim()}.md`;
}

function body(ending: Ending, history: History): string[] | undefined {
  switch (ending.type) {
    case "done":
      return [
        ...(ending.outcome.changed
          ? ["**Patched and pushed**"]
          : ["**Nothing to patch: the target is up to date**"]),
        ...facts(outcomeRows(ending.outcome)),
        ...next(ending.outcome),
        ...list("Changed", ending.outcome.effects),
        ...list("Could not be cleaned up", ending.outcome.cleanup),
        ...story(history),
      ];
    case "planned":
      return [
        ending.outcome.changed
          ? "**Plan: this is what patching would do.** Nothing was changed"
          : "**Plan: patching would change nothing**",
        ...facts(outcomeRows(ending.outcome)),
        ...list("Steps", ending.stages.map(stage)),
        ...story(history),
      ];
    case "verified":
      return ["**Verified: the image is patched**", ...facts(verifiedRows(ending.image)), ...story(history)];
    case "failed":
      return [...failed(ending.failure), ...story(history)];
    case "cancelled":
      return undefined;
    default:
      return ending satisfies never;
  }
}

function outcomeRows(outcome: Outcome): Row[] {
  const { sourceBytes, targetBytes } = outcome;
  return [
    ["Image", outcome.imageReference],
    ["Tag", outcome.imageTag],
    ["Source", outcome.sourceReference],
    ["Source digest", outcome.sourceDigest],
    ["Sensor", outcome.sensorReference],
    ["Sensor digest", outcome.sensorDigest],
    ["Sensor version", outcome.sensorVersion],
    ["Size before", sourceBytes === undefined ? undefined : megabytes(sourceBytes)],
    ["Size after", targetBytes === undefined ? undefined : megabytes(targetBytes)],
    ["ECS task definition", outcome.taskDefinitionPath],
    ["Registered as", outcome.taskDefinitionArn],
  ];
}

function verifiedRows(image: VerifiedImage): Row[] {
  return [
    ["Image", image.imageReference],
    ["Tag", image.imageTag],
    ["Sensor version", image.sensorVersion],
    ["Entrypoint", image.entrypoint.join(" ")],
    ["Source", image.sourceReference],
    ["Source digest", image.sourceDigest],
    ...(image.record === undefined ? [] : recordRows(image.record)),
    ["Size", megabytes(image.bytes)],
  ];
}

function recordRows(record: ImageRecord): Row[] {
  return [
    ["Recorded source", record.sourceReference],
    ["Recorded source digest", record.sourceDigest],
    ["Recorded sensor", record.sensorReference],
    ["Recorded sensor digest", record.sensorDigest],
    ["Recorded by", record.runUrl],
    ["Recorded at", record.finished],
  ];
}

/** What to do with the image, unless it has been done. */
function next({ imageReference, taskDefinitionPath, taskDefinitionArn }: Outcome): string[] {
  if (taskDefinitionArn) return ["", `Next: update the ECS service to ${literal(taskDefinitionArn)}`];
  if (taskDefinitionPath) return ["", `Next: register ${literal(taskDefinitionPath)} with ECS`];
  if (!imageReference) return [];
  return ["", `Next: set the image of the ECS task definition to ${literal(imageReference)}`];
}

function failed({ code, what, why, hint, step, effects, cleanup }: Failure): string[] {
  return [
    `**Failed: ${sentence(what)}** (${literal(code)})`,
    ...list("Why", why),
    ...(hint === undefined ? [] : ["", `What to do: ${sentence(hint)}`]),
    ...(step === undefined ? [] : ["", `Step: ${sentence(step)}`]),
    ...list("Already done", effects),
    ...list("Could not be cleaned up", cleanup),
  ];
}

/** What holds for every ending: the warnings, the reasons, and the time per step. */
function story(history: History): string[] {
  const steps = history.ended.map(({ title, succeeded, milliseconds }) => [
    sentence(title),
    succeeded ? duration(milliseconds) : `failed after ${duration(milliseconds)}`,
  ]);
  const skipped = history.skipped().map(({ title, unless }) => `${title}: only if ${unless}`);
  return [
    ...list("Warnings", history.warnings),
    ...list("Found, which decides what is done", history.found),
    ...list("Skipped", skipped),
    ...(steps.length === 0 ? [] : ["", ...table(["Step", "Time"], steps)]),
  ];
}

function facts(rows: Row[]): string[] {
  const told = rows.flatMap(([name, value]) => (value ? [[name, literal(value)]] : []));
  return ["", ...table(["What", "Value"], told)];
}

function list(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : ["", `**${title}**`, "", ...items.map((item) => `- ${sentence(item)}`)];
}

function stage({ steps, branch }: PlannedStage): string {
  const together = steps.join(" + ");
  return branch === undefined ? together : `${together} (if ${branch})`;
}
