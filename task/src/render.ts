/**
 * Events of a run, as lines of the log.
 *
 * Groups of the log cannot nest and steps run side by side, so at most one step is live: its group is open, and its lines
 * are logged as they come. A step becomes live when it takes long. The lines of the others are held, and logged as one
 * group once their step has ended, under a title that says so.
 */
import type { PlannedStage, TaskEvent } from "./addon.ts";
import { command, neutralise, neutraliseToLine, type WriteLine } from "./command.ts";
import { duration, megabytes } from "./format.ts";
import { PlanLog } from "./plan-log.ts";
import type { Masks } from "./secrets.ts";

type Finished = Extract<TaskEvent, { type: "stepFinished" }>;
type Progress = Extract<TaskEvent, { type: "progress" }>;
type Note = Extract<TaskEvent, { type: "note" }>;
type Warning = Extract<TaskEvent, { type: "warning" }>;

/** A step that has not ended. */
interface Step {
  title: string;
  started: number;
  /** Its lines that are not logged yet. */
  held: string[];
  /** Number of its first lines that were dropped. */
  dropped: number;
  /** Lines for below its end, outside of its group. */
  news: string[];
  /** True once its group was opened. */
  wasLive?: boolean;
  /** Time at which progress was last shown, and the bytes done by then. */
  progress: { at: number; bytes: number };
}

/** Passing of time; tests have their own. */
export interface Clock {
  now: () => number;
  /** Calls `act` after some milliseconds. */
  after: (milliseconds: number, act: () => void) => void;
}

/** The clock of this process, for which nothing keeps the process alive. */
export const clock: Clock = {
  now: () => performance.now(),
  // A timer can fire a fraction of a millisecond before its time by the clock above.
  after: (milliseconds, act) => void setTimeout(act, milliseconds + 1).unref(),
};

/** Limit of lines held for a step, and so of the memory for a program's output. */
const heldLines = 1000;
/** Time after which a step becomes live. */
const patience = 3000;
const progressInterval = 5000;
const shortestProgressInterval = 1000;

const ends = { succeeded: "done in", failed: "failed after" } as const;

/** Renders the events of one run. */
export class Renderer {
  readonly #write: WriteLine;
  readonly #masks: Masks;
  readonly #clock: Clock;
  readonly #plan = new PlanLog();
  /** In the order in which they started. */
  readonly #steps = new Map<number, Step>();
  #live: Step | undefined;
  /** True while the live step's group is open. Other lines close it, and its next line opens it again. */
  #isOpen = false;
  #finished = 0;
  #expected = 0;
  #percent = 0;

  constructor(write: WriteLine, masks: Masks, clock: Clock) {
    this.#write = write;
    this.#masks = masks;
    this.#clock = clock;
  }

  /** Shows an event, or keeps it for later. */
  handle(event: TaskEvent): void {
    switch (event.type) {
      case "secret":
        this.#masks.add(event.value);
        break;
      case "planned":
        this.#planned(event.stages);
        break;
      case "stepStarted":
        this.#start(event.id, event.title);
        break;
      case "progress":
        this.#progress(event);
        break;
      case "output":
        this.#log(event.id, event.line);
        break;
      case "note":
        this.#note(event);
        break;
      case "warning":
        this.#warn(event);
        break;
      case "stepFinished":
        this.#finish(event);
        break;
      default:
        event satisfies never;
    }
  }

