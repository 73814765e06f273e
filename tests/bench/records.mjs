// Records beside an image, in numbers.
import { generateKeyPairSync } from "node:crypto";
import { parts, request } from "../task/images.mjs";
import { crane } from "../task/lab.mjs";
import { attach, bundle, statement } from "../task/records.mjs";

/** Adds signed records to those beside an image until there are `count`. Their key is one that no one trusts, so all are read. */
export async function recordsBeside(target, count) {
  const digest = crane("digest", target);
  const { host, name } = parts(target);
  const url = `https://${host}/v2/${name}/referrers/${digest}`;
  const { manifests } = await (await request("GET", url, { expected: 200 })).json();
  const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
  for (let number = manifests.length; number < count; number += 1) {
    const numbered = (made) => {
      made.predicate.runDetails.metadata.invocationId = `${number}`;
    };
    await attach(`${host}/${name}@${digest}`, bundle(statement(digest, numbered), key));
  }
}
