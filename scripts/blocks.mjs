// Generated blocks of documents: each stands between two markers, and the text around it is written by hand.

/** Puts a text between the markers of a block. */
export function replaceBlock(document, name, text) {
  const [open, close] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`];
  const [start, end] = [document.indexOf(open), document.indexOf(close)];
  if (start < 0 || end < start) throw new Error(`the markers of ${name} are missing`);
  return `${document.slice(0, start + open.length)}\n${text}\n${document.slice(end)}`;
}
