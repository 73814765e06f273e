/**
 * Events of a run, as lines of the log.
 *
 * Groups of the log cannot nest and steps run side by side, so one step at a time is shown live in its group. Lines of
 * the others are held back until their turn, which begins when the shown step ends. Only the end of a step is logged at
 * once.
 */
import type { PlannedStage, TaskEvent } from "./addon.ts";
import { command, neutralise, neutraliseToLine, type WriteLine } from "./command.ts";
import { duration, megabytes } from "./format.ts";
import type { Masks } from "./secrets.ts";

type Finished = Extract<TaskEvent, { type: "stepFinished" }>;
type Progress = Extract<TaskEvent, { type: "progress" }>;
type Warning = Extract<TaskEvent, { type: "warning" }>;

/** A step whose end has not been shown yet. */
interface Step {
  title: string;
  /** Its lines, held back while another step is shown. */
  held: string[];
  /** True once its group is open. */
  isOpen?: boolean;
  /** Number of its first lines that were dropped. */
  dropped: number;
  /** Time at which progress was last shown, and the bytes done by then. */
  progress: { at: number; bytes: number };
  end?: Finished;
}

/** Limit of lines held for a step, and so of the memory for a program's output. */
const heldLines = 1000;
const progressInterval = 5000;
const shortestProgressInterval = 1000;

const ends = { succeeded: "done in", failed: "failed after" } as const;

/** Renders the events of one run. */
export class Renderer {
  readonly #write: WriteLine;
  readonly #masks: Masks;
  readonly #now: () => number;
  /** In the order in which they started. */
  readonly #steps = new Map<number, Step>();
  #shown: number | undefined;
  /** Lines that belong to no step, held back while a group is open. */
  #between: string[] = [];
  #finished = 0;
  #expected = 0;
  #percent = 0;
  #replanned = false;

  constructor(write: WriteLine, masks: Masks, now: () => number) {
    this.#write = write;
    this.#masks = masks;
    this.#now = now;
  }

  /** Shows an event, or keeps it for later. */
  handle(event: TaskEvent): void {
    switch (event.type) {
      case "secret":
        this.#masks.add(event.value);
        break;
      case "planned":
        this.#plan(event.stages);
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
        this.#log(event.id, event.message);
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
    if (this.#shown !== undefined) this.#closeGroup(this.#shown);
    this.#flushBetween();
    for (const id of [...this.#steps.keys()]) this.#showWhole(id);
  }

  #plan(stages: PlannedStage[]): void {
    // Of the branches that a probe chooses from, one will run.
    const sure = stages.filter(({ onlyIf }) => onlyIf === undefined);
    const chosen = sure.length < stages.length ? 1 : 0;
    this.#expected = this.#finished + sure.flatMap(({ steps }) => steps).length + chosen;
    const text = stages
      .map(({ steps, onlyIf }) => {
        const together = steps.map(neutraliseToLine).join(" + ");
        return onlyIf === undefined ? together : `${together} (if ${neutraliseToLine(onlyIf)})`;
      })
      .join(" → ");
    this.#log(undefined, `${this.#replanned ? "Steps from here" : "Steps"}: ${text}`);
    this.#replanned = true;
  }

  #start(id: number, title: string): void {
    const progress = { at: this.#now(), bytes: 0 };
    this.#steps.set(id, { title: neutraliseToLine(title), held: [], dropped: 0, progress });
    if (this.#shown === undefined) this.#show(id);
  }

  #progress({ id, current, total }: Progress): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    const elapsed = this.#now() - step.progress.at;
    const bytes = current - step.progress.bytes;
    const isFar = total !== undefined && bytes >= total / 10 && elapsed >= shortestProgressInterval;
    if (elapsed < progressInterval && !isFar) return;
    step.progress = { at: this.#now(), bytes: current };
    // Past progress is of no interest once the step is shown.
    if (id !== this.#shown) return;
    const done =
      total === undefined
        ? megabytes(current)
        : `${megabytes(current)} of ${megabytes(total)} (${Math.floor((100 * current) / Math.max(total, 1))} %)`;
    this.#open(step);
    // All bytes can be there while the engine still unpacks them: the line then shows only that the step is alive.
    this.#write(bytes > 0 ? `${done}, ${megabytes((1000 * bytes) / elapsed)}/s` : done);
  }

  #log(id: number | undefined, text: string): void {
    for (const line of neutralise(text)) this.#line(id, line);
  }

  #line(id: number | undefined, line: string): void {
    const step = id === undefined ? undefined : this.#steps.get(id);
    if (step !== undefined && id !== this.#shown) {
      step.held.push(line);
      if (step.held.length <= heldLines) return;
      step.held.shift();
      step.dropped += 1;
    } else if (step === undefined && this.#shown !== undefined) {
      this.#between.push(line);
    } else {
      if (step !== undefined) this.#open(step);
      this.#write(line);
    }
  }

  #warn({ code, message, hint }: Warning): void {
    this.#write(command("task.logissue", { type: "warning", code }, neutraliseToLine(message)));
    if (hint !== undefined) this.#write(`  hint: ${neutraliseToLine(hint)}`);
  }

  #finish(event: Finished): void {
    const step = this.#steps.get(event.id);
    if (step === undefined) return;
    step.end = event;
    this.#finished += 1;
    if (event.id === this.#shown) {
      this.#closeGroup(event.id);
      this.#next();
    } else {
      this.#write(`Meanwhile: ${summary(step)}`);
      // A step without lines is not shown again.
      if (step.held.length === 0) this.#steps.delete(event.id);
    }
    this.#reportProgress(step.title);
  }

  /** Shows, after a step's group, the lines held back, the steps that ended meanwhile, then one that still runs. */
  #next(): void {
    this.#flushBetween();
    for (const [id, step] of [...this.#steps]) if (step.end) this.#showWhole(id);
    const [running] = this.#steps.keys();
    if (running !== undefined) this.#show(running);
  }

  #show(id: number): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    this.#shown = id;
    if (step.held.length > 0) this.#open(step);
    this.#writeHeld(step);
  }

  #showWhole(id: number): void {
    const step = this.#steps.get(id);
    if (step === undefined) return;
    if (step.held.length > 0) {
      this.#write(`##[group]${step.title}`);
      this.#writeHeld(step);
      this.#write("##[endgroup]");
    }
    this.#write(summary(step));
    this.#steps.delete(id);
  }

  /** Opens a step's group at its first line, so that a step without lines takes a single one. */
  #open(step: Step): void {
    if (step.isOpen) return;
    step.isOpen = true;
    this.#write(`##[group]${step.title}`);
  }

  #closeGroup(id: number): void {
    const step = this.#steps.get(id);
    if (step?.isOpen) this.#write("##[endgroup]");
    if (step !== undefined) this.#write(summary(step));
    this.#steps.delete(id);
    this.#shown = undefined;
  }

  #writeHeld(step: Step): void {
    if (step.dropped > 0) this.#write(`… ${step.dropped} lines left out`);
    for (const line of step.held.splice(0)) this.#write(line);
  }

  #flushBetween(): void {
    for (const line of this.#between.splice(0)) this.#write(line);
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

function summary({ title, end }: Step): string {
  if (end === undefined) return `${title}: not finished`;
  return `${title}: ${ends[end.status]} ${duration(end.durationMs)}`;
}
