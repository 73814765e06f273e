// Publishing: what it refuses, and what the Marketplace would receive. A server on loopback is in the Marketplace's place.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { ZipFile } from "yazl";
import { missingContacts, readContacts } from "../../scripts/listing.mjs";
import { refusals } from "../../scripts/publish.mjs";
import { root } from "../../scripts/tools.mjs";
import { emptyContacts, madeUpContacts } from "./contacts.mjs";

const folder = mkdtempSync(join(tmpdir(), "falcon-publish-"));
after(() => rmSync(folder, { recursive: true }));
const script = join(root, "scripts/publish.mjs");

/** A package that holds nothing but its identity. */
async function packageOf(publisher) {
  const path = join(folder, `${publisher}.vsix`);
  const archive = new ZipFile();
  const identity = `<Identity Id="made-up" Version="1.0.0" Publisher="${publisher}"/>`;
  archive.addBuffer(
    Buffer.from(`<PackageManifest><Metadata>${identity}</Metadata></PackageManifest>`),
    "extension.vsixmanifest",
  );
  archive.end();
  await pipeline(archive.outputStream, createWriteStream(path));
  return path;
}

test("Publishing is refused with all that is missing", () => {
  const ready = { publisher: madeUpContacts.publisher, token: "t" };
  assert.deepEqual(refusals(madeUpContacts, ready), []);
  const needed = ["publisher", "repository", "issues", "documentation", "support"];
  const named = missingContacts(emptyContacts).map((line) => line.trim().split(":")[0]);
  assert.deepEqual(named, needed);
  assert.match(refusals(madeUpContacts, { ...ready, publisher: "unpublished" }).join("\n"), /`unpublished`/);
  assert.match(refusals(madeUpContacts, { ...ready, token: undefined }).join("\n"), /MARKETPLACE_TOKEN/);
});

test("The command refuses with the contacts of the repository, and without a token", async () => {
  const { MARKETPLACE_TOKEN, ...env } = process.env;
  const options = { cwd: root, env, encoding: "utf8" };
  const { status, stderr } = spawnSync(process.execPath, [script, await packageOf("unpublished")], options);
  assert.equal(status, 1);
  for (const line of [...missingContacts(readContacts()), "MARKETPLACE_TOKEN"])
    assert.ok(stderr.includes(line), line);
});

/** Command lines of all processes of the machine. */
const commandLines = () =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((id) => {
      try {
        return readFileSync(`/proc/${id}/cmdline`, "latin1");
      } catch (error) {
        // A process can end between the two looks.
        if (["ENOENT", "ESRCH"].includes(error.code)) return "";
        throw error;
      }
    });

test("With contacts and a token the Marketplace is asked, and no command line holds the token", async () => {
  const token = `t0ken-${process.pid}`;
  const seen = [];
  const server = createServer((request, response) => {
    const [, credentials = ""] = request.headers.authorization?.split(" ") ?? [];
    seen.push({ login: Buffer.from(credentials, "base64").toString(), lines: commandLines() });
    response.setHeader("content-type", "application/json");
    response.end('{"count":0,"value":[]}');
  });
  await new Promise((settle) => server.listen(0, "127.0.0.1", settle));
  const words = [await packageOf("made-up"), "--service-url", `http://127.0.0.1:${server.address().port}`];
  const code = `import { publish } from ${JSON.stringify(script)};
    await publish(${JSON.stringify(madeUpContacts)}, ${JSON.stringify(words)}, process.env.MARKETPLACE_TOKEN);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", code], {
    cwd: root,
    env: { ...process.env, MARKETPLACE_TOKEN: token },
  });
  const [shown, ended] = await Promise.all([
    Promise.all([text(child.stdout), text(child.stderr)]),
    new Promise((settle) => child.on("close", settle)),
  ]);
  server.close();
  assert.ok(seen.length > 0, shown.join(""));
  for (const { login, lines } of seen) {
    assert.equal(login, `OAuth:${token}`);
    assert.ok(lines.length > 1);
    assert.ok(!lines.some((line) => line.includes(token)));
  }
  // The server offers no interface, so tfx ends with a failure, which must reach the caller.
  assert.notEqual(ended, 0);
  assert.match(shown.join(""), /gallery/);
  assert.ok(!shown.join("").includes(token));
});
