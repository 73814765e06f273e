// Entries of the graft cache that others wrote or spoilt, and those that cannot be written.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { story } from "./agent.mjs";
import { assertOrderly } from "./expect.mjs";
import { asked, assertHit, first, repository, signedIn, withEngine, withoutSocket } from "./graft-cache.mjs";
import { derive } from "./images.mjs";
import { content, crane, front, manifest, needsLab, registry } from "./lab.mjs";
import { attach } from "./records.mjs";

const entryTag = /`[^`]*:(falcon-graft-[0-9a-f]{32})`/;

/** A graft that does not use the entry, for a reason that it logs, and asks falconutil instead. */
function assertPassedOver(step, reason) {
  assertOrderly(step);
  assert.equal(step.result, "Succeeded", story(step));
  const warnings = step.warnings.filter(({ code }) => code === "GRAFT_ENTRY_REFUSED");
  assert.equal(warnings.length, 1, story(step));
  assert.match(warnings[0].message, entryTag);
  assert.match(warnings[0].message, reason);
  assert.match(step.text, /Patch a stub of the source/);
}

/** Puts a manifest under a tag. */
async function put(name, tag, document) {
  const response = await fetch(`https://${registry}/v2/${name}/manifests/${tag}`, {
    method: "PUT",
    headers: { ...signedIn, "content-type": document.mediaType },
    body: JSON.stringify(document),
  });
  assert.equal(response.status, 201, await response.text());
}

/** The bytes of something that a repository has. */
async function read(name, path) {
  const answer = await fetch(`https://${registry}/v2/${name}/${path}`, { headers: signedIn });
  assert.equal(answer.status, 200);
  return answer.arrayBuffer();
}

/** Uploads a blob, and returns its digest and size. */
async function blob(name, bytes) {
  const from = await derive(`${registry}/${name}:first`, "carrier", () => {}, bytes);
  const { digest, size } = manifest(from).layers.at(-1);
  return { digest, size };
}

test("Bad entries are refused, each for its reason, and replaced", needsLab, async () => {
  const name = await repository("app/poisoned");
  const { tag, entry, step } = await first(name);
  const good = manifest(entry);
  const documentOf = JSON.parse(content(`${registry}/${name}@${good.config.digest}`));
  const image = manifest(step.outputs.imageReference);
  const other = await first(name, { containerName: "other" });
  const poisoned = await blob(name, Buffer.concat([fileAt("etc/passwd"), Buffer.alloc(1024)]));
  const packed = await read(name, `blobs/${good.layers[0].digest}`);
  const cutOff = await raw(name, Buffer.from(packed).subarray(0, packed.byteLength / 2));
  const withDocument = async (change) => {
    const changed = structuredClone(documentOf);
    change(changed);
    const bytes = Buffer.from(JSON.stringify(changed));
    return { ...good, config: { ...good.config, ...(await raw(name, bytes)) } };
  };
  const cases = [
    ["mis-tagged", /is not an entry of the graft cache/, image],
    ["replayed", /answers another question/, manifest(other.entry)],
    [
      "truncated",
      /is not whole/,
      { ...good, config: { ...good.config, ...(await raw(name, Buffer.from('{"schema":1,'))) } },
    ],
    [
      "foreign",
      /its manifest differs/,
      { ...good, artifactType: "application/vnd.cncf.helm.config.v1+json" },
    ],
    ["of another schema", /has the schema 2/, await withDocument((document) => (document.schema = 2))],
    ["of another size", /its layer is refused/, { ...good, layers: [{ ...good.layers[0], size: 5 }] }],
    [
      "with a poisoned layer",
      /its layer is refused: .*etc\/passwd/,
      {
        ...(await withDocument((document) => {
          document.layer.digest = poisoned.digest;
          document.layer.size = poisoned.size;
        })),
        layers: [{ ...good.layers[0], ...poisoned }],
      },
    ],
    [
      "with a cut-off layer",
      /its layer is refused/,
      {
        ...(await withDocument((document) => {
          document.layer.digest = cutOff.digest;
          document.layer.size = cutOff.size;
        })),
        layers: [{ ...good.layers[0], ...cutOff }],
      },
    ],
    [
      "with another entrypoint",
      /would be wrong: its entrypoint/,
      await withDocument((document) => (document.change.entrypoint = [["/bin/sh"]])),
    ],
    ["with an unknown field", /is not in the form/, await withDocument((document) => (document.more = 1))],
  ];
  for (const [what, reason, planted] of cases) {
    await put(name, tag, planted);
    const step = await withEngine(asked(name, what.replaceAll(" ", "-")));
    assertPassedOver(step, reason);
    assert.deepEqual(manifest(entry), good, `${what}: replaced`);
  }
  assertHit(await withoutSocket(asked(name, "last")));
});

