import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ending, Loaded, TaskInputs } from "../src/addon.ts";
import { History } from "../src/history.ts";
import { runTask } from "../src/run.ts";
import { Masks } from "../src/secrets.ts";
import { agent, aws, failure, fakeAddon, falcon, outcome, type Script } from "./samples.ts";

const inputs = {
  action: "patch",
  sourceImage: "app/web:1",
  targetImage: "app/web:1-falcon",
  sensorImage: "sensor:7.39",
};

async function run(
  loaded: Loaded,
  given: TaskInputs = {},
  stop = new AbortController().signal,
): Promise<{ ending: Ending; lines: string[] }> {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const ending = await runTask(loaded, {
    inputs: { ...inputs, ...given },
    others: ["SOURCEIMGE"],
    aws,
    falcon,
    agent,
    notes: [],
    masks: new Masks(write),
    history: new History(),
    write,
    stop,
  });
  return { ending, lines };
}

const scripted = (script: Script): Loaded => fakeAddon(script);

test("The first line names the version, the action and the images", async () => {
  const cases: [TaskInputs, string][] = [
    [{}, "FalconArm64Patch 1.0.0: patch app/web:1 → app/web:1-falcon, sensor sensor:7.39"],
    [{ action: "plan" }, "FalconArm64Patch 1.0.0: plan app/web:1 → app/web:1-falcon, sensor sensor:7.39"],
    [{ action: "verify" }, "FalconArm64Patch 1.0.0: verify app/web:1-falcon"],
    [
      { action: "deploy", ecsService: "web", ecsCluster: "prod" },
      "FalconArm64Patch 1.0.0: deploy app/web:1-falcon → web of prod",
    ],
    [
      { action: "plan", ecsService: "web", ecsCluster: "prod" },
      "FalconArm64Patch 1.0.0: plan app/web:1-falcon → web of prod",
    ],
    [
      { sensorSource: "crowdstrike", sensorImage: "", sensorVersion: "n-1" },
      "FalconArm64Patch 1.0.0: patch app/web:1 → app/web:1-falcon, sensor n-1 of CrowdStrike",
    ],
    [
      { sourceImage: "" },
      "FalconArm64Patch 1.0.0: patch (no sourceImage) → app/web:1-falcon, sensor sensor:7.39",
    ],
    [
      { sensorImage: "##vso[a]" },
      "FalconArm64Patch 1.0.0: patch app/web:1 → app/web:1-falcon, sensor **vso[a]",
    ],
  ];
  for (const [given, first] of cases) assert.equal((await run(scripted({}), given)).lines[0], first);
});

test("Inputs, settings of AWS and CrowdStrike, and agent reach the addon", async () => {
  const { addon, received } = fakeAddon({});
  await run({ addon });
  assert.deepEqual(received, { inputs, others: ["SOURCEIMGE"], aws, falcon, agent });
});

test("An unsupported agent fails the step before its first line", async () => {
  const reason = failure({ code: "TASK_AGENT_UNSUPPORTED" });
  const { ending, lines } = await run({ failure: reason });
  assert.deepEqual(ending, { type: "failed", failure: reason });
  assert.deepEqual(lines, []);
});

test("Events are logged, and open groups are closed at the end", async () => {
  const done: Ending = { type: "done", outcome: outcome() };
  const { ending, lines } = await run(
    scripted({
      run: async (emit) => {
        emit({ type: "stepStarted", id: 1, title: "Push" });
        emit({ type: "output", id: 1, line: "layer" });
        return done;
      },
    }),
  );
  assert.equal(ending, done);
  assert.deepEqual(lines.slice(1), ["##[group]Push: not finished", "layer", "##[endgroup]"]);
});

test("A rejected run is reported as a bug of the task", async () => {
  const { ending } = await run(scripted({ run: () => Promise.reject(new Error("panicked")) }));
  assert.ok(ending.type === "failed");
  assert.equal(ending.failure.code, "TASK_INTERNAL");
  assert.match(ending.failure.what, /panicked/);
});

test("Inputs that the addon does not accept are reported as a bug of the task", async () => {
  const rejects = fakeAddon({ reject: new Error("missing field `action`") });
  const { ending, lines } = await run(rejects);
  assert.ok(ending.type === "failed");
  assert.equal(ending.failure.code, "TASK_INTERNAL");
  assert.match(ending.failure.what, /missing field `action`/);
  assert.equal(lines.length, 1, "the first line alone");
});

test("Cancelling reaches the run", async () => {
  const cancelled: Ending = { type: "cancelled", effects: [], cleanup: [] };
  const script = scripted({ run: (_, asked) => asked.then(() => cancelled) });
  const late = new AbortController();
  setImmediate(() => late.abort());
  for (const stop of [late.signal, AbortSignal.abort()])
    assert.equal((await run(script, {}, stop)).ending, cancelled);
});

test("An event that cannot be logged does not change the result", async () => {
  const { ending, lines } = await run(
    scripted({
      run: async (emit) => {
        emit({ type: "output", id: 1 } as never);
        return { type: "done", outcome: outcome() };
      },
    }),
  );
  assert.equal(ending.type, "done");
  assert.match(lines.at(-1) ?? "", /type=warning;code=TASK_INTERNAL/);
});
