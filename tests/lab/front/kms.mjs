// KMS with asymmetric keys: what `GetPublicKey`, `DescribeKey` and `Sign` answer. moto's own signs the hash of a digest again, takes
// digests of any length, and signs with disabled keys. Sources: https://docs.aws.amazon.com/kms/latest/APIReference/API_Sign.html,
// …/API_GetPublicKey.html, …/API_DescribeKey.html, and for states https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
import { execFileSync } from "node:child_process";
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ACCOUNT } from "./aws.mjs";

const SPECS = {
  ECC_NIST_P256: { type: "ec", options: { namedCurve: "P-256" }, algorithms: ["ECDSA_SHA_256"] },
  ECC_NIST_P384: { type: "ec", options: { namedCurve: "P-384" }, algorithms: ["ECDSA_SHA_384"] },
  ECC_SECG_P256K1: { type: "ec", options: { namedCurve: "secp256k1" }, algorithms: ["ECDSA_SHA_256"] },
  RSA_2048: {
    type: "rsa",
    options: { modulusLength: 2048 },
    algorithms: ["RSASSA_PKCS1_V1_5_SHA_256", "RSASSA_PSS_SHA_256"],
  },
  SYMMETRIC_DEFAULT: { algorithms: [] },
};
const ARN = /^arn:aws:kms:(?<region>[a-z0-9-]+):(?<account>\d{12}):(?<rest>(?:key|alias)\/.+)$/;
const BY_STATE = {
  Disabled: ["DisabledException", "is disabled."],
  PendingDeletion: ["KMSInvalidStateException", "is pending deletion."],
  PendingImport: ["KMSInvalidStateException", "is pending import."],
  Unavailable: ["KeyUnavailableException", "is not available. You can retry the request."],
};

class Refusal extends Error {
  constructor(type, message) {
    super(message);
    this.type = type;
  }
}

export class Kms {
  #keys = [];
  #folder;

  /** `folder` holds the private keys, for OpenSSL. */
  constructor(folder) {
    mkdirSync(folder, { mode: 0o700 });
    this.#folder = folder;
  }

  /**
   * Creates a key, or changes the one with this `id`.
   *
   * - `spec`, `usage`, `region`, `account`, `alias`: as in AWS; `privateKey`: its key, as PEM
   * - `state`: `Enabled`, `Disabled`, `PendingDeletion`, `PendingImport` or `Unavailable`
   * - `shared`: whether the key policy of another account's key allows callers of this one
   * - `hashesDigests`: signs the hash of the digest that it was given, as emulators do
   */
  put({ id = randomUUID(), privateKey, ...given }) {
    const known = this.#keys.find((key) => key.id === id);
    const key = known ?? this.#create(id, given.spec ?? "ECC_NIST_P256", privateKey);
    Object.assign(key, given);
    // A name moves to the key that was given it last.
    if (given.alias)
      for (const other of this.#keys)
        if (other !== key && aliasArn(other) === aliasArn(key)) other.alias = undefined;
    return {
      id,
      arn: arn(key),
      aliasArn: aliasArn(key),
      publicKey: key.public?.export({ type: "spki", format: "pem" }),
    };
  }

  #create(id, spec, privateKey) {
    const { type, options } = SPECS[spec];
    const key = {
      id,
      spec,
      usage: type ? "SIGN_VERIFY" : "ENCRYPT_DECRYPT",
      state: "Enabled",
      region: "eu-west-1",
      account: ACCOUNT,
      created: Math.floor(Date.now() / 1000),
    };
    if (type) {
      const secret = privateKey
        ? createPrivateKey(privateKey)
        : generateKeyPairSync(type, options).privateKey;
      key.public = createPublicKey(secret);
      key.file = join(this.#folder, `${id}.pem`);
      writeFileSync(key.file, secret.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
    }
    this.#keys.push(key);
    return key;
  }

  /** Answers an authorized call of the lab's first account. */
  answer(action, body, region) {
    const [, name] = action.split(":");
    let status = 200;
    let content;
    try {
      const parameters = JSON.parse(body);
      const call = { GetPublicKey: this.#publicKey, DescribeKey: this.#describe, Sign: this.#sign }[name];
      if (!call) throw new Refusal("UnknownOperationException", `The lab's KMS has no ${name}.`);
      content = call.call(this, this.#find(action, parameters.KeyId, region), parameters);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      status = 400;
      content = { __type: error.type, message: error.message };
    }
    const headers = { "content-type": "application/x-amz-json-1.1", "x-amzn-requestid": randomUUID() };
    return { status, headers, text: JSON.stringify(content) };
  }

  // Names without an account are the caller's; an ARN names its region, and no other region's KMS knows it.
  #find(action, named, region) {
    const { rest = named, ...place } = ARN.exec(named)?.groups ?? {};
    if (place.region && place.region !== region)
      throw new Refusal("NotFoundException", `Invalid arn ${place.region}`);
    const { account = ACCOUNT } = place;
    const [, id, alias] = /^(?:key\/)?([0-9a-f-]+|mrk-[0-9a-f]+)$|^(alias\/.+)$/.exec(rest) ?? [];
    if (!id && !alias) throw new Refusal("NotFoundException", `Invalid keyId '${named}'`);
    const key = this.#keys.find(
      (each) =>
        each.region === region && each.account === account && (id ? each.id === id : each.alias === alias),
    );
    // Another account's KMS does not show a caller which keys it has.
    if (account !== ACCOUNT && !key?.shared) {
      const resource = key ? arn(key) : named;
      throw new Refusal(
        "AccessDeniedException",
        `User: arn:aws:iam::${ACCOUNT}:user/lab-admin is not authorized to perform: ${action} on resource: ${resource} because no resource-based policy allows the ${action} action`,
      );
    }
    if (key) return key;
    const full = `arn:aws:kms:${region}:${account}:${id ? `key/${id}` : alias}`;
    throw new Refusal(
      "NotFoundException",
      id ? `Key '${full}' does not exist` : `Alias ${full} is not found.`,
    );
  }

  #publicKey(key) {
    if (!key.public) throw new Refusal("UnsupportedOperationException", `${arn(key)} has no public key.`);
    requireUsable(key);
    return {
      KeyId: arn(key),
      PublicKey: key.public.export({ type: "spki", format: "der" }).toString("base64"),
      ...kind(key),
    };
  }

  #describe(key) {
    return {
      KeyMetadata: {
        AWSAccountId: key.account,
        KeyId: key.id,
        Arn: arn(key),
        CreationDate: key.created,
        Enabled: key.state === "Enabled",
        Description: "",
        KeyState: key.state,
        Origin: "AWS_KMS",
        KeyManager: "CUSTOMER",
        MultiRegion: false,
        ...kind(key),
      },
    };
  }

