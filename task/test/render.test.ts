import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskEvent } from "../src/addon.ts";
import { Renderer } from "../src/render.ts";
import { Masks } from "../src/secrets.ts";

/** An event, or seconds that pass. */
type Moment = TaskEvent | number;

/** The log of some events, with a clock of its own. */
class Log {
  readonly lines: string[] = [];
  #now = 0;
  #alarms: { at: number; act: () => void }[] = [];
  readonly renderer: Renderer;

  constructor() {
    const write = (line: string): void => void this.lines.push(line);
    const after = (milliseconds: number, act: () => void): void =>
      void this.#alarms.push({ at: this.#now + milliseconds, act });
    this.renderer = new Renderer(write, new Masks(write), { now: () => this.#now, after });
  }

  pass(seconds: number): void {
    const end = this.#now + 1000 * seconds;
    const due = this.#alarms.filter(({ at }) => at <= end);
    this.#alarms = this.#alarms.filter(({ at }) => at > end);
    for (const { at, act } of due) {
      this.#now = at;
      act();
    }
    this.#now = end;
  }
}

function render(moments: Moment[]): string[] {
  const log = new Log();
  for (const moment of moments) {
    if (typeof moment === "number") log.pass(moment);
    else log.renderer.handle(moment);
  }
  log.renderer.close();
  return log.lines;
}

function check(moments: Moment[], expected: string[]): void {
  assert.deepEqual(render(moments), expected);
}

const start = (id: number, title: string): TaskEvent => ({ type: "stepStarted", id, title });
const output = (id: number, line: string): TaskEvent => ({ type: "output", id, line });
const note = (message: string, id?: number, isNews = false): TaskEvent => ({
  type: "note",
  message,
  isNews,
  ...(id === undefined ? {} : { id }),
});
const progress = (id: number, current: number, total?: number): TaskEvent => ({
  type: "progress",
  id,
  current,
  ...(total === undefined ? {} : { total }),
});
const end = (id: number, status: "succeeded" | "failed" = "succeeded"): TaskEvent => ({
  type: "stepFinished",
  id,
  status,
  durationMs: 1500,
});

test("A short step is one line, with its own lines folded below", () => {
  check(
    [start(1, "Pull the source"), output(1, "layer one"), note("two layers", 1), end(1)],
    ["##[group]Pull the source: done in 1.5 s", "layer one", "two layers", "##[endgroup]"],
  );
});

test("A step without lines is one line", () => {
  check([start(1, "A"), end(1, "failed")], ["A: failed after 1.5 s"]);
});

test("A long step is shown as it runs, also before its first line", () => {
  const log = new Log();
  log.renderer.handle(start(1, "A"));
  log.pass(2.9);
  assert.deepEqual(log.lines, []);
  log.pass(0.1);
  assert.deepEqual(log.lines, ["##[group]A"]);
  log.renderer.handle(output(1, "a1"));
  log.renderer.handle(end(1));
  assert.deepEqual(log.lines, ["##[group]A", "a1", "##[endgroup]", "A: done in 1.5 s"]);
});

test("The lines before a step is live are shown with its group", () => {
  check(
    [start(1, "A"), output(1, "a1"), 3, output(1, "a2"), end(1)],
    ["##[group]A", "a1", "a2", "##[endgroup]", "A: done in 1.5 s"],
  );
});

test("Lines of parallel steps do not mix, and none is logged twice", () => {
  const lines = [
    "##[group]A",
    "a1",
    "##[endgroup]",
    "##[group]B: done in 1.5 s",
    "b1",
    "##[endgroup]",
    "##[group]A (continued)",
    "a2",
    "##[endgroup]",
    "A: done in 1.5 s",
    "##[group]C",
    "c1",
    "##[endgroup]",
    "C: done in 1.5 s",
  ];
  check(
    [
      start(1, "A"),
      start(2, "B"),
      start(3, "C"),
      output(1, "a1"),
      output(2, "b1"),
      output(3, "c1"),
      3,
      end(2),
      output(1, "a2"),
      end(1),
      end(3),
    ],
    lines,
  );
});

test("The end of each step is logged at once and outside of every group", () => {
  const moments = [start(1, "A"), start(2, "B"), start(3, "C"), 3, output(1, "a1"), end(3), end(2), end(1)];
  let isOpen = false;
  for (const line of render(moments)) {
    if (line.includes("done in")) assert.equal(isOpen, false, line);
    isOpen = line.startsWith("##[group]") || (isOpen && line !== "##[endgroup]");
  }
  const log = new Log();
  for (const moment of moments.slice(0, 3)) log.renderer.handle(moment as TaskEvent);
  log.pass(3);
  log.renderer.handle(end(3));
  assert.equal(log.lines.at(-1), "C: done in 1.5 s");
});

test("News of a step stand below its end, outside of its group", () => {
  check(
    [start(1, "Look"), note("The image is there", 1), note("`cpu`: 512, was 256", 1, true), end(1)],
    ["##[group]Look: done in 1.5 s", "The image is there", "##[endgroup]", "  `cpu`: 512, was 256"],
  );
  check(
    [start(1, "Look"), note("Target: it was patched from another source", 1, true), end(1, "failed")],
    ["Look: failed after 1.5 s", "  Target: it was patched from another source"],
  );
});

test("Lines of no step and warnings are logged at once, outside of every group", () => {
  const warning: TaskEvent = { type: "warning", code: "TASK_LEFTOVERS", message: "Something is left" };
  check(
    [note("before"), start(1, "A"), 3, note("between"), output(1, "a1"), warning, end(1), note("after")],
    [
      "before",
      "##[group]A",
      "##[endgroup]",
      "between",
      "##[group]A (continued)",
      "a1",
      "##[endgroup]",
      "##vso[task.logissue type=warning;code=TASK_LEFTOVERS;]Something is left",
      "A: done in 1.5 s",
      "after",
    ],
  );
});

test("Steps that never end are closed, and no line is lost", () => {
  check(
    [start(1, "A"), start(2, "B"), output(2, "b1"), note("last")],
    ["last", "A: not finished", "##[group]B: not finished", "b1", "##[endgroup]"],
  );
});

test("Nothing is logged after the end of the log", () => {
  const log = new Log();
  log.renderer.handle(start(1, "A"));
  log.renderer.close();
  log.pass(10);
  assert.deepEqual(log.lines, ["A: not finished"]);
});

test("Only the last lines of a held step are kept", () => {
  const many = Array.from({ length: 1003 }, (_, index) => output(2, `b${index}`));
  const lines = render([start(1, "A"), start(2, "B"), ...many, end(1), end(2)]);
  assert.equal(lines[2], "… 3 lines left out");
  assert.equal(lines[3], "b3");
  assert.equal(lines.filter((line) => /^b\d/.test(line)).length, 1000);
});

test("Late output of a finished step is logged", () => {
  check([start(1, "A"), end(1), output(1, "late")], ["A: done in 1.5 s", "late"]);
});

test("Foreign text of every event is neutralised", () => {
  const evil = "x ##vso[task.complete result=Succeeded;]\r\n##[error]y";
  const lines = render([
    { type: "planned", stages: [{ steps: [evil] }] },
    start(1, evil),
    output(1, evil),
    note(evil, 1),
    note(evil, 1, true),
    note(evil),
    { type: "warning", code: "TASK_LEFTOVERS", message: evil, hint: evil },
    end(1),
  ]);
  for (const line of lines) {
    assert.doesNotMatch(line, /[\r\n]/);
    assert.doesNotMatch(line.replace(/^##vso\[(task\.(logissue|setprogress))/, ""), /##vso/i);
    assert.doesNotMatch(line.replace(/^##\[(group|endgroup)\]/, ""), /##\[/);
  }
});

test("A warning is one issue with its hint below", () => {
  check(
    [{ type: "warning", code: "TASK_LEFTOVERS", message: "Something is left", hint: "Remove it" }],
    ["##vso[task.logissue type=warning;code=TASK_LEFTOVERS;]Something is left", "  hint: Remove it"],
  );
});

test("A secret is masked at once", () => {
  check([{ type: "secret", value: "abc" }], ["##vso[task.setsecret]abc", "##vso[task.setsecret]YWJj"]);
});

test("Progress is logged every five seconds with the rate since then", () => {
  check(
    [
      start(1, "A"),
      2,
      progress(1, 1e6, 100e6),
      3,
      progress(1, 5e6, 100e6),
      1,
      progress(1, 6e6, 100e6),
      end(1),
    ],
    ["##[group]A", "5.0 MB of 100.0 MB (5 %), 1.0 MB/s", "##[endgroup]", "A: done in 1.5 s"],
  );
});

test("Progress of a tenth is logged, but at most once a second", () => {
  check(
    [
      start(1, "A"),
      4,
      progress(1, 20e6, 100e6),
      0.5,
      progress(1, 40e6, 100e6),
      0.5,
      progress(1, 60e6, 100e6),
    ],
    [
      "##[group]A",
      "20.0 MB of 100.0 MB (20 %), 5.0 MB/s",
      "60.0 MB of 100.0 MB (60 %), 40.0 MB/s",
      "##[endgroup]",
      "A: not finished",
    ],
  );
});

test("Progress without a total has no percentage", () => {
  check(
    [start(1, "A"), 5, progress(1, 10e6)],
    ["##[group]A", "10.0 MB, 2.0 MB/s", "##[endgroup]", "A: not finished"],
  );
});

test("Stalled progress has no rate", () => {
  check(
    [start(1, "A"), 5, progress(1, 10e6, 10e6), 5, progress(1, 10e6, 10e6), end(1)],
    [
      "##[group]A",
      "10.0 MB of 10.0 MB (100 %), 2.0 MB/s",
      "10.0 MB of 10.0 MB (100 %)",
      "##[endgroup]",
      "A: done in 1.5 s",
    ],
  );
});

test("Progress of a short step, and of one that is not shown, is not kept", () => {
  check(
    [
      start(1, "A"),
      start(2, "B"),
      1.5,
      progress(1, 10e6, 100e6),
      4,
      progress(2, 10e6, 100e6),
      end(1),
      end(2),
    ],
    ["##[group]A", "##[endgroup]", "A: done in 1.5 s", "##[group]B", "##[endgroup]", "B: done in 1.5 s"],
  );
});

test("The progress bar follows the plan and never moves back", () => {
  const lines = render([
    { type: "planned", stages: [{ steps: ["A"] }, { steps: ["B", "C"] }] },
    start(1, "A"),
    end(1),
    {
      type: "planned",
      stages: [{ steps: ["B", "C"] }, { steps: ["D"], onlyIf: "it can" }, { steps: ["E"] }],
    },
    start(2, "B"),
    end(2),
    start(3, "C"),
    end(3),
  ]);
  assert.deepEqual(lines.slice(0, 4), ["Plan:", "  1. A", "  2. B", "     C"]);
  assert.ok(lines.includes("Added to the plan: D (if it can)"));
  const bar = lines.filter((line) => line.startsWith("##vso[task.setprogress"));
  assert.deepEqual(bar, [
    "##vso[task.setprogress value=33;]A",
    "##vso[task.setprogress value=40;]B",
    "##vso[task.setprogress value=60;]C",
  ]);
});
