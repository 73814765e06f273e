// `npm run bench`: the task against the pipeline that it replaces and against the docker CLI, in the lab; see docs/performance.md.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { writeDocuments } from "../tests/bench/documents.mjs";
import { chosen } from "../tests/bench/rows.mjs";
import { aligned, circumstances, figures, goals } from "../tests/bench/table.mjs";
import { turnsOf } from "../tests/bench/turns.mjs";
import { evaluate } from "../tests/bench/verdicts.mjs";
import { build } from "./build.mjs";
import { CommandFailed, main, root, run } from "./tools.mjs";

const usage = `npm run bench -- [option…]
  --quick        one pair and small images: says that it works, not how fast
  --only ROW     the rows whose names begin so
  --pairs N      rounds (default 3)
  --task FOLDER  a built task, in place of building one
  --from FILE    shows the results of an earlier run
  --write        writes table, chart and figures into docs/performance.md and README.md`;

/** Returns the checked options of the command line. */
function options() {
  try {
    const { values } = parseArgs({
      options: {
        quick: { type: "boolean", default: false },
        only: { type: "string" },
        pairs: { type: "string" },
        task: { type: "string" },
        from: { type: "string" },
        write: { type: "boolean", default: false },
      },
    });
    const pairs = Number(values.pairs ?? (values.quick ? 1 : 3));
    if (!Number.isInteger(pairs) || pairs < 1) throw new Error("--pairs must be a whole number from 1");
    return { ...values, pairs, wanted: chosen(values.only) };
  } catch (error) {
    throw new CommandFailed(`${error.message}\n${usage}`);
  }
}

/** Runs each store's turns in a lab of its own, and keeps what they measured. */
async function measure({ wanted, pairs, quick, task }) {
  const folder = task ? resolve(task) : await build();
  await run(join(root, "tests/lab/prepare.sh"), ["--engine", "28"]);
  const output = join(root, "dist/bench");
  mkdirSync(output, { recursive: true });
  const started = Date.now();
  const results = { date: new Date(started).toISOString(), pairs, quick, labs: [] };
  const turns = turnsOf(wanted);
  for (const store of new Set(turns.map(({ leader }) => leader.store))) {
    const files = ["plan", "samples"].map((name) => join(output, `${name}-${store}.json`));
    const ofStore = turns.filter(({ leader }) => leader.store === store);
    rmSync(files[1], { force: true });
    writeFileSync(files[0], JSON.stringify({ pairs, quick, turns: ofStore }));
    const node = join(root, "node_modules/node24/bin/node");
    const command = ["--store", store, "--", node, "tests/bench/measure.mjs", ...files];
    const env = { ...process.env, FALCON_TASK_DIR: folder };
    await run(join(root, "tests/lab/lab.sh"), command, { env });
    results.labs.push({ store, ...JSON.parse(readFileSync(files[1], "utf8")) });
  }
  results.seconds = Math.round((Date.now() - started) / 1000);
  writeFileSync(join(output, "results.json"), `${JSON.stringify(results, null, 2)}\n`);
  return results;
}

await main(async () => {
  const given = options();
  const results = given.from ? JSON.parse(readFileSync(resolve(given.from), "utf8")) : await measure(given);
  const evaluated = evaluate(results, given.wanted);
  console.log(
    `\n${aligned(figures(evaluated))}\n\n${aligned(goals(evaluated))}\n\n${circumstances(evaluated)}`,
  );
  // A missed goal is a result and is printed. A flow that did not work yields no result.
  if (evaluated.broken.length > 0) throw new CommandFailed(`\nBroken:\n${evaluated.broken.join("\n")}`);
  if (!given.write) return;
  if (results.quick || given.only || results.pairs < 3)
    throw new CommandFailed("Only a complete run of at least three rounds is written into the documents");
  writeDocuments(evaluated);
});
