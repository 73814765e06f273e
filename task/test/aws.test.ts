import assert from "node:assert/strict";
import { test } from "node:test";
import type { AwsContext } from "../src/addon.ts";
import { takeAwsContext } from "../src/aws.ts";
import { Masks } from "../src/secrets.ts";

const id = "0b2c1d3e-4f50-4a61-8b72-9c83ad94be05";
const parameter = (name: string): string => `ENDPOINT_AUTH_PARAMETER_${id}_${name}`;

/** A job whose step names a service connection with keys, as the agent passes it. */
const connected = {
  INPUT_AWSCONNECTION: id,
  [`ENDPOINT_URL_${id}`]: "https://aws.amazon.com/",
  [`ENDPOINT_AUTH_${id}`]: '{"parameters":{"username":"AKIDEXAMPLE","password":"the-secret"}}',
  [`ENDPOINT_AUTH_SCHEME_${id}`]: "UsernamePassword",
  [parameter("USERNAME")]: "AKIDEXAMPLE",
  [parameter("PASSWORD")]: "the-secret",
  [parameter("ASSUMEROLEARN")]: "arn:aws:iam::123456789012:role/x",
  [parameter("EXTERNALID")]: "few",
  [parameter("USEOIDC")]: "false",
};

/** The environment of every job on Azure DevOps Services. */
const hosted = {
  SYSTEM_OIDCREQUESTURI: "https://dev.azure.com/contoso/1/_apis/distributedtask/oidctoken",
  ENDPOINT_URL_SYSTEMVSSCONNECTION: "https://contoso.visualstudio.com/",
  ENDPOINT_AUTH_SYSTEMVSSCONNECTION: '{"parameters":{"AccessToken":"job-token"},"scheme":"OAuth"}',
  ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN: "job-token",
};

function take(env: NodeJS.ProcessEnv): { context: AwsContext; left: NodeJS.ProcessEnv; masked: string[] } {
  const lines: string[] = [];
  const left = { ...env };
  const context = takeAwsContext(left, new Masks((line) => void lines.push(line)));
  const masked = lines.map((line) => line.replace("##vso[task.setsecret]", ""));
  return { context, left, masked };
}

test("A service connection is passed on as stored, every value as text", () => {
  const { connection } = take(connected).context;
  assert.deepEqual(connection, {
    accessKeyId: "AKIDEXAMPLE",
    secretAccessKey: "the-secret",
    sessionToken: "",
    roleArn: "arn:aws:iam::123456789012:role/x",
    roleSessionName: "",
    externalId: "few",
    useOidc: "false",
  });
});

test("Secrets of a connection are masked and removed from the environment", () => {
  const { left, masked } = take({ ...connected, ...hosted });
  for (const secret of ["the-secret", "AKIDEXAMPLE", "AKIDEXAMPLE:the-secret", "job-token"]) {
    assert.ok(masked.includes(secret), secret);
    assert.ok(masked.includes(Buffer.from(secret).toString("base64")), `${secret} in base64`);
    assert.ok(!JSON.stringify(left).includes(secret), `${secret} in the environment`);
  }
});

test("Variables of a connection are found in any case", () => {
  const upper = Object.entries(connected).map(([name, value]) => [name.toUpperCase(), value]);
  assert.equal(take(Object.fromEntries(upper)).context.connection?.secretAccessKey, "the-secret");
});

test("A connection that the job does not have is undefined", () => {
  assert.equal(take({ INPUT_AWSCONNECTION: id }).context.connection, undefined);
  assert.equal(take({ ...connected, INPUT_AWSCONNECTION: id.slice(1) }).context.connection, undefined);
  assert.equal(take({ ...connected, INPUT_AWSCONNECTION: "" }).context.connection, undefined);
});

test("The toolkit's variables are found, secret or not", () => {
  const { context, left, masked } = take({
    AWS_ACCESSKEYID: "AKIDVARIABLE",
    SECRET_AWS_SECRETACCESSKEY: "secret-of-a-variable",
    AWS_SESSIONTOKEN: "public-token",
    AWS_ASSUMEROLEARN: "arn:role",
    AWS_ROLESESSIONNAME: "session",
    SECRET_AWS_EXTERNALID: "external",
    AWS_REGION: "eu-west-1",
    AWS_ROLECREDENTIAL_MAXDURATION: "3600",
  });
  assert.deepEqual(context.variables, {
    accessKeyId: "AKIDVARIABLE",
    secretAccessKey: "secret-of-a-variable",
    sessionToken: "public-token",
    roleArn: "arn:role",
    roleSessionName: "session",
    externalId: "external",
    region: "eu-west-1",
    roleDuration: "3600",
  });
  for (const secret of ["secret-of-a-variable", "public-token"]) assert.ok(masked.includes(secret), secret);
  assert.ok(!("SECRET_AWS_SECRETACCESSKEY" in left));
  assert.equal(left.AWS_REGION, "eu-west-1", "the SDK's default chain reads it");
});

test("A token request names the job and the connection", () => {
  const { tokenRequest } = take({ ...connected, ...hosted, SYSTEM_ACCESSTOKEN: "second" }).context;
  assert.equal(tokenRequest?.jobToken, "job-token");
  assert.equal(
    tokenRequest?.url,
    `${hosted.SYSTEM_OIDCREQUESTURI}?api-version=7.1&serviceConnectionId=${id}`,
  );
  assert.deepEqual(tokenRequest?.hosts, [
    "dev.azure.com",
    ".dev.azure.com",
    ".visualstudio.com",
    "contoso.visualstudio.com",
  ]);
});

test("System.AccessToken is used where the job's connection has no token", () => {
  const { SYSTEM_OIDCREQUESTURI } = hosted;
  for (const name of ["SYSTEM_ACCESSTOKEN", "SECRET_SYSTEM_ACCESSTOKEN"]) {
    const { context, masked } = take({ ...connected, SYSTEM_OIDCREQUESTURI, [name]: "second" });
    assert.equal(context.tokenRequest?.jobToken, "second", name);
    assert.ok(masked.includes("second"));
  }
});

test("Without a connection, the job's token is not passed on", () => {
  const { context, left, masked } = take(hosted);
  assert.equal(context.tokenRequest, undefined);
  assert.ok(masked.includes("job-token"));
  assert.ok(!JSON.stringify(left).includes("job-token"));
});
