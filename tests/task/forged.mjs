// Records that prove nothing about an image, one for each way of deceiving a verifier, and the keys that sign them.
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { bundle, bundleType, hint, pae, statement, statementType } from "./records.mjs";

export const pair = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
export const pem = ({ publicKey }) => publicKey.export({ type: "spki", format: "pem" });
/** The key that tests trust, and one that they do not. */
export const trusted = pair();
export const other = pair();

/** Sets the field at a path of a document. */
export const set = (path, value) => (document) => {
  const names = path.split(".");
  const last = names.pop();
  const place = names.reduce((at, name) => at[name], document);
  if (value === undefined) delete place[last];
  else place[last] = value;
};
/** Adds an element to the list at a path of a document. */
const add = (path, make) => (document) => {
  const list = path.split(".").reduce((at, name) => at[name], document);
  list.push(make(list));
};

/** A bundle over a statement of ours about the image, with options that forge it. */
export const signedBy = (digest, key, options) => bundle(statement(digest), key, options);
/** A right signature over a changed statement. */
export const changed = (digest, change) => bundle(statement(digest, change), trusted);
/** A bundle that is changed after it was signed. */
export const spoilt = (digest, change) => signedBy(digest, trusted, { change });
/** A bundle with a signature of a test's own over the text of the payload. */
const signedOver = (digest, signature) => signedBy(digest, trusted, { signature });
const p256 = { key: trusted.privateKey };
const signatureOf = (bytes, options) => sign("sha256", bytes, { ...p256, ...options });
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** The JSON of a document with one field twice, the second time as it was. */
const doubled = (content, field) =>
  content.replace(`"${field}":`, `"${field}":"another reader takes this",$&`);
const text = (digest) => JSON.stringify(statement(digest));
const alter = (made) => {
  const payload = Buffer.from(made.dsseEnvelope.payload, "base64").toString();
  const altered = payload.replace("7.39.0-7802", "7.40.0-9999");
  made.dsseEnvelope.payload = Buffer.from(altered).toString("base64");
};
const asMessage = (made) => {
  delete made.dsseEnvelope;
  made.messageSignature = { messageDigest: { algorithm: "SHA2_256", digest: "" }, signature: "" };
};
const certificate = { rawBytes: "MAA=" };
const second = { name: "b", digest: { sha256: "b".repeat(64) } };

/** Ends a statement so that its Base64 ends in `=`. */
const padded = (digest) => `${text(digest)}${" ".repeat(3 - ((text(digest).length + 2) % 3))}`;
const rewritten = (before, after, to) => (made) => {
  const { payload } = made.dsseEnvelope;
  if (!before.test(payload)) throw new Error(`${payload} does not match ${before}`);
  made.dsseEnvelope.payload = payload.replaceAll(after, to);
};
/** Letters whose Base64 has the two that addresses cannot have, wherever they begin. */
const letters = set("subject.0.name", "\u00bf\u00fe\u00ff?~".repeat(4));
const forAddresses = (letter) => (letter === "+" ? "-" : "_");

/** Annotations of an unsigned record, which name a newer sensor. */
export const annotations = {
  "falcon-patch.schema": "1",
  "falcon-patch.source": `sha256:${"1".repeat(64)}`,
  "falcon-patch.sensor": `sha256:${"2".repeat(64)}`,
  "falcon-patch.options": `sha256:${"3".repeat(64)}`,
  "falcon-patch.sensor-version": "7.99.0-1",
};
export const unsigned = (digest) => [statement(digest), { type: statementType, annotations }];

const large = set("predicate.more", "x".repeat(70_000));

/**
 * Each record: its name, its content with options of its manifest, the reason given, and true if cosign 3.1.1 accepts it. No reason
 * is given for what is not ours.
 */
