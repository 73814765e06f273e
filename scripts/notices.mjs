// Collects the licences of everything that is linked or bundled into the task, as those licences ask.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes one text: each part with its licence's name, and each licence's text once below those that carry it. */
export function writeNotices(parts, path) {
  const byText = new Map();
  for (const part of parts) {
    const text = licenceTexts(part);
    byText.set(text, [...(byText.get(text) ?? []), `${part.name} ${part.version} (${part.licence})`]);
  }
  const sections = [...byText].map(([text, named]) => [...named.sort(), "", text].join("\n").trimEnd());
  const title = "FalconArm64Patch contains the following software by others.";
  writeFileSync(path, `${[title, ...sections.sort()].join(`\n\n${"-".repeat(80)}\n\n`)}\n`);
}

/** Reads the texts of a licence. Of several licences it takes MIT's, whose text is short. */
function licenceTexts({ folder, licence }) {
  const files = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(licen[cs]e|copying|notice|copyright)/i.test(entry.name))
    .map((entry) => entry.name)
    .sort();
  const mit =
    /\bMIT\b/.test(licence) && /\bOR\b|\//.test(licence) ? files.filter((name) => /mit/i.test(name)) : [];
  return (mit.length > 0 ? mit : files)
    .map((name) => readFileSync(join(folder, name), "utf8").trim())
    .join("\n\n");
}
