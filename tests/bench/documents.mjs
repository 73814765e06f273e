// Writes the measurements into the documents, between markers; the text around them is written by hand.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceBlock } from "../../scripts/blocks.mjs";
import { root } from "../../scripts/tools.mjs";
import { chart, groupsOf, inWords } from "./chart.mjs";
import { rows } from "./rows.mjs";
import { circumstances, figures, goals, inSeconds, markdown } from "./table.mjs";
import { idOf } from "./turns.mjs";

/** Puts a text between the markers of a measurement. */
export const between = (document, name, text) => replaceBlock(document, `bench: ${name}`, text);

/** README's first screen: the chart, and its explanation. */
export function summary(evaluated) {
  const groups = groupsOf(evaluated);
  const of = (flow) => {
    const { case: given } = rows.find(({ id }) => id === "full-overlay2");
    const found = evaluated.cases.find(({ case: each }) => idOf(each) === idOf({ ...given, flow }));
    return inSeconds(found.seconds.median);
  };
  const judged = [...evaluated.comparisons, ...evaluated.limits].filter(({ goal }) => goal !== undefined);
  const reached = judged.filter(({ verdict }) => verdict === "reached").length;
  const sentences = [
    `The hand-written pipeline takes ${of("pipeline")} to patch an image of 800 MB. From an empty engine (overlay2 image store), the task takes ${of("full")}, or ${of("graft")} with \`strategy: graft\`. An agent without an engine takes ${of("graft from the cache, signed")} from the signed graft cache, and an unchanged image ${of("unchanged")}.`,
    "falconutil is a stand-in there, whose sensor has the real one's published size, and the registry is on the same machine's loopback: trust the ratios, not the seconds, and the last group of bars simulates a network.",
    `${reached} of ${judged.length} goals are reached; [docs/performance.md](docs/performance.md) has the method, and what is missed by how much.`,
  ];
  return `![${inWords(groups.slice(0, 1))}](docs/performance.svg)\n\n${sentences.join(" ")}`;
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
