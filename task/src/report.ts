/** An ending, as lines of the log. */
import type { Ending, Failure } from "./addon.ts";
import { neutraliseToLine } from "./command.ts";
import { endingRows, headline, type Success } from "./ending-rows.ts";
import { explanation } from "./explanation.ts";
import { planLines } from "./plan-log.ts";

/** The block at the end of a run. The one issue of a failure is not part of it. */
export function reportLines(ending: Ending, milliseconds: number): string[] {
  switch (ending.type) {
    case "done": {
      const { effects, cleanup } = ending.outcome;
      return [title(ending), ...facts(ending, milliseconds), ...changes("Changed", effects, cleanup)];
    }
    case "planned":
    case "deploymentPlanned":
      return [
        title(ending),
        ...planLines(ending.stages),
        ...facts(ending, milliseconds),
        "Nothing was changed",
      ];
    case "deployed": {
      const { effects, cleanup } = ending.deployment;
      return [title(ending), ...facts(ending, milliseconds), ...changes("Changed", effects, cleanup)];
    }
    case "verified":
      return [title(ending), ...facts(ending, milliseconds)];
    case "failed":
      return failureLines(ending.failure);
    case "cancelled":
      return ["Cancelled", ...changes("Already done", ending.effects, ending.cleanup)];
    default:
      return ending satisfies never;
  }
}

function title(ending: Success): string {
  return `##[section]${neutraliseToLine(headline(ending))}`;
}

function facts(ending: Success, milliseconds: number): string[] {
  const rows = endingRows(ending, milliseconds);
  const width = Math.max(...rows.map(({ name }) => name.length)) + 2;
  return rows.map(({ name, value, digest }) => {
    const text = digest === undefined ? value : `${value} (${digest})`;
    return `  ${name.padEnd(width)}${neutraliseToLine(text)}`;
  });
}

function failureLines({ code, kind, why, hint, effects, cleanup, step }: Failure): string[] {
  // Several inputs can be wrong at once, each by itself; elsewhere one thing caused the next.
  const isList = kind === "input" && why.length > 1;
  return [
    ...why.map((cause, index) => `  ${isList ? `${index + 1}.` : "Caused by:"} ${neutraliseToLine(cause)}`),
    ...(step === undefined ? [] : [`  step: ${neutraliseToLine(step)}`]),
    ...(hint === undefined ? [] : [`  hint: ${neutraliseToLine(hint)}`]),
    ...changes("Already done", effects, cleanup),
    `More: ${explanation(neutraliseToLine(code))}`,
  ];
}

function changes(label: string, effects: string[], cleanup: string[]): string[] {
  return [
    ...(effects.length > 0 ? [`${label}:`] : []),
    ...effects.map((effect) => `  ${neutraliseToLine(effect)}`),
    ...cleanup.map((left) => `Could not be cleaned up: ${neutraliseToLine(left)}`),
  ];
}
