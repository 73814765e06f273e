// HTML by template literals: each value is escaped, unless it is HTML already.
import { readFileSync } from "node:fs";

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escaped(value) {
  if (Array.isArray(value)) return value.map(escaped).join("");
  if (value?.raw !== undefined) return value.raw;
  return String(value ?? "").replaceAll(/[&<>"]/g, (character) => entities[character]);
}

/** HTML with values in it; the result is a value that is not escaped again. */
export function html(parts, ...values) {
  return { raw: String.raw({ raw: parts }, ...values.map(escaped)) };
}

/** A whole document with the style sheet of its name. */
export function page(name, body) {
  const sheet = (file) => readFileSync(new URL(`${file}.css`, import.meta.url), "utf8");
  return html`<!doctype html><html lang="en"><meta charset="utf-8">
    <style>${{ raw: sheet("base") + sheet(name) }}</style>
    <body class="${name}">${body}</body></html>`.raw;
}
