// Every way to sign in to AWS, with service connections as the agent passes them.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { afterEach, test } from "node:test";
import { Job, jobConnection, story } from "./agent.mjs";
import { assertFailed, assertNoLeak, assertSucceeded } from "./expect.mjs";
import { customerId, front, inputs, keys, needsLab, registry, registryPassword } from "./lab.mjs";

const id = "0b2c1d3e-4f50-4a61-8b72-9c83ad94be05";
const role = process.env.LAB_ROLE_ARN ?? "arn:aws:iam::123456789012:role/lab-deploy";
const { awsAccessKeyId: username, awsSecretAccessKey: password } = keys("ADMIN");
const jobToken = jobConnection.parameters.AccessToken;
const externalId = "shared-with-few";
const claims = {
  iss: "https://vstoken.dev.azure.com/5d0c",
  sub: "sc://contoso/web/production-aws",
  aud: "api://AzureADTokenExchange",
  p_id: "not-for-the-log",
};
const token = ["{}", JSON.stringify(claims), "signature"]
  .map((part) => Buffer.from(part).toString("base64url"))
  .join(".");

afterEach(async () => {
  if (process.env.LAB_FRONT) await front("DELETE", "/faults");
});

/** Inputs without any credentials: they come from elsewhere. */
function given(changes = {}) {
  return inputs({ action: "plan", awsAccessKeyId: "", awsSecretAccessKey: "", ...changes });
}

/** The steps of one job with a service connection, and the calls to AWS that it sent. */
async function signIn({ parameters, variables, secrets, env, changes = {}, connected = parameters }) {
  const endpoints = connected ? { [id]: { parameters: { useOIDC: "false", ...parameters } } } : {};
  const job = new Job({ endpoints, variables, secrets, env });
  try {
    await front("DELETE", "/requests");
    const step = await job.run(given({ ...(parameters ? { awsConnection: id } : {}), ...changes }));
    const requests = await front("GET", "/requests");
    // An input typed in plain text is not a secret: a key's ID, an external ID.
    const hidden = [username, externalId].filter((text) => !Object.values(changes).includes(text));
    assertNoLeak(step, [...hidden, password, jobToken, token, customerId, claims.p_id]);
    await job.post();
    assert.deepEqual(job.files(), [], "files left");
    const calls = requests.map(({ path }) => path).filter((path) => path.startsWith("aws:"));
    return { step, calls };
  } finally {
    job.end();
  }
}

/** A server that issues OIDC tokens for the job. */
async function issuer(answer = () => [200, { oidcToken: token }]) {
  const asked = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    asked.push({ method, url, headers });
    const [status, body] = answer(asked.length) ?? [];
    if (status === undefined) return void request.socket.destroy();
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const uri = `http://127.0.0.1:${server.address().port}/contoso/_apis/distributedtask/oidctoken`;
  const close = () => new Promise((resolve) => server.close(resolve));
  return { asked, variables: { "System.OidcRequestUri": uri }, close };
}

const assumed = `arn:aws:sts::123456789012:assumed-role/lab-deploy/`;

function assertOrigin(step, origin, arn = "") {
  const line = story(step)
    .split("\n")
    .find((text) => text.startsWith("AWS: account"));
  assert.ok(line?.endsWith(`(credentials from ${origin})`), `${line}`);
  assert.ok(line.includes(arn), line);
}

const ways = [
  ["Keys of the connection", { parameters: { username, password } }, "`awsConnection`", ":user/lab-admin"],
  [
    "Keys and role of the connection",
    { parameters: { username, password, assumeRoleArn: role, externalId, roleSessionName: "nightly" } },
    "`awsConnection` with its role",
    `${assumed}nightly`,
  ],
  [
    "A role of the inputs on top of the connection",
    { parameters: { username, password }, changes: { awsRoleArn: role, awsExternalId: externalId } },
    "`awsConnection` with the role of `awsRoleArn`",
    `${assumed}aws-vsts-tools`,
  ],
  [
    "Keys of the inputs before variables",
    {
      changes: keys("ADMIN"),
      secrets: { "AWS.AccessKeyID": "AKIDWRONG", "AWS.SecretAccessKey": "wrong-secret" },
    },
    "the inputs",
    ":user/lab-admin",
  ],
  [
    "Variables of the toolkit",
    {
      variables: { "AWS.AccessKeyID": username, "AWS.RoleSessionName": "from-variable" },
      secrets: { "AWS.SecretAccessKey": password, "AWS.AssumeRoleArn": role, "AWS.ExternalId": externalId },
    },
    "the variables `AWS.*` with its role",
    `${assumed}from-variable`,
  ],
  [
    "The default chain with the connection's role",
    {
      parameters: { assumeRoleArn: role },
      env: { AWS_ACCESS_KEY_ID: username, AWS_SECRET_ACCESS_KEY: password },
    },
    "the SDK's default chain with the role of `awsConnection`",
    `${assumed}aws-vsts-tools`,
  ],
];

