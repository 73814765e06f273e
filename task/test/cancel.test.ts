import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type TestContext, test } from "node:test";
import { watchSignals } from "../src/cancel.ts";

function watched(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const source = new EventEmitter();
  const calls: string[] = [];
  const stop = watchSignals(source, { write: () => calls.push("write"), exit: () => calls.push("exit") });
  stop.addEventListener("abort", () => calls.push("abort"));
  return { source, calls, stop };
}

test("The first signal cancels the run", (context) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const { source, calls, stop } = watched(context);
    assert.equal(stop.aborted, false);
    source.emit(signal);
    assert.deepEqual(calls, ["write", "abort"], signal);
    assert.equal(stop.aborted, true);
    context.mock.timers.reset();
  }
});

test("The second signal ends the process at once", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  source.emit("SIGTERM");
  assert.deepEqual(calls, ["write", "abort", "exit"]);
});

test("A cleanup that takes too long ends before the agent kills the process", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  context.mock.timers.tick(5999);
  assert.ok(!calls.includes("exit"));
  context.mock.timers.tick(1);
  assert.deepEqual(calls, ["write", "abort", "write", "exit"]);
});
