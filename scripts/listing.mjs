// The project's public address and contacts (`contacts.json`), put into the manifests and the page of the package.
import { CommandFailed, readJson } from "./tools.mjs";

/** Fields of `contacts.json`: the form of a value, what it is, and true where publishing needs it. */
const fields = {
  publisher: { form: /^[\w-]+$/, means: "ID of the Marketplace publisher", needed: true },
  repository: { form: /^https:\/\/\S+$/, means: "address of the Git repository", needed: true },
  issues: { form: /^https:\/\/\S+$/, means: "address where problems are reported", needed: true },
  documentation: {
    form: /^https:\/\/\S+[^/]$/,
    means: "address below which README.md and docs/ are shown, without a slash at its end",
    needed: true,
  },
  support: {
    form: /^(https:\/\/|mailto:)\S+$/,
    means: "address of support, or `mailto:` and a mailbox",
    needed: true,
  },
  firstRealRun: {
    form: /^https:\/\/\S+$/,
    means: "address of the record of a first real run; until then the listing is a preview",
    needed: false,
  },
};

/** Publisher of a package that no one can publish. */
const noPublisher = "unpublished";

/** Reads `contacts.json` and refuses unknown fields and values of another form. */
export function readContacts(contacts = readJson("contacts.json")) {
  const wrong = Object.entries(contacts).filter(
    ([name, value]) => !(name in fields) || (value !== "" && !fields[name].form.test(value)),
  );
  const absent = Object.keys(fields).filter((name) => !(name in contacts));
  const lines = [
    ...wrong.map(([name, value]) => `  ${name}: \`${value}\` is not ${fields[name]?.means ?? "known"}`),
    ...absent.map((name) => `  ${name}: is missing; leave it empty where it is not known`),
  ];
  if (lines.length > 0) throw new CommandFailed(`\`contacts.json\` is not valid:\n${lines.join("\n")}`);
  return contacts;
}

/** Lists what publishing still needs, a line each. */
export function missingContacts(contacts) {
  return Object.entries(fields)
    .filter(([name, { needed }]) => needed && contacts[name] === "")
    .map(([name, { means }]) => `  ${name}: ${means}`);
}

/** The extension's manifest with the publisher, and with the links whose address is known. */
export function listedExtension(extension, contacts) {
  const { publisher, repository, issues, documentation, support, firstRealRun } = contacts;
  const links = filled({
    getstarted: documentation && `${documentation}/README.md`,
    learn: documentation && `${documentation}/docs`,
    support: support,
    issues: issues,
  });
  const { galleryFlags, ...rest } = extension;
  return {
    ...rest,
    publisher: publisher || noPublisher,
    ...(firstRealRun ? {} : { galleryFlags }),
    ...(Object.keys(links).length > 0 && { links }),
    ...(repository && { repository: { type: "git", uri: repository } }),
    ...(issues && { CustomerQnASupport: { ...extension.CustomerQnASupport, url: issues } }),
  };
}

function filled(links) {
  const known = Object.entries(links).filter(([, uri]) => uri);
  return Object.fromEntries(known.map(([name, uri]) => [name, { uri }]));
}

/** The task's manifest with the links whose address is known. */
export function listedTask(task, { documentation, firstRealRun }) {
  return {
    ...task,
    ...(firstRealRun ? {} : { preview: true }),
    ...(documentation && {
      helpUrl: `${documentation}/README.md`,
      helpMarkDown: `${task.helpMarkDown} [More information](${documentation}/README.md)`,
    }),
  };
}

/**
 * The Marketplace page, from the document in docs/.
 *
 * The Marketplace resolves no link into a repository. Pictures are packed beside the page. Other links become addresses
 * below `documentation`, or their text alone where that is not known.
 */
export function listedPage(text, { documentation, issues, support }) {
  const pictured = text.replaceAll("](../images/", "](images/");
  const linked = pictured.replaceAll(/(?<!!)\[([^\]]+)\]\((?![a-z]+:|#)([^)]+)\)/g, (_, shown, target) =>
    documentation ? `[${shown}](${new URL(target, `${documentation}/docs/`)})` : shown,
  );
  const ways = [
    documentation && `- [Documentation](${documentation}/README.md)`,
    issues && `- [Report a problem or ask](${issues})`,
    support && `- [Support](${support})`,
  ].filter(Boolean);
  return ways.length > 0 ? linked.replace("<!-- contacts -->", ways.join("\n")) : linked;
}
