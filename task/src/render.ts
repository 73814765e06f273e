/**
 * Events of a run, as lines of the log.
 *
 * Groups of the log cannot nest and steps run side by side, so one step at a time is shown live in its group. What the
 * others say is held back until their turn, which comes when the shown step ends; that one of them has ended is said
 * at once.
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
  /** What it said while another step was shown. */
  held: string[];
  /** Whether its group has begun. */
  isOpen?: boolean;
  /** How many of its first lines were dropped. */
  dropped: number;
  /** When progress was last shown, and how many bytes were done then. */
  progress: { at: number; bytes: number };
  end?: Finished;
}

/** So that the memory of the task does not grow with what a program says. */
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
  /** What is said between steps while a group is open. */
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
        this.#say(event.id, event.line);
        break;
      case "note":
        this.#say(event.id, event.message);
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

  /** Shows everything that was held back; no event comes after this. */
  close(): void {
    if (this.#shown !== undefined) this.#closeGroup(this.#shown);
    this.#flushBetween();
    for (const id of [...this.#steps.keys()]) this.#showWhole(id);
  }

  #plan(stages: PlannedStage[]): void {
    // Of the branches that a probe chooses from, one will run.
    const sure = stages.filter(({ branch }) => branch === undefined);
    const chosen = sure.length < stages.length ? 1 : 0;
    this.#expected = this.#finished + sure.flatMap(({ steps }) => steps).length + chosen;
    const text = stages
      .map(({ steps, branch }) => {
        const together = steps.map(neutraliseToLine).join(" + ");
        return branch === undefined ? together : `${together} (if ${neutraliseToLine(branch)})`;
      })
      .join(" → ");
    this.#say(undefined, `${this.#replanned ? "Steps from here" : "Steps"}: ${text}`);
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
    // How far a step was is of no interest any more once it is this step's turn.
    if (id !== this.#shown) return;
    const done =
      total === undefined
        ? megabytes(current)
        : `${megabytes(current)} of ${megabytes(total)} (${Math.floor((100 * current) / Math.max(total, 1))} %)`;
    this.#open(step);
    // All bytes can be there while the engine still unpacks them: the line then says only that the step is alive.
    this.#write(bytes > 0 ? `${done}, ${megabytes((1000 * bytes) / elapsed)}/s` : done);
  }

  #say(id: number | undefined, text: string): void {
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
      // Nothing is left to show of a step that had nothing to say.
      if (step.held.length === 0) this.#steps.delete(event.id);
    }
    this.#tellProgress(step.title);
  }

  /** After a step's group: what waited, the steps that ended meanwhile, then one that still runs. */
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

  /** A step's group begins with its first line, so that one with nothing to say takes a single line. */
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

  #tellProgress(title: string): void {
    if (this.#expected === 0) return;
    const percent = Math.min(100, Math.floor((100 * this.#finished) / this.#expected));
    // A new plan can have more steps than the one before; the bar never goes back.
    if (percent <= this.#percent) return;
    this.#percent = percent;
    this.#write(command("task.setprogress", { value: String(percent) }, title));
  }
}

function summary({ title, end }: Step): string {
  if (end === undefined) return `${title}: not finished`;
  return `${title}: ${ends[end.status]} ${duration(end.durationMs)}`;
}
