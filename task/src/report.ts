/** How a run ended, as lines for people. */
import type { Failure, ImageRecord, Outcome, PlannedStage, VerifiedImage } from "./addon.ts";
import { neutraliseToLine } from "./command.ts";
import { duration, megabytes } from "./format.ts";

/** The block at the end of a run that succeeded. */
export function outcomeLines(outcome: Outcome, milliseconds: number): string[] {
  const title = outcome.changed ? "Patched and pushed" : "Nothing to patch: the target is up to date";
  return [
    `##[section]${title}`,
    ...facts(outcome),
    row("Time", duration(milliseconds)),
    ...tail("Changed", outcome.effects, outcome.cleanup),
  ];
}

/** The plan, with the steps of one stage on one line and each branch under its condition. */
export function planLines(stages: PlannedStage[], outcome: Outcome, milliseconds: number): string[] {
  const title = outcome.changed
    ? "Plan: this is what patching would do"
    : "Plan: patching would change nothing";
  let branch: string | undefined;
  const steps = stages.flatMap((stage, index) => {
    const line = `${index + 1}. ${stage.steps.map(neutraliseToLine).join(" + ")}`;
    const isNew = stage.branch !== branch;
    branch = stage.branch;
    if (branch === undefined) return [`  ${line}`];
    return [...(isNew ? [`  If ${neutraliseToLine(branch)}:`] : []), `    ${line}`];
  });
  return [
    `##[section]${title}`,
    ...steps,
    ...facts(outcome),
    row("Time", duration(milliseconds)),
    "Nothing was changed",
  ];
}

/** The block at the end of a verification. */
export function verifiedLines(image: VerifiedImage, milliseconds: number): string[] {
  const { sourceReference, record } = image;
  const told: [string, string | undefined][] = [
    ["Image", image.imageReference],
    ["Tag", image.imageTag],
    ["Platform", image.fromIndex ? "linux/arm64, of an index" : "linux/arm64"],
    ["Sensor", image.sensorVersion ?? "nothing in the registry tells its version"],
    ["Entrypoint", image.entrypoint.join(" ")],
    ["Service", image.cloudService],
    ["Container", image.containerName],
    ["Source", sourceReference && withDigest(sourceReference, image.sourceDigest)],
    ...(record === undefined ? [] : recordRows(record)),
    ["Size", megabytes(image.bytes)],
    ["Time", duration(milliseconds)],
  ];
  return [
    "##[section]Verified: the image is patched",
    ...told.flatMap(([name, value]) => (value === undefined ? [] : [row(name, value, 12)])),
  ];
}

/** What the registry keeps of the image's making: the word of whoever may push there. */
function recordRows(record: ImageRecord): [string, string | undefined][] {
  const { sourceReference, sourceDigest, sensorReference, sensorDigest } = record;
  return [
    [
      "Recorded",
      [record.finished, record.runUrl].filter((text) => text !== undefined).join(", ") || undefined,
    ],
    ["  source", sourceDigest && withDigest(sourceReference ?? "", sourceDigest)],
    ["  sensor", withDigest(sensorReference ?? "", sensorDigest)],
  ];
}

/** What stands below the one issue of a failure. */
export function failureLines({ kind, why, hint, effects, cleanup, step }: Failure): string[] {
  // Several inputs can be wrong at once, each by itself; elsewhere one thing caused the next.
  const causes = why.map((cause, index) => {
    const label = kind === "input" && why.length > 1 ? `${index + 1}.` : "Caused by:";
    return `  ${label} ${neutraliseToLine(cause)}`;
  });
  const lines = [...causes];
  if (step !== undefined) lines.push(`  step: ${neutraliseToLine(step)}`);
  if (hint !== undefined) lines.push(`  hint: ${neutraliseToLine(hint)}`);
  return [...lines, ...tail("Already done", effects, cleanup)];
}

/** What a run that was stopped says before it ends. */
export function cancelledLines(effects: string[], cleanup: string[]): string[] {
  return ["Cancelled", ...tail("Already done", effects, cleanup)];
}

function tail(label: string, effects: string[], cleanup: string[]): string[] {
  const done = effects.map((effect) => `  ${neutraliseToLine(effect)}`);
  return [
    ...(done.length > 0 ? [`${label}:`, ...done] : []),
    ...cleanup.map((left) => `Could not be cleaned up: ${neutraliseToLine(left)}`),
  ];
}

function facts(outcome: Outcome): string[] {
  const { imageReference, imageTag, sourceReference, sourceDigest, sensorReference, sensorDigest } = outcome;
  const rows = [
    imageReference ? row("Image", imageReference) : undefined,
    row("Tag", imageTag),
    row("Source", withDigest(sourceReference, sourceDigest)),
    row("Sensor", withDigest(sensorReference, sensorDigest)),
    outcome.sensorVersion ? row("Version", `${outcome.sensorVersion} of the sensor`) : undefined,
    sizes(outcome),
    outcome.taskDefinitionPath ? row("ECS", outcome.taskDefinitionPath) : undefined,
    outcome.taskDefinitionArn ? row("", outcome.taskDefinitionArn) : undefined,
  ];
  return rows.filter((line) => line !== undefined);
}

function withDigest(reference: string, digest: string | undefined): string {
  return digest === undefined || digest === "" || reference.includes(digest)
    ? reference
    : `${reference} (${digest})`;
}

function sizes({ sourceBytes, targetBytes }: Outcome): string | undefined {
  if (targetBytes === undefined)
    return sourceBytes === undefined ? undefined : row("Size", megabytes(sourceBytes));
  if (sourceBytes === undefined) return row("Size", megabytes(targetBytes));
  const growth = targetBytes - sourceBytes;
  const sign = growth < 0 ? "-" : "+";
  return row(
    "Size",
    `${megabytes(sourceBytes)} → ${megabytes(targetBytes)} (${sign}${megabytes(Math.abs(growth))})`,
  );
}

function row(name: string, value: string, width = 8): string {
  return `  ${name.padEnd(width)}${neutraliseToLine(value)}`;
}
