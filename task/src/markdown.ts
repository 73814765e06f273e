/** Text that is not ours, as Markdown that says the same and means nothing more. */
import { neutraliseToLine } from "./command.ts";

/** What can stand in a code span, also in a table's cell. */
const plain = /^[\w./:@+=,()\- →]+$/;

/** A name, a digest or an address: as code, unless something in it could end that. */
export function literal(value: string): string {
  const line = neutraliseToLine(value);
  return plain.test(line) ? `\`${line}\`` : inert(line);
}

/** A sentence whose literals are in backticks, as all messages have them. */
export function sentence(text: string): string {
  const parts = neutraliseToLine(text).split("`");
  // Without a partner the last backtick is part of somebody's text.
  if (parts.length % 2 === 0) return inert(parts.join("`"));
  return parts.map((part, index) => (index % 2 === 1 && part !== "" ? literal(part) : inert(part))).join("");
}

/** What Markdown or HTML may give a meaning, and the two signs by which an address becomes a link by itself. */
const meaningful = /[^\p{L}\p{N} .,;:()/'%?→…-]|:(?=\/\/)|(?<=\bwww)\./giu;

/** Character references stand for themselves everywhere: neither Markdown nor HTML gives them a meaning. */
export function inert(text: string): string {
  return text.replace(meaningful, (sign) => `&#${sign.codePointAt(0)};`);
}

/** A table; the cells are Markdown already. */
export function table(head: string[], rows: string[][]): string[] {
  const line = (cells: string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
