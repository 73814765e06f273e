// `npm run publish -- FILE.vsix` publishes a package on the Marketplace; `--share-with ORGANISATION` shares a private one.
// The token is read from the variable `MARKETPLACE_TOKEN`, so that no command line shows it.
import { createRequire } from "node:module";
import { parseArgs } from "node:util";
import { readEntry } from "./archive.mjs";
import { missingContacts, readContacts } from "./listing.mjs";
import { CommandFailed, isEntry, main } from "./tools.mjs";

/** Lists what keeps a package of this `publisher` from being published, a line each. */
export function refusals(contacts, { publisher, token }) {
  const missing = missingContacts(contacts);
  const another = publisher !== contacts.publisher && contacts.publisher !== "";
  return [
    ...(missing.length > 0 ? ["`contacts.json` lacks:", ...missing] : []),
    ...(another ? [`The package is of the publisher \`${publisher}\`; build it again`] : []),
    ...(token ? [] : ["The variable `MARKETPLACE_TOKEN` is not set"]),
  ];
}

/** Publishes a package by `words`, which are its path and options of tfx. Throws with all that keeps it from that. */
export async function publish(contacts, words, token) {
  const options = { "share-with": { type: "string" }, "service-url": { type: "string" } };
  const { positionals, values } = parseArgs({ args: words, allowPositionals: true, options });
  const [vsix] = positionals;
  if (!vsix) throw new CommandFailed("Name the package: `npm run publish -- dist/NAME.vsix`");
  const manifest = await readEntry(vsix, "extension.vsixmanifest");
  const [, publisher] = /\bPublisher="([^"]*)"/.exec(manifest.toString()) ?? [];
  const reasons = refusals(contacts, { publisher, token });
  if (reasons.length > 0) throw new CommandFailed(`Cannot publish:\n${reasons.join("\n")}`);
  const given = Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
  // tfx runs in this process: as a process of its own it would need the token on its command line.
  process.argv = [
    process.argv[0],
    "tfx",
    "extension",
    "publish",
    "--vsix",
    vsix,
    "--no-prompt",
    "--no-color",
  ];
  process.argv.push(...given, "--token", token);
  createRequire(import.meta.url)("tfx-cli/_build/tfx-cli.js");
}

if (isEntry(import.meta))
  await main(() => publish(readContacts(), process.argv.slice(2), process.env.MARKETPLACE_TOKEN));
