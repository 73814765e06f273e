// ZIP archives: reads a file of one, and makes one reproducible, so that the same files result in the same bytes.
import { createWriteStream, renameSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { CommandFailed } from "./tools.mjs";

/** The first day that the format knows; a real time would make each archive another. */
const time = new Date(1980, 0, 1);

/** Every job downloads the package, so it is packed as small as the format can. */
const options = { mode: 0o100644, forceDosTimestamp: true, compressionLevel: 9 };

/** The list of media types in a package; tfx writes it in the order in which it happened to find them. */
const types = "[Content_Types].xml";

/** Writes an archive again, its files in the order of their names and without a time. */
export async function makeReproducible(path) {
  const { ZipFile } = (await import("yazl")).default;
  const archive = new ZipFile();
  for (const { name, content } of await files(path)) {
    archive.addBuffer(content, name, { ...options, mtime: time });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(`${path}.new`));
  renameSync(`${path}.new`, path);
}

/** Content of the file `name` in an archive. */
export async function readEntry(path, name) {
  const found = (await files(path)).find((file) => file.name === name);
  if (!found) throw new CommandFailed(`\`${path}\` holds no \`${name}\``);
  return found.content;
}

async function files(path) {
  const { openPromise } = (await import("yauzl")).default;
  const archive = await openPromise(path);
  const found = [];
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith("/")) continue;
    const content = await buffer(await archive.openReadStreamPromise(entry));
    found.push({ name: entry.fileName, content: entry.fileName === types ? sortedTypes(content) : content });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Sorts the lines of a list of media types; their order means nothing. */
export function sortedTypes(content) {
  const lines = content.toString().split("\n");
  const isEntry = (line) => /^\s*<(Default|Override) /.test(line);
  const sorted = lines.filter(isEntry).sort();
  return Buffer.from(lines.map((line) => (isEntry(line) ? sorted.shift() : line)).join("\n"));
}
