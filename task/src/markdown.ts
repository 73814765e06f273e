/** Text that is not ours, as Markdown that shows it literally. */
import { neutraliseToLine } from "./command.ts";

/** Text that is safe in a code span, also in a table's cell. */
const plain = /^[\w./:@+=,()\- →]+$/;

/** A name, a digest or an address: as code, unless a character in it could end the code. */
export function literal(value: string): string {
  const line = neutraliseToLine(value);
  return plain.test(line) ? `\`${line}\`` : inert(line);
}

/** A sentence whose literals are in backticks, as all messages have them. */
export function sentence(text: string): string {
  const parts = neutraliseToLine(text).split("`");
  // Without a partner the last backtick is part of a foreign text.
  if (parts.length % 2 === 0) return inert(parts.join("`"));
  return parts.map((part, index) => (index % 2 === 1 && part !== "" ? literal(part) : inert(part))).join("");
}

/** Characters that Markdown or HTML may interpret, and the two that turn an address into a link. */
const meaningful = /[^\p{L}\p{N} .,;:()/'%?→…-]|:(?=\/\/)|(?<=www)\./giu;

/** Replaces such characters by references to them, which neither Markdown nor HTML interprets. */
export function inert(text: string): string {
  return text.replace(meaningful, (sign) => `&#${sign.codePointAt(0)};`);
}

/** A table; the cells are Markdown already. */
export function table(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
