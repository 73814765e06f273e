/**
 * Fuzzing of all that makes the words of others harmless.
 *
 * `FALCON_FUZZ_SECONDS` is the time of each test; without it each tries a few hundred cases. A case that fails is printed
 * small; it is kept in `findings`, which every later run tries first.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { command, neutralise, neutraliseToLine } from "../src/command.ts";
import { inert, literal, sentence } from "../src/markdown.ts";

/** Texts that once failed. */
const findings = ["#\t#\u001b[", "\u017fwww."];

/** Texts that mean something to the agent, to a terminal, to Markdown, or to a reader's eye. */
const pieces = [
  "##vso[task.setvariable variable=x;isOutput=true]y",
  "##vso[",
  "##VSO",
  "##[error]",
  "##[",
  "#",
  "vso[",
  "[",
  "]",
  ";",
  "%0A",
  "%AZP25",
  "\r",
  "\n",
  "\t",
  "\u0000",
  "\u0085",
  "\u001b[31m",
  "\u001b[",
  "\u00ad",
  "\u200b",
  "\u202e",
  "\u2028",
  "\ufe0f",
  "\u{e0001}",
  "\ud800",
  "ſ",
  "`",
  "|",
  "<b>",
  "](http://x",
  "www.",
  "é",
];

const texts = fc
  .array(fc.oneof(fc.constantFrom(...pieces), fc.string({ unit: "binary", maxLength: 4 })), { maxLength: 12 })
  .map((parts) => parts.join(""));

/** Tries a property with many texts; it must hold for each. */
function fuzz(property: (text: string) => void): void {
  const seconds = process.env.FALCON_FUZZ_SECONDS;
  const limit =
    seconds === undefined
      ? { numRuns: 500 }
      : { numRuns: Number.MAX_SAFE_INTEGER, interruptAfterTimeLimit: Number(seconds) * 1000 };
  const examples = findings.map((text): [string] => [text]);
  fc.assert(fc.property(texts, property), { ...limit, examples });
}

/** Anything that the agent could obey or that shows nothing; a tab is the one control character that may stay. */
const harmful = /##vso|##\[|(?!\t)[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}]/iu;

test("A text of any form becomes lines that mean nothing to the agent", () => {
  fuzz((text) => {
    for (const line of neutralise(text)) {
      assert.doesNotMatch(line, harmful);
      assert.deepEqual(neutralise(line), [line], "what is harmless stays as it is");
    }
    assert.doesNotMatch(neutraliseToLine(text), harmful);
  });
});

test("A command of any text is one line, and its properties end where they should", () => {
  fuzz((text) => {
    const written = command("task.logissue", { code: text, type: "error" }, text);
    assert.doesNotMatch(written, /[\r\n]/);
    const head = written.slice(0, written.indexOf("]"));
    assert.equal(head.split(";").length, 3, "two properties");
    assert.ok(head.endsWith(";type=error;"), head);
  });
});

test("A text of any form means nothing to Markdown", () => {
  fuzz((text) => {
    for (const cell of [literal(text), inert(neutraliseToLine(text)), sentence(text)]) {
      const outside = cell.replaceAll(/`[^`]*`/g, "");
      assert.doesNotMatch(outside, /[`|<>*_[\]\\]|:\/\/|www\./i);
      assert.doesNotMatch(cell, /[|<>\r\n]/);
    }
  });
});