  #sign(key, { Message, MessageType = "RAW", SigningAlgorithm: algorithm, DryRun }) {
    if (key.usage !== "SIGN_VERIFY")
      throw new Refusal(
        "InvalidKeyUsageException",
        `${arn(key)} key usage is ${key.usage} which is not valid for Sign.`,
      );
    if (!SPECS[key.spec].algorithms.includes(algorithm))
      throw new Refusal(
        "InvalidKeyUsageException",
        `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`,
      );
    requireUsable(key);
    const hash = algorithm.endsWith("384") ? "sha384" : "sha256";
    const message = Buffer.from(Message, "base64");
    const digest = digestOf(message, MessageType, { hash, algorithm, again: key.hashesDigests });
    if (DryRun)
      throw new Refusal(
        "DryRunOperationException",
        "The request would have succeeded, but the DryRun option is set.",
      );
    const padding = algorithm.includes("PSS") ? ["-pkeyopt", "rsa_padding_mode:pss"] : [];
    const input = join(this.#folder, randomUUID());
    writeFileSync(input, digest);
    // Node signs messages alone, and no digests.
    const signature = execFileSync("openssl", [
      ...["pkeyutl", "-sign", "-inkey", key.file, "-in", input],
      ...["-pkeyopt", `digest:${hash}`, ...padding],
    ]);
    return { KeyId: arn(key), Signature: signature.toString("base64"), SigningAlgorithm: algorithm };
  }
}

const arn = ({ region, account, id }) => `arn:aws:kms:${region}:${account}:key/${id}`;
const aliasArn = ({ region, account, alias }) => alias && `arn:aws:kms:${region}:${account}:${alias}`;

const kind = ({ spec, usage }) => ({
  KeySpec: spec,
  CustomerMasterKeySpec: spec,
  KeyUsage: usage,
  ...(usage === "SIGN_VERIFY"
    ? { SigningAlgorithms: SPECS[spec].algorithms }
    : usage === "KEY_AGREEMENT"
      ? { KeyAgreementAlgorithms: ["ECDH"] }
      : { EncryptionAlgorithms: [spec === "RSA_2048" ? "RSAES_OAEP_SHA_256" : "SYMMETRIC_DEFAULT"] }),
});

function requireUsable(key) {
  const [type, reason] = BY_STATE[key.state] ?? [];
  if (type) throw new Refusal(type, `${arn(key)} ${reason}`);
}

function digestOf(message, type, { hash, algorithm, again }) {
  const hashed = (bytes) => createHash(hash).update(bytes).digest();
  if (type === "RAW") {
    if (message.length === 0 || message.length > 4096)
      throw new Refusal(
        "ValidationException",
        "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096",
      );
    return hashed(message);
  }
  if (message.length !== hashed("").length)
    throw new Refusal("ValidationException", `Digest is invalid length for algorithm ${algorithm}.`);
  return again ? hashed(message) : message;
}
