/** A plan as lines of the log: a list at first, and after a probe only the difference. */
import type { PlannedStage } from "./addon.ts";
import { neutraliseToLine } from "./command.ts";

/** One line per step. Steps that run side by side share a number; a branch stands below its condition. */
export function planLines(stages: PlannedStage[]): string[] {
  return stages.flatMap(({ steps, onlyIf }, index) => {
    const isNew = onlyIf !== undefined && onlyIf !== stages[index - 1]?.onlyIf;
    const margin = onlyIf === undefined ? "  " : "    ";
    const number = `${index + 1}. `;
    return [
      ...(isNew ? [`  If ${neutraliseToLine(onlyIf)}:`] : []),
      ...steps.map((step, place) => {
        const before = place === 0 ? number : " ".repeat(number.length);
        return `${margin}${before}${neutraliseToLine(step)}`;
      }),
    ];
  });
}

/** The plans of one run, each logged as far as it is news. */
export class PlanLog {
  /** Every step that a plan has named, with its condition. */
  readonly #named = new Map<string, string | undefined>();
  readonly #started = new Set<string>();

  /** Keeps in mind that a step began. */
  start(title: string): void {
    this.#started.add(title);
  }

  /** The lines for a new plan. */
  lines(stages: PlannedStage[]): string[] {
    const lines = this.#named.size === 0 ? ["Plan:", ...planLines(stages)] : this.#difference(stages);
    for (const { steps, onlyIf } of stages) for (const step of steps) this.#named.set(step, onlyIf);
    return lines;
  }

  /** The steps that a probe has chosen, added or made needless. */
  #difference(stages: PlannedStage[]): string[] {
    const steps = stages.flatMap((stage) => stage.steps.map((title) => ({ title, onlyIf: stage.onlyIf })));
    const chosen = steps.filter(({ title, onlyIf }) => onlyIf === undefined && this.#named.get(title));
    const added = steps.filter(({ title }) => !this.#named.has(title));
    const titles = new Set(steps.map(({ title }) => title));
    const isOpen = (title: string): boolean => !titles.has(title) && !this.#started.has(title);
    const dropped = [...this.#named].filter(([title, onlyIf]) => onlyIf === undefined && isOpen(title));
    // A step that is left out now may come back with a later plan, and counts as new then.
    for (const [title] of dropped) this.#named.delete(title);
    const line = (word: string, title: string, onlyIf?: string): string =>
      `${word}: ${neutraliseToLine(title)}${onlyIf === undefined ? "" : ` (if ${neutraliseToLine(onlyIf)})`}`;
    return [
      ...chosen.map(({ title }) => line("Chosen", title)),
      ...added.map(({ title, onlyIf }) => line("Added to the plan", title, onlyIf)),
      ...dropped.map(([title]) => line("Left out of the plan", title)),
    ];
  }
}
