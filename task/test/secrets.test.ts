import assert from "node:assert/strict";
import { test } from "node:test";
import { environmentName, forgetSecrets, Masks, takeSecrets } from "../src/secrets.ts";

const id = "0123456789abcdef0123456789abcdef-a1";

/** The texts that are masked for an environment. */
function masked(env: NodeJS.ProcessEnv): string[] {
  const lines: string[] = [];
  takeSecrets(env, new Masks((line) => lines.push(line)));
  const prefix = "##vso[task.setsecret]";
  for (const line of lines) assert.ok(line.startsWith(prefix), line);
  return lines.map((line) => line.slice(prefix.length));
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}

test("Names of environment variables follow the agent's rule", () => {
  assert.equal(environmentName("falconCid"), "FALCONCID");
  assert.equal(environmentName("System.Debug mode"), "SYSTEM_DEBUG_MODE");
});

test("Secret inputs are trimmed and removed from the environment", () => {
  const env = { INPUT_FALCONCID: ` ${id}\n`, INPUT_AWSSESSIONTOKEN: "token", INPUT_SOURCEIMAGE: "app:1" };
  const secrets = takeSecrets(env, new Masks(() => undefined));
  assert.deepEqual(secrets, {
    falconCid: id,
    falconClientSecret: "",
    falconctlOptions: "",
    awsSecretAccessKey: "",
    awsSessionToken: "token",
  });
  assert.deepEqual(env, { INPUT_SOURCEIMAGE: "app:1" });
});

test("Without secrets, nothing is masked", () => {
  assert.deepEqual(masked({ INPUT_SOURCEIMAGE: "app:1", INPUT_FALCONCID: " " }), []);
});

test("A secret is masked in every form", () => {
  const cases: [situation: string, env: NodeJS.ProcessEnv, forms: string[]][] = [
    ["plain and base64", { INPUT_AWSSESSIONTOKEN: "se/cret+" }, ["se/cret+", base64("se/cret+")]],
    ["URL-encoded", { INPUT_AWSSESSIONTOKEN: "se/cret+" }, ["se%AZP252Fcret%AZP252B"]],
    [
      "with the user",
      { INPUT_AWSACCESSKEYID: "AKIA", INPUT_AWSSECRETACCESSKEY: "k" },
      [base64("AKIA:k"), "AKIA:k"],
    ],
    ["with the client", { INPUT_FALCONCLIENTID: "me", INPUT_FALCONCLIENTSECRET: "s" }, [base64("me:s")]],
    ["customer ID in both cases", { INPUT_FALCONCID: id }, [id, id.toUpperCase()]],
    ["customer ID without checksum", { INPUT_FALCONCID: id.toUpperCase() }, [id.slice(0, -3)]],
    ["an option's token", { INPUT_FALCONCTLOPTIONS: "--tags=a --provisioning-token=ABCD1234" }, ["ABCD1234"]],
    ["all options", { INPUT_FALCONCTLOPTIONS: "--tags=a" }, ["--tags=a"]],
    [
      "keys of the default chain",
      { AWS_SECRET_ACCESS_KEY: "chain", AWS_SESSION_TOKEN: "t0" },
      ["chain", "t0"],
    ],
  ];
  for (const [situation, env, forms] of cases) {
    const found = masked(env);
    for (const form of forms) assert.ok(found.includes(form), `${situation}: ${form} of ${found.join(", ")}`);
  }
});

test("Each line of a multi-line secret is masked, and no mask contains a line break", () => {
  const found = masked({ INPUT_AWSSECRETACCESSKEY: "first\r\nsecond" });
  assert.ok(found.includes("first") && found.includes("second"));
  assert.ok(found.includes(base64("first\nsecond")));
  for (const form of found) assert.doesNotMatch(form, /%0[AD]/);
});

test("A macro of an unset variable is not masked", () => {
  assert.deepEqual(masked({ INPUT_FALCONCID: "$(FALCON_CID)" }), []);
});

test("Each form is masked only once", () => {
  const lines: string[] = [];
  const masks = new Masks((line) => lines.push(line));
  masks.add("secret");
  const count = lines.length;
  masks.add("secret");
  assert.equal(lines.length, count);
});

test("Keys of the AWS default chain stay in the environment", () => {
  const env = { AWS_SECRET_ACCESS_KEY: "chain" };
  takeSecrets(env, new Masks(() => undefined));
  assert.equal(env.AWS_SECRET_ACCESS_KEY, "chain");
});

test("All confidential variables are removed for the post-job step", () => {
  const env: NodeJS.ProcessEnv = {
    INPUT_FALCONCID: id,
    SECRET_FALCON_CID: id,
    ENDPOINT_AUTH_SYSTEMVSSCONNECTION: "{}",
    SECUREFILE_TICKET_1: "t",
    VSTS_TASKVARIABLE_A: "a",
    AGENT_NAME: "agent",
  };
  forgetSecrets(env);
  assert.deepEqual(env, { AGENT_NAME: "agent" });
});
