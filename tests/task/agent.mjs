// Starts the built task as the agent does, and reads its output as the agent would. Credentials are sought in every job.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { StepLog } from "./commands.mjs";
import { CredentialSearch, guardEngine } from "./credentials.mjs";

/** The task library's key, and the task's memory of the sensor's layers from job to job. */
const kept = new Set([".taskkey"]);

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** The task as it was built. */
export const taskFolder = resolve(process.env.FALCON_TASK_DIR ?? join(repository, "dist/task"));

if (!existsSync(join(taskFolder, "main.js")))
  throw new Error(`${taskFolder} holds no built task: run \`npm run build\``);
const task = JSON.parse(readFileSync(join(taskFolder, "task.json"), "utf8"));

/** The Node that runs the tests runs the task as well. */
const node = process.env.FALCON_TASK_NODE ?? process.execPath;

/** The names of the task's inputs in lower case, with their aliases. */
const declared = new Set(
  task.inputs.flatMap(({ name, aliases = [] }) => [name, ...aliases]).map((name) => name.toLowerCase()),
);

const inLab = process.env.LAB === "1";

if (inLab && process.env.NODE_TEST_CONTEXT) guardEngine();

/** The agent's patience after SIGINT and after SIGTERM, in milliseconds. */
const patience = { interrupt: 7500, terminate: 2500 };

/** One job on one agent: its folders, its variables, and the masks that hold for all its steps. */
export class Job {
  masks = new Set();
  /** Summaries, which the agent removes with its temporary folder. */
  #attached = new Set();
  #search = new CredentialSearch();

  /**
   * Prepares a job.
   *
   * - `variables`, `secrets`: public and secret variables of the job
   * - `env`: the step's `env:`
   * - `uid`: the agent's user
   * - `after`: a job that the same agent has run before, whose work folder it still has
   * - `restricted`: the mode of the step's commands
   * - `endpoints`: service connections by ID, each with the `parameters` of its scheme and the `data` of its type
   * - `timed`: looks for credentials less often, since looking takes the processor from the job
   */
  constructor({
    variables = {},
    secrets = {},
    endpoints = {},
    env = {},
    folder = taskFolder,
    uid,
    restricted = false,
    timed = false,
    after,
  } = {}) {
    this.root = after?.root ?? mkdtempSync(join(tmpdir(), "falcon-agent-"));
    this.folders = { work: this.root, temp: join(this.root, "_temp"), sources: join(this.root, "1/s") };
    // The agent empties it between jobs.
    rmSync(this.folders.temp, { recursive: true, force: true });
    for (const path of [this.folders.temp, this.folders.sources]) mkdirSync(path, { recursive: true });
    if (uid !== undefined)
      for (const path of [this.root, this.folders.temp, this.folders.sources]) chownSync(path, uid, uid);
    this.folder = folder;
    this.uid = uid;
    this.restricted = restricted;
    this.timed = timed;
    this.env = env;
    this.variables = { ...agentVariables(this.folders), ...variables };
    this.secrets = secrets;
    this.endpoints = { SYSTEMVSSCONNECTION: jobConnection, ...endpoints };
  }

  /** Starts the main step. */
  start(inputs) {
    this.inputs = inputs;
    return this.#spawn("main.js");
  }

  /** Runs the main step to its end. */
  run(inputs) {
    return this.start(inputs).done;
  }

  /** Runs the post-job step of the main step that ran last. */
  post() {
    return this.#spawn("post.js").done;
  }

