// The promises of ecr-front.mjs, tested over the wire. Runs inside a lab: see selftest.sh.
import assert from "node:assert/strict";
import { createHash, verify } from "node:crypto";
import { beforeEach, test } from "node:test";
import { Aws } from "../front/aws.mjs";

const { LAB_REGISTRY, LAB_FRONT, AWS_ENDPOINT_URL } = process.env;
const registry = `https://${LAB_REGISTRY}`;
const basic = (password) => ({ authorization: `Basic ${Buffer.from(`AWS:${password}`).toString("base64")}` });
const signedIn = basic("123456789012-auth-token");
const SCHEMA2 = "application/vnd.docker.distribution.manifest.v2+json";
const OCI = "application/vnd.oci.image.manifest.v1+json";
const digestOf = (bytes) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const ask = (path, { headers, ...options } = {}) =>
  fetch(new URL(path, registry), { redirect: "manual", headers: { ...signedIn, ...headers }, ...options });
const control = async (method, path, body) => {
  const response = await fetch(`${LAB_FRONT}${path}`, { method, body: body && JSON.stringify(body) });
  assert.ok(response.ok, `${method} ${path}: ${response.status}`);
  return response.status === 204 ? undefined : response.json();
};
const manifest = async (repository, tag) => {
  const response = await ask(`/v2/${repository}/manifests/${tag}`, {
    headers: { accept: `${SCHEMA2}, ${OCI}` },
  });
  assert.equal(response.status, 200);
  return { type: response.headers.get("content-type"), bytes: Buffer.from(await response.arrayBuffer()) };
};
const put = (repository, reference, { type, bytes }) =>
  ask(`/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": type },
    body: bytes,
  });
const errorOf = async (response) => (await response.json()).errors[0];

async function upload(repository, bytes) {
  const session = await ask(`/v2/${repository}/blobs/uploads/`, { method: "POST" });
  const address = new URL(session.headers.get("location"));
  assert.equal(address.host, LAB_REGISTRY);
  address.searchParams.set("digest", digestOf(bytes));
  return ask(address, { method: "PUT", body: bytes });
}

beforeEach(async () => {
  await control("DELETE", "/faults");
  await control("PUT", "/settings", { mounting: false, referrers: true, redirects: true });
  await control("POST", "/tokens/expire", { next: 0 });
});

test("Missing or wrong credentials are answered with 401 and a challenge", async () => {
  for (const headers of [{ authorization: "" }, basic("wrong")]) {
    const response = await ask("/v2/", { headers });
    assert.equal(response.status, 401);
    assert.match(
      response.headers.get("www-authenticate"),
      /^Basic realm="https:\/\/.*",service="ecr.amazonaws.com"$/,
    );
  }
  assert.equal((await ask("/v2/")).status, 200);
});

test("A layer comes from another host, which refuses the registry's credentials", async () => {
  const { config } = JSON.parse((await manifest("app/web", "1.4.2")).bytes);
  const redirect = await ask(`/v2/app/web/blobs/${config.digest}`);
  assert.equal(redirect.status, 307);
  const address = new URL(redirect.headers.get("location"));
  assert.match(address.host, /\.s3\.eu-west-1\.amazonaws\.com$/);
  assert.equal((await fetch(address, { headers: signedIn })).status, 400);
  assert.equal(digestOf(Buffer.from(await (await fetch(address)).arrayBuffer())), config.digest);
});

test("A missing repository is a 404 and is not created by a push", async () => {
  for (const response of [
    await ask("/v2/no/such/manifests/1"),
    await ask("/v2/no/such/blobs/uploads/", { method: "POST" }),
  ]) {
    assert.equal(response.status, 404);
    assert.equal((await errorOf(response)).code, "NAME_UNKNOWN");
  }
});

test("A repository of the control API exists for AWS too, in its region only", async () => {
  const created = await control("PUT", "/repositories/made/here?region=us-east-1", { immutable: true });
  assert.equal(created.imageTagMutability, "IMMUTABLE");
  assert.equal((await ask("/v2/made/here/tags/list")).status, 404);
  const east = `https://${LAB_REGISTRY.replace("eu-west-1", "us-east-1")}`;
  const session = await fetch(`${east}/v2/made/here/blobs/uploads/`, { method: "POST", headers: signedIn });
  assert.equal(session.status, 202);
  assert.match(
    session.headers.get("location"),
    /^https:\/\/123456789012\.dkr\.ecr\.us-east-1\.amazonaws\.com\/v2\/made\/here\/blobs\/uploads\//,
  );
});

