// Numbered stages of a long command: each has a log file and signs of life, and shows its last lines where it fails.
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { CommandFailed, root } from "./tools.mjs";

const secondsBetweenSigns = 15;
const linesShown = 20;

export class Stages {
  #started = Date.now();
  #count = 0;
  #total;
  #logs;
  /** The first process of each stage that runs; it leads a process group. */
  #running = new Set();
  #interrupted = false;

  /** `total` is the number of stages, `logs` the folder of their logs. */
  constructor(total, logs) {
    this.#total = total;
    this.#logs = logs;
    mkdirSync(logs, { recursive: true });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        this.#interrupted = true;
        this.#end(signal);
      });
    }
  }

  get seconds() {
    return secondsSince(this.#started);
  }

  /** Runs a command as the next stage. Its output goes to the stage's log, or to the terminal where it is `shown`. */
  async run(name, [command, ...args], { env = {}, shown = false } = {}) {
    if (this.#interrupted) throw new CommandFailed("Interrupted");
    this.#count += 1;
    const title = `${this.#count}/${this.#total} ${name}`;
    this.#report(title);
    const started = Date.now();
    const log = shown ? undefined : new StageLog(join(this.#logs, `${name.replaceAll(" ", "-")}.log`));
    const sign = log && setInterval(() => this.#report(`${title}: ${log.now}`), 1000 * secondsBetweenSigns);
    const failure = await this.#start(command, args, { ...process.env, ...env }, log);
    clearInterval(sign);
    log?.close();
    if (failure === undefined) {
      this.#report(`${title}: done in ${secondsSince(started)} s`);
      return;
    }
    // The stages beside it would be for nothing.
    this.#end("SIGTERM");
    throw new CommandFailed(`\n${title} failed: ${failure}${log ? `. ${log.ending()}` : ""}`);
  }

  /** Returns why the command failed, once it and all that writes to its output have ended. */
  #start(command, args, env, log) {
    // A file and not a pipe: Node would make a pipe non-blocking, and cargo fails where one is full.
    const output = log?.descriptor ?? "inherit";
    // In a process group of its own, a signal reaches the compilers and installers too.
    const options = { cwd: root, env, detached: true, stdio: ["ignore", output, output] };
    const child = spawn(command, args, options);
    this.#running.add(child);
    return new Promise((resolve) => {
      const end = (failure) => {
        this.#running.delete(child);
        resolve(failure);
      };
      child.on("error", (error) => end(`cannot start \`${command}\`: ${error.message}`));
      child.on("close", (code, signal) => end(code === 0 ? undefined : (signal ?? `exit code ${code}`)));
    });
  }

  #end(signal) {
    for (const { pid } of this.#running) {
      try {
        if (pid !== undefined) process.kill(-pid, signal);
      } catch (error) {
        // It ended by itself a moment ago.
        if (error.code !== "ESRCH") throw error;
      }
    }
  }

  #report(text) {
    console.log(`[${String(this.seconds).padStart(4)} s] ${text}`);
  }
}

/** A stage's log file. */
class StageLog {
  #path;

  constructor(path) {
    this.#path = path;
    this.descriptor = openSync(path, "w");
  }

  /** The line that shows how far the stage is. */
  get now() {
    return (
      this.#lines(/[\r\n]/)
        .at(-1)
        ?.trim() ?? "started"
    );
  }

  /** Closes the file, and leaves in it what a terminal would show: of a bar that was drawn anew, nothing. */
  close() {
    closeSync(this.descriptor);
    const lines = this.#lines("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1));
    writeFileSync(this.#path, `${lines.join("\n")}\n`);
  }

  ending() {
    return `The end of ${relative(root, this.#path)}:\n\n${this.#lines("\n").slice(-linesShown).join("\n")}`;
  }

  #lines(end) {
    const text = stripVTControlCharacters(readFileSync(this.#path, "utf8"));
    return text
      .split(end)
      .map((line) => line.trimEnd())
      .filter((line) => line !== "");
  }
}

function secondsSince(start) {
  return Math.round((Date.now() - start) / 1000);
}
