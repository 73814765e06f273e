import assert from "node:assert/strict";
import { test } from "node:test";
import { otherInputs } from "../src/other-inputs.ts";

test("Inputs that the task does not have are listed as the agent names them", () => {
  const env = {
    INPUT_ACTION: "patch",
    INPUT_FALCONCTLOPTION: "--tags=web",
    INPUT_SOURCEIMGE: "app/web:1",
    INPUT_EMPTY: " ",
    INPUT_REGIONNAME: "eu-west-1",
    OTHER: "x",
  };
  assert.deepEqual(otherInputs(env), ["FALCONCTLOPTION", "SOURCEIMGE"]);
});

test("Variables of the pipeline are not inputs", () => {
  const env = {
    INPUT_SOURCEIMAG: "x",
    INPUT_FALCON_CI: "y",
    INPUT_TARGETIMAG: "z",
    VSTS_PUBLIC_VARIABLES: JSON.stringify(["input.sourceImag", "build.buildId"]),
    VSTS_SECRET_VARIABLES: JSON.stringify(["input_falcon.ci"]),
  };
  assert.deepEqual(otherInputs(env), ["TARGETIMAG"]);
});

test("A list of variables that cannot be read hides nothing", () => {
  for (const list of ["", "{", "{}", "null"])
    assert.deepEqual(otherInputs({ INPUT_X: "y", VSTS_PUBLIC_VARIABLES: list }), ["X"], list);
});
