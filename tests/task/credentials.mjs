// Searches for the credentials of a job where others could find them: the log, process lists, containers, files that stay,
// and the engine's own data.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/** Time between two looks, in milliseconds; the longer one takes no processor from a job whose time counts. */
const interval = { usual: 100, timed: 1000 };
const engineSocket = "/var/run/docker.sock";
const largestFile = 16 << 20;
/** Files that tests and labs themselves put into the temporary folder. */
const ownOfTests = /^falcon-(agent|docker|lab)[-.]/;

/** The password that the lab's ECR issues; see tests/lab/front. */
const registryPassword = "123456789012-auth-token";
const secretInputs = ["falconClientSecret", "awsSecretAccessKey", "awsSessionToken"];

/** Every way in which a credential can be written down. */
const forms = (secret) => [
  ...new Set([secret, Buffer.from(secret).toString("base64"), encodeURIComponent(secret)]),
];

export class CredentialSearch {
  #sought = [];
  #findings = new Set();
  #folders = [...new Set([tmpdir(), "/tmp", homedir()])].map((folder) => ({
    folder,
    before: new Set(list(folder)),
  }));
  samples = 0;

  /**
   * Seeks `secrets`. Those of `inSensor` are arguments of falconutil, which show in its container and its own processes.
   * Those of `inherited` were in the environment already, so child processes have them too. Those of `shown` are names,
   * which the log may have.
   */
  seek(secrets, { inSensor = false, inherited = false, shown = false } = {}) {
    // The name of a variable that was not replaced is not a secret.
    for (const secret of secrets.filter((text) => text?.length > 3 && !text.startsWith("$(")))
      this.#sought.push({ secret, forms: forms(secret), inSensor, inherited, shown });
  }

  /** Seeks everything confidential that a job's step is given, and what the lab's AWS issues for it. */
  seekAllOf({ inputs = {}, endpoints, secrets, env }) {
    const { falconCid, falconctlOptions = "" } = inputs;
    const token = /--provisioning-token=(\S+)/.exec(falconctlOptions)?.[1];
    this.seek([falconCid, falconctlOptions, token], { inSensor: true });
    this.seek(secretInputs.map((name) => inputs[name]));
    const parameters = Object.values(endpoints).flatMap((each) => Object.entries(each.parameters ?? {}));
    const isSecret = ([name]) => /^(password|sessionToken|AccessToken)$/i.test(name);
    this.seek(parameters.filter(isSecret).map(([, value]) => value));
    const customers = parameters.filter(([name]) => name === "customerId").map(([, value]) => value);
    this.seek(customers, { inSensor: true });
    this.seek([registryPassword]);
    const { "Agent.ProxyPassword": proxyPassword, ...others } = secrets;
    const ofSensor = [falconCid, falconctlOptions, token, ...customers];
    for (const [name, value] of Object.entries(others).filter((entry) => !ofSensor.includes(entry[1])))
      this.seek([value], { shown: !/secret|password|token/i.test(name) });
    // Docker's credential helpers, programs of the agent, reach registries with the step's own keys and by the proxy.
    const proxies = Object.entries(env).filter(([name, url]) => url && /_proxy$/i.test(name));
    const passwords = proxies.map(([, url]) => decodeURIComponent(/:([^:@/]+)@/.exec(url)?.[1] ?? ""));
    const helpers = [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN, proxyPassword, ...passwords];
    this.seek(helpers, { inherited: true });
    // Falconutil's arguments are in the engine's build cache.
    for (const { forms, inSensor } of this.#sought)
      if (!inSensor) for (const form of forms) notInEngine.add(form);
  }

  /** Looks again and again while a step runs; `root` is the process that the agent gave the credentials to. */
  watch(root, { timed = false } = {}) {
    let looking = Promise.resolve();
    const timer = setInterval(
      () => {
        this.samples += 1;
        this.#lookAtProcesses(root.pid);
        looking = looking.then(() => this.#lookAtContainers());
      },
      interval[timed ? "timed" : "usual"],
    );
    root.on("close", () => clearInterval(timer));
    root.on("error", () => clearInterval(timer));
  }

  /** Reads a step's output: nothing is shown to readers, and what the agent does not mask is not printed either. */
  readOutput({ raw, ...step }) {
    for (const { secret, forms, shown } of this.#sought)
      if (!shown && forms.some((form) => step.leaks(form)))
        this.#findings.add(`${mark(secret)} in what readers see`);
    const printed = raw.filter(({ line }) => !line.startsWith("##vso[task.setsecret]"));
    // falconutil may print its own arguments, which the agent masks.
    this.#look(
      printed.map(({ line }) => line).join("\n"),
      "the output",
      (sought) => sought.inSensor || sought.shown,
    );
  }

  /** All places at which something was found: so far, and among the files that are left in `root` and newly elsewhere. */
  findings(root) {
    this.#lookAtFiles(root);
    for (const { folder, before } of this.#folders)
      for (const name of list(folder))
        if (!before.has(name) && !(folder !== homedir() && ownOfTests.test(name)))
          this.#lookAtFiles(join(folder, name));
    return [...this.#findings];
  }

  #look(text, place, exempt = () => false) {
    for (const sought of this.#sought)
      if (!exempt(sought) && sought.forms.some((form) => text.includes(form)))
        this.#findings.add(`${mark(sought.secret)} in ${place}`);
  }

  #lookAtProcesses(root) {
    const processes = list("/proc").filter((name) => /^\d+$/.test(name));
    const parents = new Map(processes.map((pid) => [pid, parentOf(pid)]));
    const commandOf = (pid) => read(`/proc/${pid}/cmdline`).replaceAll("\0", " ");
    const own = commandOf(root);
    for (const pid of processes) {
      const ofTask = isBelow(pid, String(root), parents);
      const command = commandOf(pid);
      const name = read(`/proc/${pid}/comm`).trim();
      // A container's processes are the engine's children.
      this.#look(command, `the command line of ${name}`, ({ inSensor }) => inSensor && !ofTask);
      // Until a child has become the program that it is to run, it still is the task, with its memory and command line.
      if (ofTask && command !== own)
        this.#look(read(`/proc/${pid}/environ`), `the environment of ${name}`, ({ inherited }) => inherited);
    }
  }

  async #lookAtContainers() {
    for (const { Id } of (await engine("/containers/json?all=1")) ?? []) {
      const {
        Args,
        Config: { Cmd, ...config } = {},
        ...container
      } = (await engine(`/containers/${Id}/json`)) ?? {};
      const name = `container ${container.Name}`;
      this.#look(JSON.stringify([Args, Cmd]), `the arguments of ${name}`, ({ inSensor }) => inSensor);
      this.#look(JSON.stringify([container, config]), name);
    }
  }

  #lookAtFiles(path) {
    const status = statSync(path, { throwIfNoEntry: false });
    if (status?.isDirectory()) for (const name of list(path)) this.#lookAtFiles(join(path, name));
    else if (status?.isFile() && status.size < largestFile) this.#look(read(path), path);
  }
}

