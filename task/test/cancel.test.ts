import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { type TestContext, test } from "node:test";
import { watchSignals } from "../src/cancel.ts";

function watched(context: TestContext) {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const source = new EventEmitter();
  const calls: string[] = [];
  const watch = watchSignals(source, {
    cancel: () => calls.push("cancel"),
    say: () => calls.push("say"),
    exit: () => calls.push("exit"),
  });
  return { source, calls, watch };
}

test("the_first_signal_cancels", (context) => {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    const { source, calls, watch } = watched(context);
    assert.equal(watch.stopped, false);
    source.emit(signal);
    assert.deepEqual(calls, ["say", "cancel"], signal);
    assert.equal(watch.stopped, true);
    context.mock.timers.reset();
  }
});

test("the_second_signal_ends_the_process_at_once", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  source.emit("SIGTERM");
  assert.deepEqual(calls, ["say", "cancel", "exit"]);
});

test("cleaning_up_that_takes_too_long_is_ended_before_the_agent_loses_patience", (context) => {
  const { source, calls } = watched(context);
  source.emit("SIGINT");
  context.mock.timers.tick(5999);
  assert.ok(!calls.includes("exit"));
  context.mock.timers.tick(1);
  assert.deepEqual(calls, ["say", "cancel", "say", "exit"]);
});
