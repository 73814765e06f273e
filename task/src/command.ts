/**
 * The agent's logging commands, and lines that can hold none.
 *
 * The agent obeys `##vso[` anywhere in a line, so text that is not ours passes through {@link neutralise}.
 *
 * @see https://learn.microsoft.com/azure/devops/pipelines/scripts/logging-commands
 */

/** Writes one line of the log. */
export type WriteLine = (line: string) => void;

/** Writes to stdout only: the agent reads stderr on another thread, so the order of the two is lost. */
export const writeToStdout: WriteLine = (line) => {
  process.stdout.write(`${line}\n`);
};

/** A logging command, such as `##vso[task.setprogress value=40;]Pull source image`. */
export function command(name: string, properties: Record<string, string>, message = ""): string {
  const list = Object.entries(properties).map(([key, value]) => `${key}=${escapeProperty(value)};`);
  const head = list.length > 0 ? `${name} ${list.join("")}` : name;
  return `##vso[${head}]${escapeMessage(message)}`;
}

/** The lines of a text that is not ours, readable and without any meaning to the agent. */
export function neutralise(text: string): string[] {
  return text.split(/\r\n|\r|\n/).map(neutraliseLine);
}

/** A text that is not ours, as one such line. */
export function neutraliseToLine(text: string): string {
  return neutralise(text).join(" ").trim();
}

function neutraliseLine(line: string): string {
  // Invisible characters are removed first: one in the middle of `##vso` would otherwise hide it from the next step.
  return line
    .replace(terminalSequences, "")
    .replace(controlCharacters, "")
    .replace(formatCharacters, "")
    .replace(markers, "**$1");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: These are what programs colour their output with.
const terminalSequences = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: These must not reach the log; a tab may.
const controlCharacters = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** Characters that show nothing, such as soft hyphens and zero-width signs, and the two that break a line unseen. */
const formatCharacters = /[\p{Cf}\p{Default_Ignorable_Code_Point}\u2028\u2029]/gu;
/** `##vso` is a command; `##[` merely changes how the line looks, but would pretend to be ours. */
const markers = /##(vso|\[)/gi;

function escapeMessage(text: string): string {
  return text.replaceAll("%", "%AZP25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeMessage(text).replaceAll("]", "%5D").replaceAll(";", "%3B");
}
