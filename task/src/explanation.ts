/** The place that explains a code: an address where the project's is known, else the heading's name. */
import contacts from "../../contacts.json";

/** The document with a heading for every code. */
const document = "docs/troubleshooting.md";

/** Place of a code's explanation, for the log. */
export function explanation(code: string, documentation: string = contacts.documentation): string {
  return documentation === "" ? `${code} in ${document}` : address(code, documentation);
}

/** The same as Markdown, for the run's page. */
export function explanationLink(code: string, documentation: string = contacts.documentation): string {
  return documentation === ""
    ? `\`${code}\` in \`${document}\``
    : `[${code}](${address(code, documentation)})`;
}

function address(code: string, documentation: string): string {
  return `${documentation}/${document}#${code.toLowerCase()}`;
}
