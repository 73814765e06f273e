/** Facts from a run's events that its ending does not have: times of steps, findings, and skipped steps. */
import type { PlannedStage, TaskEvent } from "./addon.ts";

/** A step that has ended. */
export interface Ended {
  title: string;
  succeeded: boolean;
  milliseconds: number;
}

/** Collects the facts that the summary needs. */
export class History {
  /** In the order in which they ended. */
  readonly ended: Ended[] = [];
  /** News, and notes of the first step, which looks at everything: the reasons for skipped work. */
  readonly findings: string[] = [];
  readonly warnings: string[] = [];
  readonly #titles = new Map<number, string>();
  readonly #planned: PlannedStage[] = [];
  #first: number | undefined;

  handle(event: TaskEvent): void {
    switch (event.type) {
      case "planned":
        this.#planned.push(...event.stages);
        break;
      case "stepStarted":
        this.#first ??= event.id;
        this.#titles.set(event.id, event.title);
        break;
      case "note":
        if (event.isNews || (event.id !== undefined && event.id === this.#first))
          this.findings.push(event.message);
        break;
      case "warning":
        this.warnings.push(event.message);
        break;
      case "stepFinished":
        this.ended.push({
          title: this.#titles.get(event.id) ?? "",
          succeeded: event.status === "succeeded",
          milliseconds: event.durationMs,
        });
        break;
      default:
        break;
    }
  }

  /** Steps of a branch that was not taken, each with its condition, which did not hold. */
  skipped(): { title: string; unless: string }[] {
    const ran = new Set(this.#titles.values());
    const left = new Map<string, string>();
    for (const { steps, onlyIf } of this.#planned)
      for (const title of steps) if (onlyIf !== undefined && !ran.has(title)) left.set(title, onlyIf);
    return [...left].map(([title, unless]) => ({ title, unless }));
  }
}
