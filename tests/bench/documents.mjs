// Writes what was measured into the documents, between markers; what stands around them is written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/tools.mjs";
import { chart, groupsOf, inWords } from "./chart.mjs";
import { idOf, rows } from "./rows.mjs";
import { circumstances, figures, goals, inSeconds, markdown } from "./table.mjs";

/** Puts a text between the markers of a name. */
export function between(document, name, text) {
  const [open, close] = [`<!-- bench: ${name} -->`, `<!-- end of bench: ${name} -->`];
  const [start, end] = [document.indexOf(open), document.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`the markers of ${name} are missing`);
  return `${document.slice(0, start + open.length)}\n${text}\n${document.slice(end)}`;
}

/** What README's first screen says: the chart, and what to make of it. */
export function summary(evaluated) {
  const seconds = (id, flow) => {
    const { case: measured } = rows.find((row) => row.id === id);
    const name = idOf({ ...measured, flow });
    const found = evaluated.cases.find(({ case: each }) => idOf(each) === name);
    return inSeconds(found.seconds.median);
  };
  const judged = [...evaluated.comparisons, ...evaluated.limits].filter(({ goal }) => goal !== undefined);
  const reached = judged.filter(({ verdict }) => verdict === "reached").length;
  const [full, graft, unchanged, seed] = [
    seconds("full-overlay2", "full"),
    seconds("graft-overlay2", "graft"),
    seconds("unchanged-overlay2", "unchanged"),
    seconds("full-overlay2", "seed"),
  ];
  return [
    `![${inWords(groupsOf(evaluated))}](docs/performance.svg)`,
    "",
    [
      `From an empty engine (overlay2 store), an image of 800 MB is patched in ${full} with \`strategy: full\` and in ${graft} with \`strategy: graft\`, and found unchanged in ${unchanged}, where the patch stage of the hand-written pipeline takes ${seed}.`,
      "Measured in this repository's lab with a stand-in falconutil, whose sensor has the published size of the real one, and with a registry on loopback: the ratios mean something, the seconds little, and a real network comes on top, of which the last group is a model.",
      `${reached} of ${judged.length} goals are reached; [docs/performance.md](docs/performance.md) says how it was measured, and by how much the others are missed.`,
    ].join(" "),
  ].join("\n");
}

/** Writes chart, tables and figures of a complete run. */
export function writeDocuments(evaluated) {
  const edit = (path, change) => {
    const file = join(root, path);
    writeFileSync(file, change(readFileSync(file, "utf8")));
  };
  writeFileSync(join(root, "docs/performance.svg"), chart(groupsOf(evaluated)));
  edit("docs/performance.md", (text) =>
    Object.entries({
      chart: `![${inWords(groupsOf(evaluated))}](performance.svg)`,
      goals: markdown(goals(evaluated)),
      figures: markdown(figures(evaluated)),
      circumstances: circumstances(evaluated),
    }).reduce((document, [name, content]) => between(document, name, content), text),
  );
  edit("README.md", (text) => between(text, "summary", summary(evaluated)));
}
