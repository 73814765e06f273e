// Records beside an image: read as a registry lists them, and forged in every way that a verifier must see through.
import { createHash, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parts, putBlob, request, sha256 } from "./images.mjs";
import { cosign, front } from "./lab.mjs";

export const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json";
export const statementType = "application/vnd.in-toto+json";
const manifestType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
const slsa = "https://slsa.dev/provenance/v1";

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** Creates a key of the lab's KMS, or changes it; see tests/lab/front/kms.mjs. */
export function kmsKey(settings) {
  return front("PUT", "/keys", settings);
}

/** Bytes that a DSSE envelope signs (<https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>). */
export function pae(type, payload) {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${body.length} `), body]);
}

/** A statement as the task writes it, about an image with this digest; `change` gets it. */
export function statement(digest, change = () => {}) {
  const material = (name, hex) => ({ name, uri: `oci://registry.example/${name}`, digest: { sha256: hex } });
  const made = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "registry.example/app:1", digest: { sha256: digest.replace("sha256:", "") } }],
    predicateType: slsa,
    predicate: {
      buildDefinition: {
        buildType: "urn:falcon-arm64-patch:patch:v1",
        externalParameters: {
          sourceImage: "registry.example/source:1",
          sensorImage: "registry.example/sensor:7.39.0-7802",
          sensorVersion: "7.39.0-7802",
          cloudService: null,
          containerName: null,
        },
        internalParameters: { options: `sha256:${"3".repeat(64)}` },
        resolvedDependencies: [material("source", "1".repeat(64)), material("sensor", "2".repeat(64))],
      },
      runDetails: {
        builder: { id: "urn:falcon-arm64-patch:task", version: { "falcon-arm64-patch": "1.0.0" } },
        metadata: { invocationId: null, finishedOn: "2026-01-02T03:04:05Z" },
      },
    },
  };
  change(made);
  return made;
}

/** The name of a public key in bundles. */
export function hint(publicKey) {
  return createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest("base64");
}

/** A bundle over a statement, or over a text, signed by a pair of keys; `change` gets it, and the options forge parts. */
export function bundle(about, { privateKey, publicKey }, { type = statementType, signature, change } = {}) {
  const payload = typeof about === "string" ? about : JSON.stringify(about);
  const sig = signature ? signature(payload) : sign("sha256", pae(type, payload), privateKey);
  const made = {
    mediaType: bundleType,
    verificationMaterial: { publicKey: { hint: hint(publicKey) } },
    dsseEnvelope: { payload: base64(payload), payloadType: type, signatures: [{ sig: base64(sig) }] },
  };
  change?.(made);
  return made;
}

/**
 * Pushes a record beside an image that is named by digest; the registry lists it by the API, or the fall-back tag does.
 *
 * - `type`: media type of its layers and type of the artifact
 * - `annotations`, `layers`: what else the manifest has
 * - `change` gets the manifest
 */
export async function attach(image, content, { type = bundleType, annotations, layers, change } = {}) {
  const place = parts(image);
  const bytes = typeof content === "string" ? content : JSON.stringify(content);
  const subject = await request(
    "HEAD",
    `https://${place.host}/v2/${place.name}/manifests/${place.reference}`,
    {
      headers: { accept: `${manifestType}, application/vnd.docker.distribution.manifest.v2+json` },
      expected: 200,
    },
  );
  const manifest = {
    schemaVersion: 2,
    mediaType: manifestType,
    artifactType: type,
    config: { mediaType: "application/vnd.oci.empty.v1+json", ...(await putBlob(place, Buffer.from("{}"))) },
    layers: [{ mediaType: type, ...(await putBlob(place, Buffer.from(bytes))) }, ...(layers ?? [])],
    annotations: {
      ...(type === bundleType && {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": slsa,
      }),
      ...annotations,
    },
    subject: {
      mediaType: subject.headers.get("content-type"),
      size: Number(subject.headers.get("content-length")),
      digest: place.reference,
    },
  };
  change?.(manifest);
  const written = JSON.stringify(manifest);
  const digest = sha256(written);
  const put = await request("PUT", `https://${place.host}/v2/${place.name}/manifests/${digest}`, {
    headers: { "content-type": manifestType },
    body: written,
    expected: 201,
  });
  if (!put.headers.get("oci-subject")) await list(place, { manifest, digest, size: written.length });
  return digest;
}

/** Adds a record to the index under the fall-back tag. */
async function list(place, { manifest, digest, size }) {
  const url = `https://${place.host}/v2/${place.name}/manifests/${place.reference.replace(":", "-")}`;
  const known = await request("GET", url, { headers: { accept: indexType }, expected: 200 }).catch(
    (error) => {
      if (!/: 404 /.test(error.message)) throw error;
    },
  );
  const { manifests } = known ? await known.json() : { manifests: [] };
  const { artifactType, annotations } = manifest;
  const entry = { mediaType: manifestType, digest, size, artifactType, annotations };
  const index = { schemaVersion: 2, mediaType: indexType, manifests: [...manifests, entry] };
  const headers = { "content-type": indexType };
  await request("PUT", url, { headers, body: JSON.stringify(index), expected: 201 });
}

/** The records of an image that is named by digest, as the registry's API lists them. */
export async function referrers(image) {
  const { host, name, reference } = parts(image);
  const answer = await request("GET", `https://${host}/v2/${name}/referrers/${reference}`, { expected: 200 });
  return (await answer.json()).manifests;
}

/** Manifest and content of an artifact. */
export async function artifact(image, digest) {
  const { host, name } = parts(image);
  const get = (path, accept) =>
    request("GET", `https://${host}/v2/${name}/${path}`, { headers: { accept }, expected: 200 });
  const manifest = await (await get(`manifests/${digest}`, manifestType)).json();
  const [layer] = manifest.layers;
  return { manifest, content: await (await get(`blobs/${layer.digest}`, "*/*")).text() };
}

/** The statement in a bundle. */
export function payload(text) {
  return JSON.parse(Buffer.from(JSON.parse(text).dsseEnvelope.payload, "base64").toString());
}

/** Verifies the record of an image with cosign, as a colleague does, by the PEM or the KMS name of a key. */
export function cosignVerifies(image, by) {
  const isPem = by.startsWith("-----");
  const key = isPem ? join(process.env.LAB_TMP, "colleague.pem") : `awskms:///${by}`;
  if (isPem) writeFileSync(key, by);
  const options = ["--insecure-ignore-tlog", "--type=slsaprovenance1"];
  return JSON.parse(cosign(["verify-attestation", `--key=${key}`, ...options, image]));
}
