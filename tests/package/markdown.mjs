// The documents of the repository, as their tests read them.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { read, root } from "../../scripts/tools.mjs";

/** Every document that git tracks or would add, in order. */
export const documents = read("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md"])
  .split("\0")
  .filter((path) => path !== "")
  .sort();

/** The text of a document. */
export const textOf = (path) => readFileSync(join(root, path), "utf8");

/** Every fenced block of a language in a document, without the indentation of its fence. */
export function fencedBlocks(path, language) {
  const fences = textOf(path).matchAll(new RegExp(`^( *)\`\`\`${language}\\n([\\s\\S]*?)^ *\`\`\`$`, "gm"));
  return [...fences].map(([, indent, block]) => block.replaceAll(new RegExp(`^${indent}`, "gm"), ""));
}
