import assert from "node:assert/strict";
import { test } from "node:test";
import type { Loaded } from "../src/addon.ts";
import { sweepAfterJob } from "../src/sweep.ts";
import { agent, failure, fakeAddon, type Script } from "./samples.ts";

async function sweep(loaded: Loaded): Promise<string[]> {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  await sweepAfterJob(loaded, { agent, write });
  return lines;
}

test("The post-job step logs only what it removed and what is left", async () => {
  const issue = "##vso[task.logissue type=warning;code=TASK_LEFTOVERS;]";
  const cases: [situation: string, Script["sweep"], lines: string[]][] = [
    ["nothing to do", async () => ({ removed: [], failed: [] }), []],
    ["something removed", async () => ({ removed: ["image `a`"], failed: [] }), ["Removed image `a`"]],
    [
      "something left",
      async () => ({ removed: [], failed: ["image ##vso[a]"] }),
      [
        "Could not be cleaned up: image **vso[a]",
        `${issue}Something could not be cleaned up after the job; the log names it [TASK_LEFTOVERS]`,
      ],
    ],
    [
      "a mistake of ours",
      () => Promise.reject(new Error("panicked")),
      [`${issue}Cleaning up after the job failed: panicked [TASK_LEFTOVERS]`],
    ],
  ];
  for (const [situation, script, lines] of cases) {
    assert.deepEqual(await sweep(fakeAddon(script ? { sweep: script } : {})), lines, situation);
  }
});

test("The post-job step is silent where the addon cannot run", async () => {
  assert.deepEqual(await sweep({ failure: failure() }), []);
});
