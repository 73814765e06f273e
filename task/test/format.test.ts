import assert from "node:assert/strict";
import { test } from "node:test";
import { duration, megabytes } from "../src/format.ts";

test("Durations are readable", () => {
  const cases: [number, string][] = [
    [0, "0.0 s"],
    [420, "0.4 s"],
    [59_949, "59.9 s"],
    [59_950, "1 min 0 s"],
    [125_400, "2 min 5 s"],
    [3_600_000, "60 min 0 s"],
  ];
  for (const [milliseconds, text] of cases) assert.equal(duration(milliseconds), text);
});

test("Sizes are in millions of bytes", () => {
  assert.equal(megabytes(52_345_678), "52.3 MB");
});
