import assert from "node:assert/strict";
import { test } from "node:test";
import { command, neutralise, neutraliseToLine } from "../src/command.ts";

test("a_command_without_properties_has_no_space", () => {
  assert.equal(command("task.setsecret", {}, "abc"), "##vso[task.setsecret]abc");
});

test("properties_and_message_are_escaped_as_the_agent_unescapes_them", () => {
  const written = command("task.logissue", { code: "a]b;c%d\r\n" }, "100 % ]; of\r\nit");
  assert.equal(written, "##vso[task.logissue code=a%5Db%3Bc%AZP25d%0D%0A;]100 %AZP25 ]; of%0D%0Ait");
});

test("foreign_text_cannot_command_the_agent", () => {
  const cases: [foreign: string, lines: string[]][] = [
    ["plain text", ["plain text"]],
    ["##vso[task.complete result=Succeeded;]", ["**vso[task.complete result=Succeeded;]"]],
    ["in the middle ##VsO[task.setvariable]x", ["in the middle **VsO[task.setvariable]x"]],
    ["twice ##vso[a] ##vso[b]", ["twice **vso[a] **vso[b]"]],
    ["##[error]pretended", ["**[error]pretended"]],
    ["####vso[a]", ["##**vso[a]"]],
    ["hidden ##\u0000vso[a]", ["hidden **vso[a]"]],
    ["coloured #\u001b[31m#vso[a]\u001b[0m", ["coloured **vso[a]"]],
    ["one\ntwo\r\nthree\rfour", ["one", "two", "three", "four"]],
    ["one\r##vso[a]", ["one", "**vso[a]"]],
    ["a\ttab stays", ["a\ttab stays"]],
    ["", [""]],
  ];
  for (const [foreign, lines] of cases) assert.deepEqual(neutralise(foreign), lines, JSON.stringify(foreign));
});

test("text_of_several_lines_fits_on_one", () => {
  assert.equal(neutraliseToLine(" one\n##vso[a]\n"), "one **vso[a]");
});
