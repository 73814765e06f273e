// The address and contacts in manifests, task and page: in the state of the repository, and with made-up values.
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { listedExtension, listedPage, listedTask, readContacts } from "../../scripts/listing.mjs";
import { digests, drawnFrom, pages } from "../../scripts/pictures/pages.mjs";
import { readJson, root } from "../../scripts/tools.mjs";
import { emptyContacts, madeUpContacts } from "./contacts.mjs";

const contacts = readContacts();
const extension = readJson("vss-extension.json");
const task = readJson("task/task.json");
const page = readFileSync(join(root, "docs/overview.md"), "utf8");

const made = madeUpContacts;
const empty = emptyContacts;
const { documentation } = made;

const addresses = (value) => JSON.stringify(value).match(/(https?:\/\/|mailto:)[^"\s)]+/g) ?? [];

test("The package's own manifests are those of the contacts", () => {
  const packed = (path) => JSON.parse(readFileSync(join(root, "dist/package", path), "utf8"));
  assert.deepEqual(packed("vss-extension.json"), listedExtension(extension, contacts));
  assert.deepEqual(packed("FalconArm64Patch/task.json"), listedTask(task, contacts));
  assert.equal(readFileSync(join(root, "dist/package/overview.md"), "utf8"), listedPage(page, contacts));
});

test("Without contacts no manifest has a link or a publisher that could be someone's", () => {
  const listed = listedExtension(extension, empty);
  assert.deepEqual(addresses(listed), addresses(extension));
  assert.equal(listed.publisher, "unpublished");
  assert.deepEqual(listed.galleryFlags, ["Preview"]);
  assert.deepEqual(listed.CustomerQnASupport, { enablemarketplaceqna: true });
  for (const name of ["links", "repository"]) assert.ok(!(name in listed), name);
  assert.deepEqual(listedTask(task, empty), { ...task, preview: true });
});

test("With contacts the manifests link to them", () => {
  const listed = listedExtension(extension, made);
  assert.equal(listed.publisher, made.publisher);
  assert.deepEqual(listed.links, {
    getstarted: { uri: `${documentation}/README.md` },
    learn: { uri: `${documentation}/docs` },
    support: { uri: made.support },
    issues: { uri: made.issues },
  });
  assert.deepEqual(listed.repository, { type: "git", uri: made.repository });
  assert.deepEqual(listed.CustomerQnASupport, { enablemarketplaceqna: true, url: made.issues });
  const { helpUrl, helpMarkDown } = listedTask(task, made);
  assert.equal(helpUrl, `${documentation}/README.md`);
  assert.ok(helpMarkDown.startsWith(task.helpMarkDown) && helpMarkDown.includes(helpUrl));
});

test("Extension and task are a preview until a real run is on record", () => {
  const proven = { ...made, firstRealRun: `${made.issues}/1` };
  assert.ok(!("galleryFlags" in listedExtension(extension, proven)));
  assert.ok(!("preview" in listedTask(task, proven)));
  assert.equal(listedTask(task, made).preview, true);
});

/** Targets of links and pictures in a page. */
const targets = (text) => [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target);

test("The page has no link that the Marketplace cannot resolve", () => {
  const files = new Set([extension.icons.default, ...extension.screenshots.map(({ path }) => path)]);
  for (const known of [empty, made])
    for (const target of targets(listedPage(page, known)))
      assert.ok(/^https:\/\/|^mailto:/.test(target) || files.has(target), target);
  assert.ok(
    targets(page).some((target) => /^[a-z-]+\.md/.test(target)),
    "the document links to others",
  );
});

test("Each picture of the page is packed", () => {
  const pictures = targets(listedPage(page, empty)).filter((target) => target.endsWith(".png"));
  assert.ok(pictures.length >= 3);
  for (const picture of pictures) assert.ok(existsSync(join(root, picture)), picture);
});

test("Each picture shows its page as it is today", () => {
  const drawn = JSON.parse(readFileSync(drawnFrom, "utf8"));
  assert.deepEqual(Object.keys(drawn).sort(), Object.keys(pages).sort());
  for (const [name, digest] of Object.entries(digests()))
    assert.equal(drawn[name], digest, `images/${name}.png is out of date: run \`npm run pictures\``);
});

test("Pictures have the Marketplace's size, and few bytes", () => {
  for (const { path } of extension.screenshots) {
    const content = readFileSync(join(root, path));
    assert.deepEqual([content.readUInt32BE(16), content.readUInt32BE(20)], [1366, 768], path);
    assert.ok(content.length < 80_000, `${path}: ${content.length} bytes`);
  }
});

test("With contacts the page links to documents that exist", () => {
  const text = listedPage(page, made);
  const links = targets(text).filter((target) => target.startsWith(`${documentation}/`));
  assert.ok(links.length >= 3);
  for (const link of links)
    assert.ok(existsSync(join(root, new URL(link).pathname.replace("/project/blob/main/", ""))), link);
  for (const address of [made.issues, made.support]) assert.ok(text.includes(address), address);
});

test("The page says what it is, what it collects, and who is not behind it", () => {
  for (const words of [
    /collects nothing/,
    /not affiliated with/,
    /stand-in/,
    /^## Quick start$/m,
    /^## Support$/m,
  ])
    assert.match(page, words);
});

test("Contacts of another form are refused, each by its name", () => {
  const wrong = { ...made, repository: "somewhere", support: "a@b", documentation: `${documentation}/` };
  assert.throws(
    () => readContacts(wrong),
    ({ message }) => ["repository:", "support:", "documentation:"].every((name) => message.includes(name)),
  );
  assert.throws(() => readContacts({ ...made, telephone: "1" }), /telephone/);
  const { issues, ...others } = made;
  assert.throws(() => readContacts(others), /issues: is missing/);
  assert.deepEqual(readContacts(made), made);
});