  /** Shows everything held back. No event may follow. */
  close(): void {
    for (const [id, step] of [...this.#steps]) this.#end(id, step, `${step.title}: not finished`);
  }

  #planned(stages: PlannedStage[]): void {
    // Of the branches that a probe chooses from, one will run.
    const sure = stages.filter(({ onlyIf }) => onlyIf === undefined);
    const chosen = sure.length < stages.length ? 1 : 0;
    this.#expected = this.#finished + sure.flatMap(({ steps }) => steps).length + chosen;
    for (const line of this.#plan.lines(stages)) this.#outside(line);
  }

  #start(id: number, title: string): void {
    const started = this.#clock.now();
    const progress = { at: started, bytes: 0 };
    this.#steps.set(id, {
      title: neutraliseToLine(title),
      started,
      held: [],
      dropped: 0,
      news: [],
      progress,
    });
    this.#plan.start(title);
    this.#clock.after(patience, () => this.#choose());
  }

  /** Makes the first step that takes long the live one, if no other is. */
  #choose(): void {
    if (this.#live !== undefined) return;
    const latest = this.#clock.now() - patience;
    const step = [...this.#steps.values()].find(({ started }) => started <= latest);
    if (step === undefined) return;
    this.#live = step;
    this.#open(step);
  }

  #progress({ id, current, total }: Progress): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    const elapsed = this.#clock.now() - step.progress.at;
    const bytes = current - step.progress.bytes;
    const isFar = total !== undefined && bytes >= total / 10 && elapsed >= shortestProgressInterval;
    if (elapsed < progressInterval && !isFar) return;
    step.progress = { at: this.#clock.now(), bytes: current };
    // Past progress is of no interest once the step is shown.
    if (step !== this.#live) return;
    const done =
      total === undefined
        ? megabytes(current)
        : `${megabytes(current)} of ${megabytes(total)} (${Math.floor((100 * current) / Math.max(total, 1))} %)`;
    // All bytes can be there while the engine still unpacks them: the line then shows only that the step is alive.
    this.#line(step, bytes > 0 ? `${done}, ${megabytes((1000 * bytes) / elapsed)}/s` : done);
  }

  #note({ id, message, isNews }: Note): void {
    const step = id === undefined ? undefined : this.#steps.get(id);
    if (isNews && step !== undefined) step.news.push(...neutralise(message));
    else this.#log(id, message);
  }

  #log(id: number | undefined, text: string): void {
    const step = id === undefined ? undefined : this.#steps.get(id);
    for (const line of neutralise(text)) {
      if (step === undefined) this.#outside(line);
      else this.#line(step, line);
    }
  }

  /** Logs a line of a step, or holds it. */
  #line(step: Step, line: string): void {
    if (step === this.#live) {
      this.#open(step);
      this.#write(line);
      return;
    }
    step.held.push(line);
    if (step.held.length <= heldLines) return;
    step.held.shift();
    step.dropped += 1;
  }

  /** Logs a line that belongs in no group. */
  #outside(line: string): void {
    this.#closeGroup();
    this.#write(line);
  }

  #warn({ code, message, hint }: Warning): void {
    this.#outside(command("task.logissue", { type: "warning", code }, neutraliseToLine(message)));
    if (hint !== undefined) this.#write(`  hint: ${neutraliseToLine(hint)}`);
  }

  #finish({ id, status, durationMs }: Finished): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    this.#finished += 1;
    this.#end(id, step, `${step.title}: ${ends[status]} ${duration(durationMs)}`);
    this.#choose();
    this.#reportProgress(step.title);
  }

  /** Logs the end of a step, with the lines of a step that was never live folded below it. */
  #end(id: number, step: Step, end: string): void {
    this.#closeGroup();
    const isWhole = !step.wasLive && step.held.length > 0;
    this.#write(isWhole ? `##[group]${end}` : end);
    if (isWhole) {
      this.#writeHeld(step);
      this.#write("##[endgroup]");
    }
    for (const line of step.news) this.#write(`  ${line}`);
    this.#steps.delete(id);
    if (step === this.#live) this.#live = undefined;
  }

  #open(step: Step): void {
    if (this.#isOpen) return;
    this.#isOpen = true;
    this.#write(`##[group]${step.title}${step.wasLive ? " (continued)" : ""}`);
    step.wasLive = true;
    this.#writeHeld(step);
  }

  #closeGroup(): void {
    if (this.#isOpen) this.#write("##[endgroup]");
    this.#isOpen = false;
  }

  #writeHeld(step: Step): void {
    if (step.dropped > 0) this.#write(`… ${step.dropped} lines left out`);
    for (const line of step.held.splice(0)) this.#write(line);
  }

  #reportProgress(title: string): void {
    if (this.#expected === 0) return;
    const percent = Math.min(100, Math.floor((100 * this.#finished) / this.#expected));
    // A new plan can have more steps than the one before; the bar never moves back.
    if (percent <= this.#percent) return;
    this.#percent = percent;
    this.#write(command("task.setprogress", { value: String(percent) }, title));
  }
}