test("An immutable tag refuses even the same digest", async () => {
  const same = await manifest("app/immutable", "1.0-falcon");
  const refused = await put("app/immutable", "1.0-falcon", same);
  assert.equal(refused.status, 400);
  const { code, message } = await errorOf(refused);
  assert.equal(code, "TAG_INVALID");
  assert.match(message, /cannot be overwritten because the tag is immutable/);
  assert.equal((await put("app/immutable", "1.1-falcon", same)).status, 201);
});

test("An excluded tag of an immutable repository can be moved", async () => {
  const same = await manifest("app/excluded", "latest");
  assert.equal((await put("app/excluded", "latest", same)).status, 201);
  assert.equal((await put("app/excluded", "1.0", same)).status, 400);
});

test("An expired token is a 403 until a new one is requested", async () => {
  await control("POST", "/tokens/expire", { next: 1 });
  const expired = await ask("/v2/");
  assert.equal(expired.status, 403);
  assert.match(await expired.text(), /^Your authorization token has expired/);
  assert.equal((await ask("/v2/")).status, 200);
  await control("POST", "/tokens/expire", { renew: true });
  assert.equal((await ask("/v2/")).status, 403);
  const { authorizationData } = await admin().ecr("GetAuthorizationToken", "eu-west-1", {});
  Object.assign(signedIn, { authorization: `Basic ${authorizationData[0].authorizationToken}` });
  assert.equal((await ask("/v2/")).status, 200);
});

test("A mount is an ordinary upload unless mounting is on", async () => {
  const { config } = JSON.parse((await manifest("app/web", "1.4.2")).bytes);
  const mount = () =>
    ask(`/v2/app/other/blobs/uploads/?mount=${config.digest}&from=app/web`, { method: "POST" });
  assert.equal((await mount()).status, 202);
  await control("PUT", "/repositories/app/other", { mounting: true });
  const mounted = await mount();
  assert.equal(mounted.status, 201);
  assert.match(mounted.headers.get("location"), new RegExp(`^${registry}/v2/app/other/blobs/`));
});

test("A PATCH is answered with 201", async () => {
  const session = await ask("/v2/app/other/blobs/uploads/", { method: "POST" });
  const patched = await ask(session.headers.get("location"), {
    method: "PATCH",
    headers: { "content-type": "application/octet-stream" },
    body: "chunk",
  });
  assert.equal(patched.status, 201);
  const address = new URL(patched.headers.get("location"));
  address.searchParams.set("digest", digestOf("chunk"));
  assert.equal((await ask(address, { method: "PUT" })).status, 201);
});

test("A referrer is listed or refused", async () => {
  const subject = await manifest("app/web", "oci");
  const empty = Buffer.from("{}");
  assert.equal((await upload("app/web", empty)).status, 201);
  const descriptor = { mediaType: "application/vnd.oci.empty.v1+json", digest: digestOf(empty), size: 2 };
  const about = { mediaType: subject.type, digest: digestOf(subject.bytes), size: subject.bytes.length };
  const bytes = JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI,
    artifactType: "application/example",
    config: descriptor,
    layers: [descriptor],
    subject: about,
  });
  const pushed = await put("app/web", digestOf(bytes), { type: OCI, bytes });
  assert.equal(pushed.status, 201);
  assert.equal(pushed.headers.get("oci-subject"), about.digest);
  const listed = await (await ask(`/v2/app/web/referrers/${about.digest}`)).json();
  assert.deepEqual(
    listed.manifests.map((each) => each.digest),
    [digestOf(bytes)],
  );
  await control("PUT", "/settings", { referrers: false });
  assert.equal((await put("app/web", digestOf(bytes), { type: OCI, bytes })).status, 405);
});

