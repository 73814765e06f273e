// The checks of the sources: each fails on a planted mistake.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { root } from "../../scripts/tools.mjs";
import { review } from "../../scripts/words.mjs";

/** Lints files below a copy of our settings. */
function lint(files) {
  const folder = mkdtempSync(join(tmpdir(), "falcon-lint-"));
  try {
    cpSync(join(root, "biome.json"), join(folder, "biome.json"));
    mkdirSync(join(folder, "task/src"), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "task/src", name), text);
    const biome = join(root, "node_modules/.bin/biome");
    const { status, stdout, stderr } = spawnSync(biome, ["lint"], { cwd: folder, encoding: "utf8" });
    return { status, text: stdout + stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("A circle of imports fails the check, also one of types alone", () => {
  const last = "export interface C {\n  name: string;\n}\n";
  const files = {
    "a.ts": 'import type { B } from "./b.ts";\nexport interface A {\n  b: B;\n}\n',
    "b.ts": 'import type { C } from "./c.ts";\nexport interface B {\n  c: C;\n}\n',
  };
  const straight = lint({ ...files, "c.ts": last });
  assert.equal(straight.status, 0, straight.text);
  const circle = lint({ ...files, "c.ts": `import type { A } from "./a.ts";\nexport type D = A;\n${last}` });
  assert.equal(circle.status, 1, circle.text);
  assert.match(circle.text, /noImportCycles/);
});

const plain = (count) => "/** Names of images. */\n\n".repeat(count);

test("Doc comments that open with a question fail the check at 5 percent", () => {
  const one = "/** Whether it is so. */\n";
  assert.deepEqual(review([["task/src/a.ts", one + plain(20)]]), {
    problems: [],
    comments: 21,
    questions: 1,
  });
  const { problems } = review([["task/src/a.ts", plain(19) + one]]);
  assert.deepEqual(problems, ["task/src/a.ts:39: opens with a question: Whether it is so. */"]);
});

test("Doc comments are found in each way to write one", () => {
  const rust =
    "//! How it works.\n//! What else.\n\n    /// Why.\n    ///\n    /// Who knows.\n// What\n//// What\n";
  const script = "/**\n * What it is.\n *\n * Where.\n */\n  /** where */\n/* What */\n";
  const { problems, comments } = review([
    ["native/core/src/a.rs", rust],
    ["tests/task/a.mjs", script],
    ["docs/a.md", script],
  ]);
  assert.equal(comments, 4);
  assert.deepEqual(
    problems.map((problem) => problem.split(": ")[0]),
    ["native/core/src/a.rs:1", "native/core/src/a.rs:4", "tests/task/a.mjs:1", "tests/task/a.mjs:6"],
  );
});

test("A phrase to avoid fails the check wherever it stands", () => {
  const phrases = [
    "Whoever",
    "whomever",
    "Anybody",
    "of one's own",
    "has to be",
    "have to be",
    "what came of it",
    "`x` is no region",
    "it is no `y`",
    "has\n/// to be",
    "is\n * no image",
  ];
  for (const phrase of phrases)
    for (const path of ["a.rs", "a.ts", "a.mjs", "a.sh", "a.md", "a.json", "a.yml"])
      assert.equal(review([[path, `first\n${phrase} last\n`]]).problems.length, 1, `${path}: ${phrase}`);
  assert.deepEqual(review([["package-lock.json", phrases.join("\n")]]).problems, []);
});

test("Good English is not refused", () => {
  const good =
    "There is no region. It is no longer here, is no more than one, and the answer is no. A body is there.";
  assert.deepEqual(review([["docs/a.md", good]]).problems, []);
});
