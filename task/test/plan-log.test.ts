import assert from "node:assert/strict";
import { test } from "node:test";
import { PlanLog, planLines } from "../src/plan-log.ts";

const knows = "the native falconutil knows `--platform`";
const before = [
  { steps: ["Pull the source", "Pull the sensor"] },
  { steps: ["Patch natively"], onlyIf: knows },
  { steps: ["Install the emulator", "Pull the ARM64 sensor"], onlyIf: "it does not" },
  { steps: ["Patch under emulation"], onlyIf: "it does not" },
  { steps: ["Push"] },
];

test("A plan has one line per step, branches below their conditions", () => {
  assert.deepEqual(planLines(before), [
    "  1. Pull the source",
    "     Pull the sensor",
    `  If ${knows}:`,
    "    2. Patch natively",
    "  If it does not:",
    "    3. Install the emulator",
    "       Pull the ARM64 sensor",
    "    4. Patch under emulation",
    "  5. Push",
  ]);
});

test("A plan after a probe logs the chosen branch alone", () => {
  const log = new PlanLog();
  assert.deepEqual(log.lines(before), ["Plan:", ...planLines(before)]);
  for (const title of ["Pull the source", "Pull the sensor"]) log.start(title);
  const after = [{ steps: ["Patch natively"] }, { steps: ["Push"] }];
  assert.deepEqual(log.lines(after), ["Chosen: Patch natively"]);
  assert.deepEqual(log.lines(after.slice(1)), ["Left out of the plan: Patch natively"]);
  assert.deepEqual(log.lines(after), ["Added to the plan: Patch natively"]);
});

test("A plan that says nothing new is not logged", () => {
  const log = new PlanLog();
  log.lines([{ steps: ["A"] }, { steps: ["B"] }]);
  log.start("A");
  assert.deepEqual(log.lines([{ steps: ["B"] }]), []);
});

test("Foreign text in a plan is neutralised", () => {
  const evil = "x ##vso[task.complete result=Succeeded;]\n##[error]y";
  const log = new PlanLog();
  const first = log.lines([{ steps: [evil], onlyIf: evil }]);
  for (const line of [...first, ...log.lines([{ steps: [evil] }])])
    assert.doesNotMatch(line, /##vso|##\[|\n/);
});