for (const [situation, options, origin, arn] of ways) {
  test(`${situation} can sign in`, needsLab, async () => {
    const { step } = await signIn(options);
    assertSucceeded(step);
    assertOrigin(step, origin, arn);
  });
}

test("OIDC assumes the connection's role, then awsRoleArn", needsLab, async () => {
  const tokens = await issuer((nth) => (nth === 1 ? undefined : [200, { oidcToken: token }]));
  try {
    const { step, calls } = await signIn({
      parameters: { assumeRoleArn: role, useOIDC: "true" },
      variables: tokens.variables,
      changes: { awsRoleArn: role },
    });
    assertSucceeded(step);
    assertOrigin(step, "`awsConnection` by OIDC with the role of `awsRoleArn`", assumed);
    assert.equal(tokens.asked.length, 2, "asked again after the connection broke");
    const [{ method, url, headers }] = tokens.asked;
    assert.equal(method, "POST");
    assert.ok(url.endsWith(`?api-version=7.1&serviceConnectionId=${id}`), url);
    assert.equal(headers.authorization, `Bearer ${jobToken}`);
    assert.equal(headers["x-tfs-fedauthredirect"], "Suppress");
    const signIns = calls.filter((call) => /AssumeRole/.test(call)).map((call) => call.split(":").at(-1));
    assert.deepEqual(signIns, ["AssumeRoleWithWebIdentity", "AssumeRole"]);
    const passwords = calls.filter((call) => call === "aws:ecr:GetAuthorizationToken");
    assert.equal(passwords.length, 1, "one password for one registry");
  } finally {
    await tokens.close();
  }
});

test("A role of another account makes the run use that account", needsLab, async () => {
  const { step } = await signIn({
    parameters: { username, password },
    changes: { awsRoleArn: process.env.LAB_OTHER_ROLE_ARN },
  });
  const line = "AWS: account 210987654321, arn:aws:sts::210987654321:assumed-role/lab-other/aws-vsts-tools";
  assert.ok(story(step).includes(line), story(step));
});