export const forged = [
  ["no record", () => [], undefined],
  ["a record without a signature", unsigned, /it is not signed/],
  ["another key's record", (digest) => [signedBy(digest, other)], /no trusted key has signed it/],
  [
    "another key's record that names the trusted key",
    (digest) => [
      signedBy(digest, other, {
        change: set("verificationMaterial.publicKey.hint", hint(trusted.publicKey)),
      }),
    ],
    /the signature is not of that key/,
  ],
  ["a payload that was altered", (digest) => [spoilt(digest, alter)], /signature/],
  [
    "a payload whose type was altered",
    (digest) => [
      signedBy(digest, trusted, {
        type: "text/plain",
        change: set("dsseEnvelope.payloadType", statementType),
      }),
    ],
    /signature/,
  ],
  ["a payload of another type", (digest) => [signedBy(digest, trusted, { type: "text/plain" })], /type/],
  [
    "a signature over the payload alone",
    (digest) => [signedOver(digest, (payload) => signatureOf(Buffer.from(payload)))],
    /signature/,
  ],
  [
    "a signature over the hash of the hash",
    (digest) => [signedOver(digest, (payload) => signatureOf(sha256(pae(statementType, payload))))],
    /signature/,
  ],
  [
    "a signature with a byte after it",
    (digest) => [
      signedOver(digest, (payload) =>
        Buffer.concat([signatureOf(pae(statementType, payload)), Buffer.of(0)]),
      ),
    ],
    /signature/,
  ],
  [
    "a signature in the form of P1363",
    (digest) => [
      signedOver(digest, (payload) =>
        signatureOf(pae(statementType, payload), { dsaEncoding: "ieee-p1363" }),
      ),
    ],
    /signature/,
    true,
  ],
  [
    "two right signatures",
    (digest) => [
      spoilt(
        digest,
        add("dsseEnvelope.signatures", ([first]) => first),
      ),
    ],
    /exactly one signature/,
  ],
  [
    "a right signature and a wrong one",
    (digest) => [
      spoilt(
        digest,
        add("dsseEnvelope.signatures", () => ({ sig: "MAYCAQECAQE=" })),
      ),
    ],
    /exactly one signature/,
  ],
  [
    "an empty list of signatures",
    (digest) => [spoilt(digest, set("dsseEnvelope.signatures", []))],
    /exactly one signature/,
  ],
  [
    "a copied record of another image",
    () => [signedBy(`sha256:${"a".repeat(64)}`, trusted)],
    /about sha256:a{64}/,
  ],
  [
    "two subjects",
    (digest) => [
      changed(
        digest,
        add("subject", () => second),
      ),
    ],
    /2 subjects/,
    true,
  ],
  [
    "two subjects, the image the second one",
    (digest) => [changed(digest, ({ subject }) => void subject.unshift(second))],
    /2 subjects/,
    true,
  ],
  ["no subject", (digest) => [changed(digest, set("subject", []))], /0 subjects/],
  [
    "a subject with another digest as well",
    (digest) => [changed(digest, set("subject.0.digest.sha512", "b".repeat(128)))],
    /sha512/,
    true,
  ],
  [
    "a subject in upper case",
    (digest) => [changed(digest, set("subject.0.digest.sha256", digest.slice(7).toUpperCase()))],
    /subject/,
  ],
  [
    "another predicate",
    (digest) => [changed(digest, set("predicateType", "https://spdx.dev/Document"))],
    undefined,
  ],
  [
    "another build type",
    (digest) => [changed(digest, set("predicate.buildDefinition.buildType", "https://example.com/v1"))],
    undefined,
    true,
  ],
  [
    "another `_type`",
    (digest) => [changed(digest, set("_type", "https://example.com/Statement"))],
    /_type/,
    true,
  ],
  ["a further field in the statement", (digest) => [changed(digest, set("more", true))], /more/],
  [
    "a field twice in the statement",
    (digest) => [bundle(doubled(text(digest), "_type"), trusted)],
    /duplicate field `_type`/,
  ],
  [
    "a field twice in the predicate",
    (digest) => [bundle(doubled(text(digest), "sensorVersion"), trusted)],
    /duplicate field `sensorVersion`/,
  ],
  [
    "a certificate in place of the key",
    (digest) => [spoilt(digest, set("verificationMaterial", { certificate }))],
    /certificate|in another way/,
  ],
  [
    "a certificate beside the key",
    (digest) => [spoilt(digest, set("verificationMaterial.certificate", certificate))],
    /certificate|in another way/,
  ],
  [
    "no verification material",
    (digest) => [spoilt(digest, set("verificationMaterial", undefined))],
    /verificationMaterial|in another way/,
  ],
  [
    "a signature over a message in place of an envelope",
    (digest) => [spoilt(digest, asMessage)],
    /messageSignature|in another way/,
  ],
  [
    "a field twice in the bundle",
    (digest) => [doubled(JSON.stringify(signedBy(digest, trusted)), "mediaType")],
    /duplicate field `mediaType`/,
  ],
  [
    "a field twice in the envelope",
    (digest) => [doubled(JSON.stringify(signedBy(digest, trusted)), "payload")],
    /duplicate field `payload`/,
  ],
  [
    "another version of bundles",
    (digest) => [spoilt(digest, set("mediaType", bundleType.replace("0.3", "0.4")))],
    /media type/,
  ],
  ["a text that is not JSON", () => ["no bundle"], /not a bundle/],
  [
    "a bundle with a text after it",
    (digest) => [`${JSON.stringify(signedBy(digest, trusted))} {}`],
    /trailing/,
  ],
  [
    "an unpadded payload",
    (digest) => [bundle(padded(digest), trusted, { change: rewritten(/=$/, "=", "") })],
    /payload/,
    true,
  ],
  [
    "a payload in Base64 for addresses",
    (digest) => [
      bundle(statement(digest, letters), trusted, { change: rewritten(/[+/]/, /[+/]/g, forAddresses) }),
    ],
    /payload/,
    true,
  ],
  ["a bundle of 70 KB", (digest) => [changed(digest, large)], /bytes/, true],
  [
    "a bundle of 70 KB that claims to be small",
    (digest) => [changed(digest, large), { change: set("layers.0.size", 2048) }],
    /2048|bytes|size/,
  ],
  [
    "a second layer",
    (digest) => [signedBy(digest, trusted), { change: add("layers", ([first]) => first) }],
    /layer/,
  ],
  [
    "a layer of another type",
    (digest) => [signedBy(digest, trusted), { change: set("layers.0.mediaType", "application/json") }],
    undefined,
  ],
];
