// Part of `npm run check`: holds doc comments and texts to plain English.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, isEntry, main, read, root } from "./tools.mjs";

/** Share of doc comments, in percent, that may open with one of the questions: less than this. */
const limit = 5;
const question = /^(what|whether|who|whose|how|where|when|why|which)\b/i;

/** Folders whose doc comments count. `native/node/index.d.ts` is left out, because it repeats those of its Rust code. */
const documented = {
  rust: /^(native|tests\/engine)\/.*\.rs$/,
  script: /^(task|scripts|tests)\/.*\.(ts|mjs)$/,
};

const text = /(\.(rs|ts|mjs|sh|md|json|toml|ya?ml)|^tests\/(lab\/bin|fixtures\/\w+)\/[^.]+)$/;

/** Files that may use the phrases, with the reason. */
const exempt = new Map([
  ["package-lock.json", "is generated"],
  ["scripts/words.mjs", "lists the phrases"],
  ["tests/package/task.schema.json", "is Microsoft's text"],
  ["tests/package/sources.test.mjs", "tests the phrases"],
]);

/** A space of a phrase: in a comment or a string, a line can end there and the next begin with a marker. */
const gap = String.raw`[\s/*!#>\\]+`;

/** A pattern for a phrase as people write it, in any case. */
const phrase = (words) => new RegExp(words.replaceAll(" ", gap), "gi");

/** Phrases to avoid, each with what to write instead. "There is no x" and "is no longer" are good English. */
const phrases = [
  [phrase(String.raw`\b(?:whoever|whomever)\b`), "name the person, or use the passive"],
  [phrase(String.raw`\banybody\b`), "anyone, or anonymously"],
  [phrase(String.raw`\bof one['’]s own\b`), "your own, or its own"],
  [phrase(String.raw`\bha(?:s|ve) to be\b`), "must be"],
  [phrase(String.raw`\bwhat came of it\b`), "the result"],
  [
    phrase(
      String.raw`(?<!\bthere${gap})\bis no (?!(?:longer|more|less|fewer|one|better|worse|different|further|later|earlier|newer|older|larger|smaller)\b)[\w\`]+`,
    ),
    "is not a …, or has no …",
  ],
];

/** Opening words of a file's doc comments, each with its line. */
function docComments(path, source) {
  if (documented.rust.test(path)) return rustComments(source);
  return documented.script.test(path) ? scriptComments(source) : [];
}

function rustComments(source) {
  const lines = source.split("\n").map((line) => /^\s*(\/\/\/(?!\/)|\/\/!)\s?(.*)$/.exec(line));
  return lines.flatMap((match, index) => {
    const isFirst = match && lines[index - 1]?.[1] !== match[1];
    return isFirst ? [{ line: index + 1, opening: match[2].trim() }] : [];
  });
}

function scriptComments(source) {
  return [...source.matchAll(/^[ \t]*\/\*\*[\s*]*(.*)/gm)].map(({ 1: opening, index }) => ({
    line: lineAt(source, index),
    opening: opening.trim(),
  }));
}

/** Phrases to avoid in one file, a line each. */
function avoided(path, source) {
  if (exempt.has(path)) return [];
  return phrases.flatMap(([pattern, better]) =>
    [...source.matchAll(pattern)].map(({ 0: words, index }) => {
      const shown = words.replaceAll(/\s+/g, " ");
      return `${path}:${lineAt(source, index)}: "${shown}"; better: ${better}`;
    }),
  );
}

function lineAt(source, index) {
  return source.slice(0, index).split("\n").length;
}

/**
 * Review of `files`, which are pairs of path and text. It has the problems, a line each, and the numbers of doc comments:
 * all of them, and those that open with a question.
 */
export function review(files) {
  const comments = files.flatMap(([path, source]) =>
    docComments(path, source).map(({ line, opening }) => ({ place: `${path}:${line}`, opening })),
  );
  const questions = comments.filter(({ opening }) => question.test(opening));
  const isOver = comments.length > 0 && questions.length * 100 >= limit * comments.length;
  const problems = [
    ...(isOver ? questions.map(({ place, opening }) => `${place}: opens with a question: ${opening}`) : []),
    ...files.flatMap(([path, source]) => avoided(path, source)),
  ];
  return { problems, comments: comments.length, questions: questions.length };
}

/** Every file of text that git tracks or would add. */
function sources() {
  const names = read("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).split("\0");
  return names
    .filter((path) => text.test(path) && existsSync(join(root, path)))
    .map((path) => [path, readFileSync(join(root, path), "utf8")]);
}

if (isEntry(import.meta)) {
  await main(async () => {
    const { problems, comments, questions } = review(sources());
    for (const problem of problems) console.error(problem);
    const share = ((100 * questions) / comments).toFixed(1);
    console.log(
      `${questions} of ${comments} doc comments open with a question: ${share} %, limit ${limit} %`,
    );
    if (problems.length > 0) throw new CommandFailed(`${problems.length} places need plainer words`);
  });
}
