// `npm test`: every test there is, stage by stage, cheapest first. `npm test -- package` runs the stages whose name begins so.
// The stages of a group run side by side: each has a lab of its own, and mostly waits for its engine.
import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { CommandFailed, main, root, succeeds } from "./tools.mjs";

const node = process.execPath;
const lab = (store, ...command) => ["tests/lab/lab.sh", "--store", store, "--", ...command];
const stores = ["containerd", "overlay2"];
const nodes = [20, 24].map((major) => ({ major, program: join(root, `node_modules/node${major}/bin/node`) }));

/** Files whose tests change what labs share, the kernel's handlers; their stages run by themselves. */
const alone = "-alone.test.mjs";

/** Lists the groups of stages in order. One that prepares counts no tests; any other without a test is a failure. */
function groups() {
  const nextest = succeeds("cargo", ["nextest", "--version"]);
  const rust = nextest ? ["nextest", "run"] : ["test"];
  const blackBox = (name, files) =>
    nodes.map(({ major, program }, index) => ({
      name: `${name}, Node ${major}, ${stores[index]}`,
      command: lab(stores[index], program, ...testRunner, ...files),
    }));
  const files = testsIn("tests/task", ".test.mjs");
  const one = [
    { name: "setup", prepares: true, command: [node, "scripts/setup.mjs"] },
    { name: "check", command: [node, "scripts/check.mjs"] },
    { name: "rust units", command: ["cargo", ...rust, "--locked"] },
    {
      name: "task units",
      command: [node, "--import", "tsx", ...testRunner, ...testsIn("task/test", ".test.ts")],
    },
    { name: "bench units", command: [node, ...testRunner, ...testsIn("tests/bench", ".test.mjs")] },
    { name: "package", prepares: true, command: [node, "scripts/package.mjs"] },
    { name: "package tests", command: [node, ...testRunner, ...testsIn("tests/package", ".test.mjs")] },
    { name: "lab", prepares: true, command: ["tests/lab/prepare.sh"] },
    // The lab has no network, so its tests are built before it is entered.
    { name: "engine build", prepares: true, command: ["cargo", ...engineTests, "--no-run"] },
  ];
  return [
    ...one.map((stage) => [stage]),
    stores.map((store) => ({
      name: `engine, ${store}`,
      command: lab(store, "cargo", ...engineTests, "--offline"),
    })),
    blackBox(
      "black box",
      files.filter((file) => !file.endsWith(alone)),
    ),
    ...blackBox("black box alone", testsIn("tests/task", alone)).map((stage) => [stage]),
  ];
}

const engineTests = ["test", "--locked", "--package", "falcon-patch-engine-tests"];
const testRunner = ["--test", "--test-reporter=spec"];

/** Node 20 takes no patterns, so the files are named. */
function testsIn(folder, suffix) {
  const path = join(root, folder);
  const files = existsSync(path) ? readdirSync(path, { recursive: true }) : [];
  // Without a file the runner would search the repository by itself.
  const found = files.filter((name) => name.endsWith(suffix)).map((name) => join(folder, name));
  return found.length > 0 ? found.sort() : [`${folder}/*${suffix}`];
}

/** The output of a stage: shown as it comes while the stage is the first of its group, else held until it is. */
class Screen {
  #held = [];
  #isShown = false;

  write(text, sink = process.stdout) {
    if (this.#isShown) sink.write(text);
    else this.#held.push([text, sink]);
  }

  show() {
    this.#isShown = true;
    for (const [text, sink] of this.#held.splice(0)) sink.write(text);
  }
}

/** Runs a command, writes its output to a screen, and keeps it to be counted. */
function watch([command, ...args], screen) {
  return new Promise((resolve) => {
    let output = "";
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"] });
    for (const [source, sink] of [
      [child.stdout, process.stdout],
      [child.stderr, process.stderr],
    ]) {
      source.setEncoding("utf8").on("data", (text) => {
        output += text;
        screen.write(text, sink);
      });
    }
    child.on("error", (error) => resolve({ output: `${output}${error.message}`, code: 1 }));
    child.on("close", (code) => resolve({ output, code: code ?? 1 }));
  });
}

/** Adds up the last lines of the test runners: those of cargo, nextest, Node and our own. */
function count(output) {
  const text = stripVTControlCharacters(output);
  const sum = (...patterns) =>
    patterns
      .flatMap((pattern) => [...text.matchAll(pattern)])
      .reduce((total, match) => total + Number(match[1]), 0);
  return {
    passed: sum(
      /^test result: .*?(\d+) passed/gm,
      /Summary .*?(\d+) passed/g,
      /^ℹ pass (\d+)/gm,
      /^(\d+) passed, \d+ failed$/gm,
    ),
    failed: sum(
      /^test result: .*?(\d+) failed/gm,
      /Summary .*?(\d+) failed/g,
      /^ℹ fail (\d+)/gm,
      /^\d+ passed, (\d+) failed$/gm,
    ),
  };
}

async function runStage({ name, command, prepares = false }, screen) {
  screen.write(`\n=== ${name}: ${command.join(" ").replaceAll(`${root}/`, "")}\n`);
  const started = Date.now();
  const { output, code } = await watch(command, screen);
  const { passed, failed } = prepares ? { passed: 0, failed: 0 } : count(output);
  const seconds = Math.round((Date.now() - started) / 1000);
  const empty = !prepares && passed + failed === 0;
  // A stage can fail without a failed test, by not compiling for instance: it then counts as one.
  const failures = Math.max(failed, code !== 0 || empty ? 1 : 0);
  const tests = prepares ? (failures > 0 ? "failed" : "done") : `${passed} passed, ${failures} failed`;
  const line = `${name}: ${tests}${empty ? " (no test executed)" : ""} in ${seconds} s`;
  screen.write(`=== ${line}\n`);
  return { line, passed, failures, stop: prepares && failures > 0 };
}

/** Runs stages side by side; the output of each is shown in one piece, in the order of the stages. */
async function runGroup(stages) {
  const screens = stages.map(() => new Screen());
  const running = stages.map((stage, index) => runStage(stage, screens[index]));
  const results = [];
  for (const [index, result] of running.entries()) {
    screens[index].show();
    results.push(await result);
  }
  return results;
}

await main(async () => {
  const wanted = process.argv[2] ?? "";
  const results = [];
  for (const group of groups()) {
    results.push(...(await runGroup(group.filter(({ name }) => name.startsWith(wanted)))));
    // The stages after a preparation need it.
    if (results.some(({ stop }) => stop)) break;
  }
  const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
  console.log(`\n${results.map(({ line }) => line).join("\n")}\n`);
  console.log(`${total("passed")} passed, ${total("failures")} failed`);
  if (total("failures") > 0 || total("passed") === 0) throw new CommandFailed("Some tests failed");
});