/** Uploads bytes as they are. */
async function raw(name, bytes) {
  const base = `https://${registry}/v2/${name}/blobs/uploads/`;
  const session = await fetch(base, { method: "POST", headers: signedIn });
  const place = new URL(session.headers.get("location"), base);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  place.searchParams.set("digest", digest);
  const answer = await fetch(place, { method: "PUT", headers: signedIn, body: bytes });
  assert.equal(answer.status, 201);
  return { digest, size: bytes.length };
}

/** The header of an empty file. */
function fileAt(path) {
  const header = Buffer.alloc(512);
  const fields = [
    [0, path],
    [100, "0000644"],
    [108, "0000000"],
    [116, "0000000"],
    [124, "00000000000"],
    [136, "00000000000"],
    [148, " ".repeat(8)],
    [156, "0"],
    [257, "ustar\0" + "00"],
  ];
  for (const [at, text] of fields) header.write(text, at, "latin1");
  const sum = header.reduce((all, byte) => all + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

test("Immutable tags keep a good entry, and a bad one is warned of", needsLab, async () => {
  const name = await repository("app/cache-immutable", { immutable: true });
  const { entry, tag } = await first(name);
  assertHit(await withoutSocket(asked(name, "second")));
  assert.equal(manifest(entry).artifactType, "application/vnd.falcon-arm64-patch.graft.v1+json");
  const bad = await repository("app/cache-immutable-bad", { immutable: true });
  const image = await withEngine(asked(bad, "1", { graftCache: "none" }));
  await put(bad, tag, manifest(image.outputs.imageReference));
  const step = await withEngine(asked(bad, "2"));
  assert.equal(step.result, "Succeeded", story(step));
  assert.deepEqual(
    step.warnings.map(({ code }) => code),
    ["GRAFT_ENTRY_REFUSED", "GRAFT_ENTRY_NOT_KEPT"],
  );
});

test("A registry that refuses the entry costs a warning", needsLab, async () => {
  const name = await repository("app/refuses-entry");
  const match = { method: "PUT", pathPattern: "/app/refuses-entry/manifests/falcon-graft-" };
  const answer = { status: 403, body: '{"errors":[{"code":"DENIED","message":"not now"}]}' };
  await front("POST", "/faults", { match, count: 10, answer });
  try {
    const step = await withEngine(asked(name, "1"));
    assert.equal(step.result, "Succeeded", story(step));
    assert.deepEqual(
      step.warnings.map(({ code }) => code),
      ["GRAFT_ENTRY_NOT_KEPT"],
    );
    assert.doesNotMatch(story(step), /kept the graft/);
  } finally {
    await front("DELETE", "/faults");
  }
});

const at = (name, digest) => `${registry}/${name}@${digest}`;

/** The bundle beside an entry. */
async function signatureOf(name, entry) {
  const list = JSON.parse(Buffer.from(await read(name, `referrers/${entry}`)).toString());
  return content(at(name, manifest(at(name, list.manifests[0].digest)).layers[0].digest));
}

test(
  "With trusted keys only signed entries are believed, and their layers are not read",
  needsLab,
  async () => {
    const name = await repository("app/signed-entries");
    for (const alias of ["alias/graft-cache", "alias/other-cache"]) await front("PUT", "/keys", { alias });
    const { entry } = await first(name);
    const trusting = { trustedKeys: "alias/graft-cache" };
    const unsigned = await withEngine(asked(name, "unsigned", trusting));
    assertPassedOver(unsigned, /no trusted key has signed it: no signature is beside it/);

    const signing = { ...trusting, signingKey: "alias/graft-cache" };
    const before = manifest(entry);
    const signed = await withEngine(asked(name, "signed", signing));
    assertPassedOver(signed, /no trusted key has signed it/);
    assert.deepEqual(manifest(entry), before, "the same answer is the same bytes");

    await front("DELETE", "/requests");
    const later = await withoutSocket(asked(name, "later", signing));
    const requests = await front("GET", "/requests");
    assertHit(later);
    assert.match(later.text, /signed by alias\/graft-cache, has falconutil's answer/);
    const layer = before.layers[0].digest;
    const reads = requests.filter(
      ({ method, path }) => method === "GET" && decodeURIComponent(path).includes(layer),
    );
    assert.deepEqual(reads, []);
    assert.ok(requests.length <= 36, `${requests.length} requests`);

    const other = await withEngine(asked(name, "other", { trustedKeys: "alias/other-cache" }));
    assertPassedOver(other, /no trusted key has signed it/);

    // The signature of one entry is put beside another.
    const second = { containerName: "second" };
    const victim = await first(name, second);
    await attach(at(name, crane("digest", victim.entry)), await signatureOf(name, crane("digest", entry)));
    const replayed = await withEngine(asked(name, "replayed", { ...trusting, ...second }));
    assertPassedOver(replayed, /no trusted key has signed it/);
  },
);
