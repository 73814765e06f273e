// Keys that a step signs with: found to be usable before anything is pulled, or refused by name.
import assert from "node:assert/strict";
import { afterEach, before, test } from "node:test";
import { story } from "./agent.mjs";
import { assertFailed, assertOrderly, assertSucceeded } from "./expect.mjs";
import { inJob } from "./job.mjs";
import { front, inLab, inputs, keys, needsLab, registry } from "./lab.mjs";
import { cosignVerifies, kmsKey } from "./records.mjs";

const alias = "alias/signing-key";
let key;

before(async () => {
  if (inLab) key = await kmsKey({ alias });
});
afterEach(async () => {
  if (inLab) await front("DELETE", "/faults");
});

/** Inputs that sign. */
const signing = (name, changes) =>
  inputs({
    targetImage: `${registry}/app/target:${name}`,
    containerName: name,
    signingKey: alias,
    ...changes,
  });

/** Keys that cannot sign: how each is made, the code, and a text of the failure. */
const unusable = [
  ["A missing alias", () => ({ aliasArn: "alias/none" }), "AWS_KMS_KEY_NOT_FOUND", /alias\/none/],
  [
    "A missing key",
    () => ({ aliasArn: `${key.arn.slice(0, -12)}000000000000` }),
    "AWS_KMS_KEY_NOT_FOUND",
    /000000000000/,
  ],
  ["A key of another region by alias", () => elsewhere(), "AWS_KMS_KEY_NOT_FOUND", /alias\/far/],
  [
    "A disabled key",
    () => kmsKey({ alias: "alias/u", state: "Disabled" }),
    "AWS_KMS_KEY_UNUSABLE",
    /disabled/i,
  ],
  [
    "A key that is to be deleted",
    () => kmsKey({ alias: "alias/u", state: "PendingDeletion" }),
    "AWS_KMS_KEY_UNUSABLE",
    /./,
  ],
  [
    "A key without material",
    () => kmsKey({ alias: "alias/u", state: "PendingImport" }),
    "AWS_KMS_KEY_UNUSABLE",
    /./,
  ],
  [
    "An unavailable key",
    () => kmsKey({ alias: "alias/u", state: "Unavailable" }),
    "AWS_KMS_KEY_UNUSABLE",
    /./,
  ],
  [
    "A key on P-384",
    () => kmsKey({ alias: "alias/u", spec: "ECC_NIST_P384" }),
    "AWS_KMS_KEY_UNSUITABLE",
    /P-?384/,
  ],
  [
    "A key on secp256k1",
    () => kmsKey({ alias: "alias/u", spec: "ECC_SECG_P256K1" }),
    "AWS_KMS_KEY_UNSUITABLE",
    /secp256k1/i,
  ],
  ["An RSA key", () => kmsKey({ alias: "alias/u", spec: "RSA_2048" }), "AWS_KMS_KEY_UNSUITABLE", /RSA/],
  [
    "A symmetric key",
    () => kmsKey({ alias: "alias/u", spec: "SYMMETRIC_DEFAULT" }),
    "AWS_KMS_KEY_UNSUITABLE",
    /./,
  ],
  [
    "A key for key agreement",
    () => kmsKey({ alias: "alias/u", usage: "KEY_AGREEMENT" }),
    "AWS_KMS_KEY_UNSUITABLE",
    /./,
  ],
  [
    "A key of another account that is not shared",
    () => kmsKey({ alias: "alias/f", account: "210987654321" }),
    "AWS_DENIED",
    /kms:/,
  ],
];

async function elsewhere() {
  await kmsKey({ alias: "alias/far", region: "us-east-1" });
  return { aliasArn: "alias/far" };
}

for (const [name, make, code, text] of unusable) {
  test(`${name} is refused before anything is pulled`, needsLab, async () => {
    const { aliasArn } = await make();
    await inJob(async (job) => {
      for (const action of ["plan", "patch"]) {
        const step = await job.run(signing("unusable", { action, signingKey: aliasArn }));
        const log = `${assertFailed(step, code)}\n${story(step)}`;
        assert.match(log, text);
        assert.doesNotMatch(log, /^ {2}pulled /m);
      }
    });
  });
}

const denials = [
  ["NOSIGN", /kms:Sign/],
  ["NOKEY", /kms:GetPublicKey/],
];

for (const [user, action] of denials) {
  test(`A caller without ${action.source} is told before anything is pulled`, needsLab, async () => {
    await inJob(async (job) => {
      for (const signingKey of [alias, key.arn]) {
        const step = await job.run(signing("denied", { signingKey, ...keys(user) }));
        assert.match(`${assertFailed(step, "AWS_DENIED")}\n${story(step)}`, action);
        assert.doesNotMatch(story(step), /^ {2}pulled /m);
      }
    });
  });
}

test(
  "Other refusals of KMS have their own code, and are asked again where that can help",
  needsLab,
  async () => {
    await inJob(async (job) => {
      const answer = (status, type) => ({
        match: { pathPattern: "^aws:kms:GetPublicKey$" },
        answer: {
          status,
          headers: { "content-type": "application/x-amz-json-1.1" },
          body: { __type: type, message: "no" },
        },
      });
      await front("POST", "/faults", answer(400, "InvalidGrantTokenException"));
      const refused = await job.run(signing("odd", { action: "plan" }));
      assertOrderly(refused);
      assert.deepEqual(
        refused.errors.map(({ code }) => code),
        ["AWS_REQUEST_FAILED"],
      );
      assert.match(story(refused), /InvalidGrantTokenException/);
      await front("DELETE", "/faults");
      await front("POST", "/faults", { ...answer(500, "KMSInternalException"), count: 1 });
      assertSucceeded(await job.run(signing("odd", { action: "plan" })));
    });
  },
);

test("A key of another account and region signs by its ARN", needsLab, async () => {
  const { arn, publicKey } = await kmsKey({ region: "us-east-1", account: "210987654321", shared: true });
  await inJob(async (job) => {
    const step = await job.run(signing("far", { signingKey: `awskms:///${arn}` }));
    assertSucceeded(step);
    assert.ok(story(step).includes(`signed by ${arn}`), story(step));
    cosignVerifies(step.outputs.imageReference, publicKey);
  });
});

test(
  "A signing key that does not name a KMS key is malformed, with all other problems",
  needsLab,
  async () => {
    await inJob(async (job) => {
      for (const signingKey of [
        "awskms://localhost:4566/alias/x",
        "falcon-records",
        key.publicKey,
        `${alias}\n${alias}2`,
      ]) {
        const step = await job.run(signing("malformed", { signingKey, trustedKeys: "no key" }));
        const text = `${assertFailed(step, "INPUT_MALFORMED")}\n${story(step)}`;
        assert.match(text, /`signingKey`/);
        assert.match(text, /`trustedKeys`/);
      }
    });
  },
);

test(
  "A signing key that is not trusted is refused, since its records would not count",
  needsLab,
  async () => {
    const other = await kmsKey({ alias: "alias/others" });
    await inJob(async (job) => {
      for (const trustedKeys of [other.publicKey, "alias/others"]) {
        const step = await job.run(signing("untrusted", { action: "plan", trustedKeys }));
        assertFailed(step, "INPUT_KEY_NOT_TRUSTED");
      }
      const trustedKeys = `${other.publicKey}${key.publicKey}`;
      assertSucceeded(await job.run(signing("untrusted", { action: "plan", trustedKeys })));
    });
  },
);
