// The lines of a log, with their numbers, colours and folded groups.
import { html } from "./html.mjs";

/** The lines as list items. Groups are folded, as the run's page folds them, except those whose title is in `open`. */
export function logLines(text, open = new Set()) {
  const items = [];
  let folded = false;
  for (const [index, line] of text.trimEnd().split("\n").entries()) {
    const [, kind, rest] = /^##\[(\w+)\](.*)$/.exec(line) ?? [undefined, "plain", line];
    if (kind === "endgroup") {
      folded = false;
      continue;
    }
    const isInside = folded;
    if (kind === "group") folded = !open.has(rest);
    if (!isInside) items.push(item(index + 1, kind === "group" && !folded ? "group open" : kind, rest));
  }
  return items;
}

function item(number, kind, text) {
  return html`<li class="${kind}"><i>${number}</i><span>${text}</span></li>`;
}
