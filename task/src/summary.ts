/** An ending, as Markdown for the run's page, for people who do not read the log. */
import type { Ending, Failure, Outcome, PlannedStage } from "./addon.ts";
import { endingRows, headline, type Success } from "./ending-rows.ts";
import { explanationLink } from "./explanation.ts";
import { duration } from "./format.ts";
import type { History } from "./history.ts";
import { literal, sentence, table } from "./markdown.ts";

/** The summary; none for a cancelled step, which surprises no one. */
export function summary(ending: Ending, history: History, milliseconds: number): string | undefined {
  const lines = body(ending, milliseconds);
  return lines && `${[...lines, ...story(history)].join("\n")}\n`;
}

/**
 * Name of the file, which the run's page shows without its extension as the section's title.
 *
 * `target` is the image as typed; its registry is left out.
 */
export function summaryName(target: string): string {
  const first = target.slice(0, Math.max(target.indexOf("/"), 0));
  // As in every reference, a first part with a dot or a port is a registry.
  const short = /[.:]/.test(first) ? target.slice(first.length + 1) : target;
  const safe = short.replaceAll(/[^\w.-]+/g, " ").trim();
  return `${`Falcon ARM64 patch ${safe}`.slice(0, 100).trim()}.md`;
}

function body(ending: Ending, milliseconds: number): string[] | undefined {
  switch (ending.type) {
    case "done": {
      const { outcome } = ending;
      return [
        `**${headline(ending)}**`,
        ...facts(ending, milliseconds),
        ...next(outcome),
        ...list("Changed", outcome.effects),
        ...list("Could not be cleaned up", outcome.cleanup),
      ];
    }
    case "deployed": {
      const { effects, cleanup } = ending.deployment;
      return [
        `**${sentence(headline(ending))}**`,
        ...facts(ending, milliseconds),
        ...list("Changed", effects),
        ...list("Could not be cleaned up", cleanup),
      ];
    }
    case "planned":
    case "deploymentPlanned":
      return [
        `**${sentence(headline(ending))}**`,
        ...facts(ending, milliseconds),
        ...list("Steps", ending.stages.flatMap(steps)),
        "",
        "Nothing was changed",
      ];
    case "verified":
      return [`**${headline(ending)}**`, ...facts(ending, milliseconds)];
    case "failed":
      return failed(ending.failure);
    case "cancelled":
      return undefined;
    default:
      return ending satisfies never;
  }
}

function facts(ending: Success, milliseconds: number): string[] {
  const rows = endingRows(ending, milliseconds).flatMap(({ name, value, digest }) => [
    [name, literal(value)],
    ...(digest === undefined ? [] : [[`${name} digest`, literal(digest)]]),
  ]);
  return ["", ...table(["Fact", "Value"], rows)];
}

/** The next thing to do with the image. */
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
    "",
    `More: ${explanationLink(code)}`,
  ];
}

/** The part that every ending has: warnings, findings, skipped steps, and the time of each step. */
function story(history: History): string[] {
  const steps = history.ended.map(({ title, succeeded, milliseconds }) => [
    sentence(title),
    succeeded ? duration(milliseconds) : `failed after ${duration(milliseconds)}`,
  ]);
  const skipped = history.skipped().map(({ title, unless }) => `${title}: only if ${unless}`);
  return [
    ...list("Warnings", history.warnings),
    ...list("Findings", history.findings),
    ...list("Skipped", skipped),
    ...(steps.length === 0 ? [] : ["", ...table(["Step", "Time"], steps)]),
  ];
}

function list(title: string, items: string[]): string[] {
  return items.length === 0 ? [] : ["", `**${title}**`, "", ...items.map((item) => `- ${sentence(item)}`)];
}

function steps({ steps, onlyIf }: PlannedStage): string[] {
  return steps.map((step) => (onlyIf === undefined ? step : `${step} (if ${onlyIf})`));
}