test("Faults happen as often as ordered", async () => {
  const match = { method: "GET", pathPattern: "/v2/app/web/tags/list" };
  const tags = () => ask("/v2/app/web/tags/list");
  await control("POST", "/faults", {
    match,
    count: 2,
    answer: { status: 429, headers: { "retry-after": "1" }, body: "slow down" },
  });
  assert.deepEqual([(await tags()).status, (await tags()).status, (await tags()).status], [429, 429, 200]);
  await control("POST", "/faults", { match, count: 1, cutAfter: 10 });
  await assert.rejects(async () => (await tags()).text());
  await control("POST", "/faults", { match, count: 1, cut: true });
  await assert.rejects(tags());
  await control("POST", "/faults", { match, count: 1, delayMs: 300 });
  const started = Date.now();
  const clean = await (await tags()).text();
  assert.ok(Date.now() - started >= 290);
  await control("POST", "/faults", { match, count: 1, corrupt: true });
  assert.notEqual(await (await tags()).text(), clean);
  assert.equal(await (await tags()).text(), clean);
});

test("An upload can be cut, and a new session succeeds", async () => {
  const bytes = Buffer.alloc(3 << 20, "x");
  await control("POST", "/faults", {
    match: { method: "PUT", pathPattern: "/blobs/uploads/" },
    count: 1,
    cutRequestAfter: 1 << 20,
  });
  await assert.rejects(upload("app/other", bytes));
  assert.equal((await upload("app/other", bytes)).status, 201);
});

test("The request log has sizes and never a secret", async () => {
  await control("DELETE", "/requests");
  await ask("/v2/app/web/tags/list");
  const log = await control("GET", "/requests");
  assert.deepEqual(
    log.map(({ method, path, status, authorization }) => ({ method, path, status, authorization })),
    [{ method: "GET", path: "/v2/app/web/tags/list", status: 200, authorization: true }],
  );
  assert.ok(log[0].bytesOut > 0);
  assert.ok(!JSON.stringify(log).includes(signedIn.authorization.split(" ")[1]));
});

test("AWS refuses wrong keys and denied calls by name", async () => {
  const token = (id, secret) =>
    new Aws(AWS_ENDPOINT_URL, { id, secret }).ecr("GetAuthorizationToken", "eu-west-1", {});
  assert.deepEqual(await token("AKIAWRONG", "wrong"), {
    __type: "UnrecognizedClientException",
    message: "The security token included in the request is invalid.",
  });
  const env = process.env;
  assert.match((await token(env.LAB_ADMIN_ACCESS_KEY_ID, "wrong")).message, /signature/);
  assert.match(
    (await token(env.LAB_LIMITED_ACCESS_KEY_ID, env.LAB_LIMITED_SECRET_ACCESS_KEY)).message,
    /not authorized to perform: ecr:GetAuthorizationToken/,
  );
  const limited = new Aws(AWS_ENDPOINT_URL, {
    id: env.LAB_NODESCRIBE_ACCESS_KEY_ID,
    secret: env.LAB_NODESCRIBE_SECRET_ACCESS_KEY,
  });
  assert.match(
    (await limited.ecr("DescribeRepositories", "eu-west-1", {})).message,
    /ecr:DescribeRepositories/,
  );
  const sts = await fetch(AWS_ENDPOINT_URL, {
    method: "POST",
    headers: {
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAWRONG/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=x",
    },
    body: "Action=GetCallerIdentity&Version=2011-06-15",
  });
  assert.equal(sts.status, 403);
  assert.match(await sts.text(), /^<ErrorResponse[^>]*><Error>.*<Code>InvalidClientTokenId<\/Code>/);
  assert.ok((await admin().ecr("DescribeRepositories", "eu-west-1", {})).repositories.length >= 7);
});

