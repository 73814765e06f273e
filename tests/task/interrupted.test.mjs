// Runs of every kind that are cancelled or killed at each of their steps: they end in time, report what they changed, put no
// tag on what is not there whole, and leave nothing else behind. The steps are those that a run shows, not a list.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, test } from "node:test";
import { Job, story } from "./agent.mjs";
import { assertTrue, assertWhole } from "./effects.mjs";
import { assertOrderly } from "./expect.mjs";
import { kinds, slowChanges, underWay } from "./kinds.mjs";
import { docker, engineState, front, inLab, needsLab } from "./lab.mjs";
import { cosignVerifies } from "./records.mjs";

const { LAB_STORE } = process.env;

/** A run is cancelled after an even number of steps and killed after an odd one, in the other turn it is the opposite. */
function turns({ hasEngine = true }) {
  if (!hasEngine) return [0, 1];
  return LAB_STORE === "overlay2" ? [0] : [1];
}

afterEach(async () => {
  if (inLab) await front("DELETE", "/faults");
});

/** Gives an image of the user's own the target's name in the engine, and a name of its own. */
function usersImages(target) {
  const archive = join(process.env.LAB_TMP, "users.tar");
  execFileSync("tar", ["--create", "--file", archive, "--directory", "/etc", "hostname"]);
  const names = [target, "users.example/app:1"];
  docker("import", archive, names[0]);
  docker("tag", names[0], names[1]);
  return () => docker("image", "rm", ...names);
}

/** True if the run was interrupted before all of the steps that pull had ended. */
function isPulling({ raw }) {
  const lines = raw.map(({ line }) => line);
  const titles = (pattern) => new Set(lines.flatMap((line) => line.match(pattern)?.[1] ?? []));
  // The plan is a list with one step a line, and a later plan can name a step again.
  const planned = titles(/^ +(?:\d+\. )?((?:Pull the (?:source|sensor) image|Stage source and sensor).*)$/);
  const ended = titles(/((?:Pull the (?:source|sensor) image|Stage source and sensor).*): done in \d/);
  return [...planned].some((title) => !ended.has(title));
}

/**
 * The engine is as it was. A classic store may keep an image of a pull that was cut off before it gives it a name; the task
 * removes names alone, so the test removes such an image by its ID.
 */
function assertEngine(before, step, last) {
  const nameless = engineState().images.filter(
    (image) => / <none>:<none>$/.test(image) && !before.images.includes(image),
  );
  if (LAB_STORE === "overlay2" && isPulling(step))
    for (const image of nameless) docker("image", "rm", image.split(" ")[0]);
  assert.deepEqual(engineState(), before, `the engine is as it was after: ${last}`);
}

/** The buildx plugin lives a moment longer than a step that is killed; the agent empties its temporary folder by itself. */
const ofBuildx = /\/_temp\/falcon-patch-builder-/;

/** The written files are whole, and there is nothing beside them. */
function assertFiles(job, mode, last) {
  const folder = join(job.folders.sources, "ecs");
  if (existsSync(folder))
    for (const name of readdirSync(folder)) {
      assert.match(name, /^(web|out)\.json$/, last);
      JSON.parse(readFileSync(join(folder, name), "utf8"));
    }
  rmSync(job.folders.sources, { recursive: true });
  const left = job.files().filter((path) => mode === "cancelled" || !ofBuildx.test(path));
  assert.deepEqual(left, [], `files left, ${mode} after: ${last}`);
}

function assertCancelled(ended, last) {
  assertOrderly(ended);
  // It was over before it read the signal.
  if (/^##\[section\]/m.test(story(ended))) return;
  assert.deepEqual([ended.completed, ended.errors, ended.outputs], [[], [], {}], "the agent sets the result");
  assert.match(story(ended), /^Cancelled$/m);
  assert.ok(ended.secondsToStop < 5.5, `took ${ended.secondsToStop} s after: ${last}`);
}

/** Interrupts a run after so many of its steps; returns false if it was over by then. */
async function interrupt({ kind, turn, ends }) {
  const mode = (ends + turn) % 2 === 0 ? "cancelled" : "killed";
  const given = await kind.given(`${mode}-${ends}`);
  const job = new Job({ timed: true });
  const remove = usersImages(given.targetImage);
  try {
    kind.place?.(job);
    const before = engineState();
    await front("DELETE", "/requests");
    const step = job.start(given);
    const isUnderWay = await underWay(step, ends);
    const last = step.raw.at(-1)?.line;
    // Two steps of each mode in a row differ in the signal, and in the job that removes what is left.
    const isOther = ends % 4 >= 2;
    const signal = isOther ? "SIGTERM" : "SIGINT";
    const ended = await step.cancel(mode === "killed" ? "SIGKILL" : signal);
    if (mode === "cancelled") {
      assertCancelled(ended, last);
      await assertTrue(ended);
    }
    const digest = await assertWhole(given.targetImage);
    if (digest && kind.publicKey) assertSigned(kind, given.targetImage, digest);
    assert.ok(isUnderWay || digest, "the run that was not interrupted has put its tag");
    // The next job of the agent removes the same as this one's post-job step.
    const next = isOther ? new Job({ timed: true, after: job }) : job;
    const post = await next.post();
    assert.deepEqual(post.warnings, [], post.text);
    assertEngine(before, ended, `${mode} after ${last}`);
    assertFiles(job, mode, last);
    return isUnderWay;
  } finally {
    remove();
    job.end();
  }
}

/** No tag is without its record. */
function assertSigned(kind, target, digest) {
  cosignVerifies(`${target.slice(0, target.lastIndexOf(":"))}@${digest}`, kind.publicKey());
}

const tried = Object.entries(kinds).filter(([, { store }]) => !inLab || (store ?? LAB_STORE) === LAB_STORE);

for (const [name, kind] of tried)
  test(
    `A run of the kind ${name} can be cancelled or killed at each of its steps`,
    needsLab,
    async (context) => {
      const end = await kind.prepare?.();
      try {
        await slowChanges();
        let seen = 0;
        for (const turn of turns(kind)) {
          let ends = 0;
          while (await interrupt({ kind, turn, ends })) ends += 1;
          context.diagnostic(`${ends} interruptions`);
          seen = Math.max(seen, ends);
        }
        assert.ok(seen > kind.steps, `only ${seen} interruptions`);
      } finally {
        end?.();
      }
    },
  );
