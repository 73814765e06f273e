// The service connection to CrowdStrike: it replaces inputs, and nothing of it is shown.
import assert from "node:assert/strict";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { asked, client, falcon, run } from "./crowdstrike.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { config, customerId, inputs, needsLab, registry, sensorTag } from "./lab.mjs";

const connectionId = "7d1f6a52-0d7c-4f0a-9a3e-2f4b6c8d0e1f";

/** A service connection of the extension's type. */
const connection = (changes = {}) => ({
  [connectionId]: {
    url: "https://falcon.crowdstrike.com/",
    parameters: {
      username: client.falconClientId,
      password: client.falconClientSecret,
      customerId,
      ...changes.parameters,
    },
    data: { region: "us-1", apiUrl: falcon.apiUrl, registry: falcon.registry, ...changes.data },
  },
});

/** A step that takes from the connection what the inputs would hold. */
const connected = {
  falconConnection: connectionId,
  falconClientId: "",
  falconClientSecret: "",
  falconApiUrl: "",
  falconRegistry: "",
};

/** The forms of what a connection holds, apart from those that a leak is always searched for in. */
function assertConnectionHidden(step) {
  const { parameters } = connection()[connectionId];
  const { falconClientId, falconClientSecret } = client;
  assertNoLeak(step, [falconClientId, falconClientSecret, `${falconClientId}:${falconClientSecret}`]);
  assertNoLeak(step, [JSON.stringify(parameters), customerId.toUpperCase()]);
}

test("A service connection gives client, customer ID, cloud and hosts", needsLab, async () => {
  const targetImage = `${registry}/app/target:connected`;
  const step = await run({ ...connected, targetImage }, connection());
  assertSucceeded(step);
  assertConnectionHidden(step);
  assert.equal(step.outputs.sensorVersion, sensorTag);
  assert.equal(step.variables.FALCON_ECR_IMAGE, `${falcon.repository}:${sensorTag}`);
  const options = config(targetImage).config.Env.find((line) => line.startsWith("FALCONCTL_OPTS="));
  assert.equal(options, `FALCONCTL_OPTS=--cid=${customerId}`);
  assert.equal(asked("/oauth2/token").length, 1, "one sign-in for a run");
  assert.ok(
    step.shown.every((line) => !/\bus-\*\*\*|\*\*\*-1\b/.test(line)),
    "the cloud is not masked",
  );
});

test("A connection with a customer ID alone is enough for a sensor image", needsLab, async () => {
  const parameters = { username: "", password: "" };
  const changes = { sensorSource: "image", sensorImage: inputs().sensorImage, action: "plan" };
  const step = await run({ ...connected, ...changes }, connection({ parameters }));
  assertSucceeded(step);
  assert.deepEqual(falcon.requests, [], "nothing is asked of CrowdStrike");
});

test("Both a connection and the inputs that it replaces are refused, all at once", needsLab, async () => {
  const typed = { ...client, falconCid: customerId, falconRegion: "eu-1" };
  const step = await run({ ...connected, ...typed }, connection());
  const text = `${assertFailed(step, "INPUT_WITHOUT_EFFECT")}\n${story(step)}`;
  for (const name of [...Object.keys(typed), "falconConnection"]) assert.match(text, new RegExp(name));
  assertConnectionHidden(step);
  assert.deepEqual(falcon.requests, []);
});

const badConnections = [
  ["that the job does not have", () => ({}), "FALCON_CONNECTION_MISSING"],
  ["with half a client", () => connection({ parameters: { password: "" } }), "FALCON_CONNECTION_INCOMPLETE"],
  [
    "without a client",
    () => connection({ parameters: { username: "", password: "" } }),
    "FALCON_CONNECTION_INCOMPLETE",
  ],
  ["with an unknown cloud", () => connection({ data: { region: "us-3" } }), "INPUT_UNKNOWN_VALUE"],
  ["with a plain API", () => connection({ data: { apiUrl: "http://api.example" } }), "INPUT_MALFORMED"],
  [
    "with a customer ID without checksum",
    () => connection({ parameters: { customerId: customerId.split("-")[0] } }),
    "INPUT_CID_WITHOUT_CHECKSUM",
  ],
];

for (const [situation, endpoints, code] of badConnections)
  test(`A connection ${situation} is refused by its name`, needsLab, async () => {
    const step = await run(connected, endpoints());
    assert.match(assertFailed(step, code), /^Invalid input `falconConnection[^`]*`: /);
    assertConnectionHidden(step);
    assert.deepEqual(falcon.requests, []);
  });
