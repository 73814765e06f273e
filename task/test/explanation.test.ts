import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explanation, explanationLink } from "../src/explanation.ts";

const code = "ECR_TAG_IMMUTABLE";
const made = "https://code.example.test/project/blob/main";

test("Without an address a failure names its heading", () => {
  assert.equal(explanation(code, ""), "ECR_TAG_IMMUTABLE in docs/troubleshooting.md");
  assert.equal(explanationLink(code, ""), "`ECR_TAG_IMMUTABLE` in `docs/troubleshooting.md`");
});

test("With an address a failure links to its heading", () => {
  const address = `${made}/docs/troubleshooting.md#ecr_tag_immutable`;
  assert.equal(explanation(code, made), address);
  assert.equal(explanationLink(code, made), `[ECR_TAG_IMMUTABLE](${address})`);
});

test("The heading that is named exists", () => {
  const document = readFileSync(new URL("../../docs/troubleshooting.md", import.meta.url), "utf8");
  assert.match(document, new RegExp(`^## ${code}$`, "m"));
});
