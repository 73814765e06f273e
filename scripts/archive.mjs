// Makes a ZIP archive reproducible: the same files result in the same bytes.
import { createWriteStream, renameSync } from "node:fs";
import { buffer } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";

/** The first day that the format knows; a real time would make each archive another. */
const time = new Date(1980, 0, 1);

/** Writes an archive again, its files in the order of their names and without a time. */
export async function makeReproducible(path) {
  const { ZipFile } = (await import("yazl")).default;
  const archive = new ZipFile();
  for (const { name, content } of await files(path)) {
    archive.addBuffer(content, name, { mtime: time, mode: 0o100644, forceDosTimestamp: true });
  }
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(`${path}.new`));
  renameSync(`${path}.new`, path);
}

async function files(path) {
  const { openPromise } = (await import("yauzl")).default;
  const archive = await openPromise(path);
  const found = [];
  for await (const entry of archive.eachEntry()) {
    if (entry.fileName.endsWith("/")) continue;
    found.push({ name: entry.fileName, content: await buffer(await archive.openReadStreamPromise(entry)) });
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}
