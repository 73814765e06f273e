// push-all.mjs REGISTRY CACHE DIGESTS: pushes the catalogue into an empty registry and writes each tag's digest to a file.
import { writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { catalogue } from "./catalogue.mjs";
import { sha256 } from "./oci.mjs";

const [registry, cache, digestsFile] = process.argv.slice(2);
const pushed = new Set();

async function call(method, path, expected, { headers, body } = {}) {
  const response = await fetch(new URL(path, registry), { method, headers, body });
  if (response.status !== expected)
    throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}

async function pushBlob(repository, bytes) {
  const digest = sha256(bytes);
  if (pushed.has(`${repository}@${digest}`)) return;
  const session = await call("POST", `/v2/${repository}/blobs/uploads/`, 202);
  const location = new URL(session.headers.get("location"), registry);
  location.searchParams.set("digest", digest);
  await call("PUT", location, 201, { headers: { "content-type": "application/octet-stream" }, body: bytes });
  pushed.add(`${repository}@${digest}`);
}

async function pushManifest(repository, reference, thing) {
  for (const blob of thing.blobs ?? []) await pushBlob(repository, blob);
  for (const child of thing.children ?? []) await pushManifest(repository, sha256(child.bytes), child);
  await call("PUT", `/v2/${repository}/manifests/${reference}`, 201, {
    headers: { "content-type": thing.mediaType },
    body: thing.bytes,
  });
}

async function awaitRegistry() {
  for (let tries = 0; tries < 100; tries += 1) {
    if (
      await fetch(new URL("/v2/", registry)).then(
        (response) => response.ok,
        () => false,
      )
    )
      return;
    await sleep(50);
  }
  throw new Error("the registry did not start");
}

await awaitRegistry();
const digests = {};
for (const [repository, tags] of Object.entries(catalogue(cache))) {
  for (const [tag, thing] of Object.entries(tags)) {
    await pushManifest(repository, tag, thing);
    digests[`${repository}:${tag}`] = sha256(thing.bytes);
  }
}
writeFileSync(digestsFile, `${JSON.stringify(digests, null, 2)}\n`);