/** A failure must not print what it found. */
const mark = (secret) => `${secret.slice(0, 3)}… (${secret.length} characters)`;

function isBelow(pid, root, parents) {
  for (let at = pid; at !== undefined && at !== "0"; at = parents.get(at)) if (at === root) return true;
  return false;
}

function parentOf(pid) {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ")[1];
}

/** Processes and files can be gone by the time they are read. */
function read(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}

function list(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Asks the engine itself, many times a second; it can be stopped meanwhile. */
function engine(path) {
  return new Promise((resolve) => {
    const asked = request({ socketPath: engineSocket, path }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve(response.statusCode === 200 ? JSON.parse(Buffer.concat(chunks).toString()) : undefined);
    });
    asked.on("error", () => resolve(undefined));
    asked.end();
  });
}

/** What no engine may keep of the jobs of this process. */
const notInEngine = new Set();

/** Has the end of this process fail if the engine keeps what its jobs were given. */
export function guardEngine() {
  const marker = markTime();
  process.on("exit", () => {
    const found = engineFiles(notInEngine, marker);
    rmSync(marker);
    if (found.length === 0) return;
    console.error(`Credentials in the engine's data:\n${found.join("\n")}`);
    process.exitCode = 1;
  });
}

/** Writes a file, so that later ones can be told from earlier ones. */
export function markTime() {
  const path = join(process.env.LAB_TMP, `falcon-agent-began-${process.pid}`);
  writeFileSync(path, "");
  return path;
}

/** Files of the engine that hold one of the texts: its data, as far as it changed after `marker` was written, and its log. */
export function engineFiles(texts, marker) {
  const { LAB_DIR, LAB_TMP } = process.env;
  if (texts.size === 0) return [];
  const list = join(LAB_TMP, `falcon-agent-sought-${process.pid}`);
  writeFileSync(list, `${[...texts].join("\n")}\n`);
  // Files come and go meanwhile, so only a search that could not begin is a failure.
  const changed = `find "$1" -type f -cnewer "$2" -size -256M -print0 | xargs -0 -r grep -laFf "$3" -- "$4" || [ $? -lt 124 ]`;
  const args = [
    "-c",
    changed,
    "sh",
    join(LAB_DIR, "engine/data"),
    marker,
    list,
    join(LAB_DIR, "logs/dockerd"),
  ];
  try {
    const found = execFileSync("sh", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return found.split("\n").filter(Boolean);
  } finally {
    rmSync(list);
  }
}
