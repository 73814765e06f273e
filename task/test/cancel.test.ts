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

test("the_first_signal_cancels", (context) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const { source, calls, stop } = watched(context);
    assert.equal(stop.aborted, false);
    source.emit(signal);
    assert.deepEqual(calls, ["write", "abort"], signal);
    assert.equal(stop.aborted, true);
    context.mock.timers.reset();
  }
});

test("the_second_signal_ends_the_process_at_once", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  source.emit("SIGTERM");
  assert.deepEqual(calls, ["write", "abort", "exit"]);
});

test("cleaning_up_that_takes_too_long_is_ended_before_the_agent_loses_patience", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  context.mock.timers.tick(5999);
  assert.ok(!calls.includes("exit"));
  context.mock.timers.tick(1);
  assert.deepEqual(calls, ["write", "abort", "write", "exit"]);
});
