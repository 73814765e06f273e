// push-all.mjs REGISTRY CACHE DIGESTS: pushes the catalogue into an empty registry and writes each tag's digest to a file.
import { writeFileSync } from "node:fs";
import { catalogue } from "./catalogue.mjs";
import { sha256 } from "./oci.mjs";
import { Registry } from "./push.mjs";

const [url, cache, digestsFile] = process.argv.slice(2);
const registry = new Registry(url);
await registry.ready();
const digests = {};
for (const [repository, tags] of Object.entries(catalogue(cache))) {
  for (const [tag, thing] of Object.entries(tags)) {
    await registry.push(repository, tag, thing);
    digests[`${repository}:${tag}`] = sha256(thing.bytes);
  }
}
writeFileSync(digestsFile, `${JSON.stringify(digests, null, 2)}\n`);