test("A missing repository is planned, then created, then pushed to", needsLab, async () => {
  const tokens = await issuer();
  const target = `${registry.replace("eu-west-1", "us-east-1")}/app/made-by-the-task:1`;
  const options = {
    parameters: { assumeRoleArn: role, useOIDC: "true" },
    variables: tokens.variables,
    changes: { targetImage: target, createRepository: "true" },
  };
  try {
    const planned = await signIn(options);
    assertSucceeded(planned.step);
    assert.match(story(planned.step), /Create the repository .*app\/made-by-the-task/);
    assert.ok(!planned.calls.includes("aws:ecr:CreateRepository"), "a plan changes nothing");
    const made = await signIn({ ...options, changes: { ...options.changes, action: "patch" } });
    assertSucceeded(made.step);
    assert.ok(made.calls.includes("aws:ecr:CreateRepository"));
    const passwords = made.calls.filter((call) => call === "aws:ecr:GetAuthorizationToken");
    assert.equal(passwords.length, 2, "one password for each of two registries");
    assert.match(story(made.step), /created by the account's defaults: mutable tags, not scanned on push/);
    assert.match(story(made.step), /^ *created the repository `.*made-by-the-task`/m);
    assert.ok(!made.step.leaks(registryPassword));
    const again = await signIn(options);
    assert.doesNotMatch(story(again.step), /Create the repository/);
  } finally {
    await tokens.close();
  }
});

test("A repository that only AWS knows to be missing is missing", needsLab, async () => {
  await front("POST", "/faults", {
    match: { pathPattern: "^/v2/app/known-to-nobody/manifests/" },
    answer: {
      status: 404,
      body: { errors: [{ code: "MANIFEST_UNKNOWN", message: "Requested image not found" }] },
    },
  });
  const plan = async (changes) =>
    signIn({
      parameters: { username, password },
      changes: { targetImage: `${registry}/app/known-to-nobody:1`, ...changes },
    });
  const created = await plan({ createRepository: "true" });
  assertSucceeded(created.step);
  assert.match(story(created.step), /Create the repository .*app\/known-to-nobody/);
  const { step } = await plan({});
  assertFailed(step, "ECR_REPOSITORY_NOT_FOUND");
  assert.match(story(step), /`createRepository: true`/);
});

test("Without permission to create a repository, the failure names the permission", needsLab, async () => {
  const message =
    "User: arn:aws:iam::123456789012:user/lab-admin is not authorized to perform: ecr:CreateRepository on resource: * because no identity-based policy allows the ecr:CreateRepository action";
  await front("POST", "/faults", {
    match: { pathPattern: "^aws:ecr:CreateRepository" },
    answer: {
      status: 400,
      headers: { "content-type": "application/x-amz-json-1.1" },
      body: { __type: "AccessDeniedException", message },
    },
  });
  const { step } = await signIn({
    parameters: { username, password },
    changes: { action: "patch", targetImage: `${registry}/app/denied:1`, createRepository: "true" },
  });
  assertFailed(step, "AWS_DENIED");
  assert.match(story(step), /hint: .*"ecr:CreateRepository"/);
  assert.doesNotMatch(story(step), /Already done: .*(created|pushed)/);
});

/** Valid keys, in every place that is read later: none of them may be used. */
const elsewhere = {
  secrets: { "AWS.AccessKeyID": username, "AWS.SecretAccessKey": password },
  env: { AWS_ACCESS_KEY_ID: username, AWS_SECRET_ACCESS_KEY: password },
  changes: keys("ADMIN"),
};

const oidc = { assumeRoleArn: role, useOIDC: "true" };

const refusals = [
  ["A connection that the job does not have", { parameters: {}, connected: false }, "AWS_CONNECTION_MISSING"],
  ["An empty connection", { parameters: { username: "" } }, "AWS_CONNECTION_INCOMPLETE"],
  ["A connection with half its keys", { parameters: { username } }, "AWS_CONNECTION_INCOMPLETE"],
  [
    "A connection with wrong keys",
    { parameters: { username: "AKIAIOSFODNN7EXAMPLE", password: "wrong-key" } },
    "AWS_CREDENTIALS_INVALID",
  ],
  // Two things are wrong with it.
  ["OIDC without a role", { parameters: { useOIDC: "true", username, password } }, "INPUT_INVALID"],
  ["OIDC without a token issuer", { parameters: oidc }, "AWS_OIDC_UNAVAILABLE"],
  [
    "OIDC with a foreign token issuer",
    { parameters: oidc, variables: { "System.OidcRequestUri": "https://evil.example/oidctoken" } },
    "AWS_ENDPOINT_REFUSED",
  ],
];

for (const [situation, options, code] of refusals) {
  test(`${situation} is refused, and nothing else is tried`, needsLab, async () => {
    const { step, calls } = await signIn({ ...elsewhere, ...options });
    assertFailed(step, code);
    const allowed = code === "AWS_CREDENTIALS_INVALID" ? /^aws:(sts:GetCallerIdentity|ecr:)/ : /never/;
    for (const call of calls) assert.match(call, allowed);
  });
}

test("A refused job token ends the step without any call to AWS", needsLab, async () => {
  const tokens = await issuer(() => [401, { message: "TF400813: not authorized" }]);
  try {
    const { step, calls } = await signIn({
      ...elsewhere,
      parameters: oidc,
      variables: tokens.variables,
    });
    assertFailed(step, "AWS_OIDC_FAILED");
    assert.match(story(step), /HTTP 401: TF400813/);
    assert.equal(tokens.asked.length, 1, "a refused sign-in is not repeated");
    assert.deepEqual(calls, []);
  } finally {
    await tokens.close();
  }
});

test("A role that does not trust the token is reported with the token's claims", needsLab, async () => {
  const tokens = await issuer();
  const body =
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>Not authorized to perform sts:AssumeRoleWithWebIdentity</Message></Error></ErrorResponse>";
  await front("POST", "/faults", {
    match: { pathPattern: "AssumeRoleWithWebIdentity" },
    answer: { status: 403, headers: { "content-type": "text/xml" }, body },
  });
  try {
    const options = { ...elsewhere, parameters: oidc, variables: tokens.variables };
    const { step, calls } = await signIn(options);
    assertFailed(step, "AWS_ROLE_DENIED");
    for (const claim of [claims.sub, claims.aud]) assert.ok(story(step).includes(claim), claim);
    assert.equal(calls.length, 1, `${calls}`);
  } finally {
    await tokens.close();
  }
});

test("A role that may not be assumed is named", needsLab, async () => {
  const body =
    "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
  await front("POST", "/faults", {
    match: { pathPattern: "^aws:sts:AssumeRole$" },
    answer: { status: 403, headers: { "content-type": "text/xml" }, body },
  });
  const { step, calls } = await signIn({
    parameters: { username, password },
    changes: { awsRoleArn: role },
  });
  const message = assertFailed(step, "AWS_ROLE_DENIED");
  assert.ok(message.includes(role), message);
  assert.deepEqual(calls, ["aws:sts:AssumeRole"]);
});
