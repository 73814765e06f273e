import assert from "node:assert/strict";
import { test } from "node:test";
import { type FalconConnection, takeFalconConnection } from "../src/falcon.ts";
import { Masks } from "../src/secrets.ts";

const id = "0b2c1d3e-4f50-4a61-8b72-9c83ad94be05";
const customer = "0123456789abcdef0123456789abcdef-a1";
const secrets = { username: "the-client", password: "se/cret+", customerId: customer };

/** A job whose step names a service connection, as the agent passes it. */
const connected = {
  INPUT_FALCONCONNECTION: id,
  [`ENDPOINT_URL_${id}`]: "https://falcon.crowdstrike.com/",
  [`ENDPOINT_AUTH_${id}`]: JSON.stringify({ parameters: secrets, scheme: "UsernamePassword" }),
  [`ENDPOINT_AUTH_SCHEME_${id}`]: "UsernamePassword",
  [`ENDPOINT_AUTH_PARAMETER_${id}_USERNAME`]: secrets.username,
  [`ENDPOINT_AUTH_PARAMETER_${id}_PASSWORD`]: secrets.password,
  [`ENDPOINT_AUTH_PARAMETER_${id}_CUSTOMERID`]: customer,
  [`ENDPOINT_DATA_${id}`]: '{"region":"us-1"}',
  [`ENDPOINT_DATA_${id}_REGION`]: "us-1",
  [`ENDPOINT_DATA_${id}_APIURL`]: "https://api.example",
};

function take(env: NodeJS.ProcessEnv): {
  connection: FalconConnection | undefined;
  left: NodeJS.ProcessEnv;
  masked: string[];
} {
  const lines: string[] = [];
  const left = { ...env };
  const connection = takeFalconConnection(left, new Masks((line) => void lines.push(line)));
  const masked = lines.map((line) => line.replace("##vso[task.setsecret]", ""));
  return { connection, left, masked };
}

test("A connection is passed on as stored, every value as text", () => {
  assert.deepEqual(take(connected).connection, {
    clientId: "the-client",
    clientSecret: "se/cret+",
    customerId: customer,
    region: "us-1",
    apiUrl: "https://api.example",
    registry: "",
  });
});

test("Its secrets are masked in every form and removed from the environment", () => {
  const { left, masked } = take(connected);
  const texts = ["se/cret+", "the-client", "the-client:se/cret+", customer, customer.toUpperCase()];
  for (const text of [...texts, customer.slice(0, -3)]) {
    assert.ok(masked.includes(text), text);
    assert.ok(masked.includes(Buffer.from(text).toString("base64")), `${text} in base64`);
    assert.ok(!JSON.stringify(left).includes(text), `${text} in the environment`);
  }
  assert.ok(masked.includes("se%AZP252Fcret%AZP252B"), "URL-encoded");
});

test("The cloud and the hosts are not masked, since they are in every line about them", () => {
  const { masked } = take(connected);
  for (const text of ["us-1", "https://api.example", "auto"]) assert.ok(!masked.includes(text), text);
});

test("The agent's variables are found in any case", () => {
  const upper = Object.entries(connected).map(([name, value]) => [name.toUpperCase(), value]);
  const { connection, left } = take(Object.fromEntries(upper));
  assert.equal(connection?.clientSecret, "se/cret+");
  assert.equal(connection?.region, "us-1");
  assert.ok(!JSON.stringify(left).includes("the-client"));
});

test("A connection that the job does not have, or that the step does not name, is undefined", () => {
  assert.equal(take({ INPUT_FALCONCONNECTION: id }).connection, undefined);
  assert.equal(take({ ...connected, INPUT_FALCONCONNECTION: id.slice(1) }).connection, undefined);
  assert.equal(take({ ...connected, INPUT_FALCONCONNECTION: " " }).connection, undefined);
});
