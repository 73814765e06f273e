import assert from "node:assert/strict";
import { test } from "node:test";
import type { TaskEvent } from "../src/addon.ts";
import { Renderer } from "../src/render.ts";
import { Masks } from "../src/secrets.ts";

/** An event, or seconds that pass. */
type Moment = TaskEvent | number;

function render(moments: Moment[]): string[] {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  let now = 0;
  const renderer = new Renderer(write, new Masks(write), () => now);
  for (const moment of moments) {
    if (typeof moment === "number") now += 1000 * moment;
    else renderer.handle(moment);
  }
  renderer.close();
  return lines;
}

function check(moments: Moment[], expected: string[]): void {
  assert.deepEqual(render(moments), expected);
}

const start = (id: number, title: string): TaskEvent => ({ type: "stepStarted", id, title });
const output = (id: number, line: string): TaskEvent => ({ type: "output", id, line });
const note = (message: string, id?: number): TaskEvent => ({
  type: "note",
  message,
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

test("A step is a group with its time below", () => {
  check(
    [start(1, "Pull the source"), output(1, "layer one"), note("two layers", 1), end(1)],
    ["##[group]Pull the source", "layer one", "two layers", "##[endgroup]", "Pull the source: done in 1.5 s"],
  );
});

test("A failed step is logged as failed", () => {
  check([start(1, "A"), end(1, "failed")], ["A: failed after 1.5 s"]);
});

test("Lines of parallel steps do not mix", () => {
  check(
    [
      start(1, "A"),
      start(2, "B"),
      output(1, "a1"),
      output(2, "b1"),
      output(1, "a2"),
      end(1),
      output(2, "b2"),
      end(2),
    ],
    [
      "##[group]A",
      "a1",
      "a2",
      "##[endgroup]",
      "A: done in 1.5 s",
      "##[group]B",
      "b1",
      "b2",
      "##[endgroup]",
      "B: done in 1.5 s",
    ],
  );
});

test("A step that ends while another is shown is reported at once and shown next", () => {
  check(
    [start(1, "A"), start(2, "B"), output(2, "b1"), end(2), output(1, "a1"), end(1)],
    [
      "Meanwhile: B: done in 1.5 s",
      "##[group]A",
      "a1",
      "##[endgroup]",
      "A: done in 1.5 s",
      "##[group]B",
      "b1",
      "##[endgroup]",
      "B: done in 1.5 s",
    ],
  );
});

test("Lines between steps wait for the end of the group", () => {
  check(
    [note("before"), start(1, "A"), note("between"), output(1, "a1"), end(1), note("after")],
    ["before", "##[group]A", "a1", "##[endgroup]", "A: done in 1.5 s", "between", "after"],
  );
});

test("Steps that never end are closed, and no line is lost", () => {
  check(
    [start(1, "A"), start(2, "B"), output(2, "b1"), note("last")],
    ["A: not finished", "last", "##[group]B", "b1", "##[endgroup]", "B: not finished"],
  );
});

test("Only the last lines of a held step are kept", () => {
  const many = Array.from({ length: 1003 }, (_, index) => output(2, `b${index}`));
  const lines = render([start(1, "A"), start(2, "B"), ...many, end(1), end(2)]);
  assert.equal(lines[2], "… 3 lines left out");
  assert.equal(lines[3], "b3");
  assert.equal(lines.filter((line) => line.startsWith("b")).length, 1000);
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
      0.5,
      progress(1, 20e6, 100e6),
      0.5,
      progress(1, 40e6, 100e6),
      0.1,
      progress(1, 60e6, 100e6),
    ],
    ["##[group]A", "40.0 MB of 100.0 MB (40 %), 40.0 MB/s", "##[endgroup]", "A: not finished"],
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

test("Progress of a held step is not kept", () => {
  check(
    [start(1, "A"), start(2, "B"), 5, progress(2, 10e6, 100e6), end(1), end(2)],
    ["A: done in 1.5 s", "B: done in 1.5 s"],
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
  assert.equal(lines[0], "Steps: A → B + C");
  assert.ok(lines.includes("Steps from here: B + C → D (if it can) → E"));
  const bar = lines.filter((line) => line.startsWith("##vso[task.setprogress"));
  assert.deepEqual(bar, [
    "##vso[task.setprogress value=33;]A",
    "##vso[task.setprogress value=40;]B",
    "##vso[task.setprogress value=60;]C",
  ]);
});