  /** Files that the task left in the agent's folders, except those that stay on purpose. */
  files() {
    const all = readdirSync(this.root, { recursive: true, withFileTypes: true });
    return all
      .filter((entry) => !entry.isDirectory() && !kept.has(entry.name))
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
      .filter((path) => !this.#attached.has(path));
  }

  /** Places where credentials of the job's steps were found so far; none, if all is well. */
  findings() {
    return this.#search.findings(this.root);
  }

  /** Removes the agent's folders; no credential was found by then. */
  end() {
    const found = inLab ? this.findings() : [];
    rmSync(this.root, { recursive: true, force: true });
    assert.deepEqual(found, [], "credentials where others can find them");
  }

  #spawn(entry) {
    const env = {
      ...inherited(),
      ...this.env,
      ...publicVariables(this.variables),
      ...secretVariables(this.secrets),
      ...endpointVariables(this.endpoints),
      ...inputVariables(this.inputs ?? {}, this.folders.sources),
    };
    const child = spawn(node, [join(this.folder, entry)], {
      cwd: this.folders.sources,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      ...(this.uid === undefined ? {} : { uid: this.uid, gid: this.uid }),
    });
    if (inLab) {
      this.#search.seekAllOf(this);
      this.#search.watch(child, this);
    }
    const { restricted } = this;
    const settable = task.restrictions.settableVariables.allowed;
    const log = new StepLog(this.masks, settable, { restricted, attached: this.#attached });
    return new Step(child, log, (ended) => this.#search.readOutput(ended));
  }
}

/** A step that runs, and what it has printed so far. */
class Step {
  #started = performance.now();
  /** Raw lines with the seconds at which they came. */
  raw = [];

  constructor(child, log, read) {
    this.child = child;
    this.log = log;
    const streams = [child.stdout, child.stderr].map((stream) => this.#read(stream));
    this.done = new Promise((settle, fail) => {
      child.on("error", fail);
      child.on("close", async (code, signal) => {
        await Promise.all(streams);
        const ended = this.#end(code, signal);
        read(ended);
        settle(ended);
      });
    });
  }

  /** Waits until a line matches. */
  async until(pattern, seconds = 120) {
    for (let waited = 0; waited < seconds * 20; waited += 1) {
      if (this.raw.some(({ line }) => pattern.test(line))) return;
      if (this.child.exitCode !== null) break;
      await sleep(50);
    }
    throw new Error(`no line matched ${pattern}:\n${this.log.text}`);
  }

  /** Stops the step as the agent does, and returns the time that it took to end. */
  async cancel(signal = "SIGINT") {
    const asked = performance.now();
    this.child.kill(signal);
    const terminate = setTimeout(() => this.child.kill("SIGTERM"), patience.interrupt);
    const kill = setTimeout(() => this.child.kill("SIGKILL"), patience.interrupt + patience.terminate);
    const ended = await this.done;
    clearTimeout(terminate);
    clearTimeout(kill);
    return { ...ended, secondsToStop: (performance.now() - asked) / 1000 };
  }

  #read(stream) {
    const lines = createInterface({ input: stream, crlfDelay: Number.POSITIVE_INFINITY });
    lines.on("line", (line) => {
      this.raw.push({ line, at: (performance.now() - this.#started) / 1000 });
      this.log.take(line);
    });
    return new Promise((settle) => lines.on("close", settle));
  }

  #end(exitCode, signal) {
    const { log } = this;
    return {
      exitCode,
      signal,
      seconds: (performance.now() - this.#started) / 1000,
      raw: this.raw,
      text: log.text,
      shown: log.shown,
      outputs: log.outputs,
      variables: log.variables,
      errors: log.errors,
      warnings: log.warnings,
      progress: log.progress,
      refused: log.refused,
      summaries: log.summaries,
      completed: log.completed,
      result: log.result(exitCode),
      /** True if a reader of the run can see a text: in the log, in an issue, in a variable, or in the summary. */
      leaks: (secret) =>
        JSON.stringify([
          log.shown,
          log.errors,
          log.warnings,
          log.outputs,
          log.variables,
          log.summaries,
        ]).includes(secret),
    };
  }
}

/** The lines that a reader sees without `System.Debug`. */
export function story({ shown }) {
  return shown.filter((line) => !line.startsWith("##[debug]")).join("\n");
}

function agentVariables({ work, temp, sources }) {
  return {
    "Agent.Id": "7",
    "Agent.Name": "lab-agent",
    "Agent.MachineName": "lab",
    "Agent.OS": "Linux",
    "Agent.OSArchitecture": "X64",
    "Agent.TempDirectory": temp,
    "Agent.Version": "4.265.1",
    "Agent.WorkFolder": work,
    "Build.BuildId": "42",
    "Build.SourcesDirectory": sources,
    "System.CollectionUri": "https://dev.azure.com/contoso/",
    "System.DefaultWorkingDirectory": sources,
    "System.HostType": "build",
    "System.JobId": randomUUID(),
    "System.PlanId": randomUUID(),
    "System.TeamProject": "web",
  };
}

function environmentName(name) {
  return name.replaceAll(/[. ]/g, "_").toUpperCase();
}

function publicVariables(variables) {
  const named = Object.entries(variables).map(([name, value]) => [environmentName(name), value]);
  return {
    TF_BUILD: "True",
    VSTS_PUBLIC_VARIABLES: JSON.stringify(Object.keys(variables)),
    ...Object.fromEntries(named),
  };
}

function secretVariables(secrets) {
  const named = Object.entries(secrets).map(([name, value]) => [`SECRET_${environmentName(name)}`, value]);
  return { VSTS_SECRET_VARIABLES: JSON.stringify(Object.keys(secrets)), ...Object.fromEntries(named) };
}

/** The job's own connection, which every job has. */
export const jobConnection = {
  url: "https://dev.azure.com/contoso/",
  scheme: "OAuth",
  parameters: { AccessToken: "eyJ0eXAiOiJKV1Qi.job-token.c2lnbmF0dXJl" },
};

/** Service connections, each parameter by itself and all together as JSON. */
function endpointVariables(endpoints) {
  const passed = {};
  for (const [id, endpoint] of Object.entries(endpoints)) {
    const {
      url = "https://aws.amazon.com/",
      scheme = "UsernamePassword",
      parameters = {},
      data = {},
    } = endpoint;
    passed[`ENDPOINT_URL_${id}`] = url;
    passed[`ENDPOINT_AUTH_${id}`] = JSON.stringify({ parameters, scheme });
    passed[`ENDPOINT_AUTH_SCHEME_${id}`] = scheme;
    for (const [name, value] of Object.entries(parameters))
      passed[`ENDPOINT_AUTH_PARAMETER_${id}_${name.toUpperCase()}`] = value;
    passed[`ENDPOINT_DATA_${id}`] = JSON.stringify(data);
    for (const [name, value] of Object.entries(data))
      passed[`ENDPOINT_DATA_${id}_${name.toUpperCase()}`] = value;
  }
  return passed;
}

/** Inputs as the agent passes them: defaults filled in, aliases resolved, trimmed, paths below the sources. */
function inputVariables(inputs, sources) {
  const given = new Map(Object.entries(inputs).map(([name, value]) => [name.toLowerCase(), value]));
  // The agent passes inputs that the task does not declare as well (`TaskRunner.cs`, "Merge the instance inputs").
  const passed = Object.fromEntries(
    Object.entries(inputs)
      .filter(([name]) => !declared.has(name.toLowerCase()))
      .map(([name, value]) => [`INPUT_${environmentName(name)}`, String(value).trim()]),
  );
  for (const { name, aliases = [], type, defaultValue = "" } of task.inputs) {
    const value = [name, ...aliases]
      .map((key) => given.get(key.toLowerCase()))
      .find((text) => text !== undefined);
    const text = String(value ?? defaultValue).trim();
    passed[`INPUT_${environmentName(name)}`] = type === "filePath" ? resolve(sources, text) : text;
  }
  return passed;
}

/** The agent's own environment, without the test runner's and without the lab's secrets. */
function inherited() {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_|LAB_|FALCON_)/.test(name)),
  );
}