/** A signed call of one of the lab's users to KMS. */
async function kms(action, parameters, { region = "eu-west-1", user = "ADMIN" } = {}) {
  const keys = {
    id: process.env[`LAB_${user}_ACCESS_KEY_ID`],
    secret: process.env[`LAB_${user}_SECRET_ACCESS_KEY`],
  };
  const body = JSON.stringify(parameters);
  const headers = new Aws(AWS_ENDPOINT_URL, keys).signature("kms", region, body);
  const target = { "x-amz-target": `TrentService.${action}`, "content-type": "application/x-amz-json-1.1" };
  const response = await fetch(AWS_ENDPOINT_URL, {
    method: "POST",
    headers: { ...headers, ...target },
    body,
  });
  return response.json();
}

const sha256 = (text) => createHash("sha256").update(text).digest("base64");
const signing = (KeyId, changes) => ({
  KeyId,
  Message: sha256("signed"),
  MessageType: "DIGEST",
  SigningAlgorithm: "ECDSA_SHA_256",
  ...changes,
});

test("KMS signs a digest as it is and a message by its hash, by every name of the key", async () => {
  const alias = "alias/selftest";
  const key = await control("PUT", "/keys", { alias });
  for (const name of [key.id, key.arn, key.aliasArn, alias]) {
    const { KeyId, KeySpec, PublicKey } = await kms("GetPublicKey", { KeyId: name });
    assert.deepEqual([KeyId, KeySpec], [key.arn, "ECC_NIST_P256"]);
    assert.ok(key.publicKey.replaceAll("\n", "").includes(PublicKey));
    const raw = { Message: Buffer.from("signed").toString("base64"), MessageType: "RAW" };
    for (const changes of [{}, raw]) {
      const { Signature } = await kms("Sign", signing(name, changes));
      assert.ok(verify("sha256", Buffer.from("signed"), key.publicKey, Buffer.from(Signature, "base64")));
    }
  }
  await control("PUT", "/keys", { id: key.id, hashesDigests: true });
  const { Signature } = await kms("Sign", signing(alias));
  assert.ok(!verify("sha256", Buffer.from("signed"), key.publicKey, Buffer.from(Signature, "base64")));
});

test("KMS refuses as AWS does", async () => {
  const key = await control("PUT", "/keys", { alias: "alias/refused" });
  const refusal = async (...call) => (await kms("Sign", ...call)).__type;
  assert.equal(await refusal(signing(key.arn, { DryRun: true })), "DryRunOperationException");
  assert.equal(await refusal(signing(key.arn, { Message: "AAAA" })), "ValidationException");
  assert.equal(
    await refusal(signing(key.arn, { SigningAlgorithm: "ECDSA_SHA_384" })),
    "InvalidKeyUsageException",
  );
  assert.equal(await refusal(signing("alias/none")), "NotFoundException");
  assert.equal(await refusal(signing(key.arn), { region: "us-east-1" }), "NotFoundException");
  assert.equal(await refusal(signing(key.arn), { user: "NOSIGN" }), "AccessDeniedException");
  const states = [
    ["Disabled", "DisabledException"],
    ["PendingDeletion", "KMSInvalidStateException"],
    ["Unavailable", "KeyUnavailableException"],
  ];
  for (const [state, type] of states) {
    await control("PUT", "/keys", { id: key.id, state });
    assert.equal(await refusal(signing(key.arn)), type);
    assert.equal((await kms("GetPublicKey", { KeyId: key.arn })).__type, type);
  }
  const symmetric = await control("PUT", "/keys", { spec: "SYMMETRIC_DEFAULT" });
  const { __type: type } = await kms("GetPublicKey", { KeyId: symmetric.id });
  assert.equal(type, "UnsupportedOperationException");
  const foreign = await control("PUT", "/keys", { account: "210987654321" });
  assert.equal(await refusal(signing(foreign.arn)), "AccessDeniedException");
  await control("PUT", "/keys", { id: foreign.id, shared: true });
  assert.equal(await refusal(signing(foreign.arn)), undefined);
});

const admin = () =>
  new Aws(AWS_ENDPOINT_URL, {
    id: process.env.LAB_ADMIN_ACCESS_KEY_ID,
    secret: process.env.LAB_ADMIN_SECRET_ACCESS_KEY,
  });
