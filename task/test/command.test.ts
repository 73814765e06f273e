import assert from "node:assert/strict";
import { test } from "node:test";
import { command, neutralise, neutraliseToLine } from "../src/command.ts";

test("A command without properties has no space", () => {
  assert.equal(command("task.setsecret", {}, "abc"), "##vso[task.setsecret]abc");
});

test("Properties and message are escaped as the agent unescapes them", () => {
  const written = command("task.logissue", { code: "a]b;c%d\r\n" }, "100 % ]; of\r\nit");
  assert.equal(written, "##vso[task.logissue code=a%5Db%3Bc%AZP25d%0D%0A;]100 %AZP25 ]; of%0D%0Ait");
});

test("Foreign text cannot command the agent", () => {
  const cases: [foreign: string, lines: string[]][] = [
    ["plain text", ["plain text"]],
    ["##vso[task.complete result=Succeeded;]", ["**vso[task.complete result=Succeeded;]"]],
    ["in the middle ##VsO[task.setvariable]x", ["in the middle **VsO[task.setvariable]x"]],
    ["twice ##vso[a] ##vso[b]", ["twice **vso[a] **vso[b]"]],
    ["##[error]pretended", ["**[error]pretended"]],
    ["####vso[a]", ["##**vso[a]"]],
    ["hidden ##\u0000vso[a]", ["hidden **vso[a]"]],
    ["coloured #\u001b[31m#vso[a]\u001b[0m", ["coloured **vso[a]"]],
    ["broken ##v\u00adso[a]", ["broken **vso[a]"]],
    ["broken #\u200b#\u2060vso[a]", ["broken **vso[a]"]],
    ["broken ##vs\ufe0fo[a] #\u{e0001}#[error]b", ["broken **vso[a] **[error]b"]],
    ["turned \u202e##vso[a]", ["turned **vso[a]"]],
    ["broken ##vso\u2028[a]", ["broken **vso[a]"]],
    ["Grüße, 日本 →", ["Grüße, 日本 →"]],
    ["one\ntwo\r\nthree\rfour", ["one", "two", "three", "four"]],
    ["one\r##vso[a]", ["one", "**vso[a]"]],
    ["a\ttab stays", ["a\ttab stays"]],
    ["", [""]],
  ];
  for (const [foreign, lines] of cases) assert.deepEqual(neutralise(foreign), lines, JSON.stringify(foreign));
});

test("Text of several lines fits on one", () => {
  assert.equal(neutraliseToLine(" one\n##vso[a]\n"), "one **vso[a]");
});
