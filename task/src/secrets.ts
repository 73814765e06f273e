/**
 * Removes the secret inputs from the environment, and masks them.
 *
 * This is done before the task library is loaded, which prints every input that it reads as a debug line. The agent masks
 * a text only after the command to do so.
 */
import { command, type WriteLine } from "./command.ts";

/** The inputs that the log must never show. */
export const secretInputs = [
  "falconCid",
  "falconClientSecret",
  "falconctlOptions",
  "awsSecretAccessKey",
  "awsSessionToken",
] as const;

export type SecretInput = (typeof secretInputs)[number];

/** Name of an input, or of a variable, in the environment. */
export function environmentName(name: string): string {
  return name.replaceAll(/[. ]/g, "_").toUpperCase();
}

/** Masks texts, each only once. */
export class Masks {
  readonly #write: WriteLine;
  readonly #known = new Set<string>();

  constructor(write: WriteLine) {
    this.#write = write;
  }

  /** Masks a secret in every form in which it can appear. */
  add(secret: string): void {
    for (const form of forms(secret)) {
      if (this.#known.has(form)) continue;
      this.#known.add(form);
      this.#write(command("task.setsecret", {}, form));
    }
  }

  /**
   * Hides the secrets in the text of a file, which the agent does not mask. `spell` writes a secret with the escapes of
   * the file's format.
   */
  hide(text: string, spell = (plain: string): string => plain): string {
    const all = [...this.#known].flatMap((secret) => [secret, spell(secret)]);
    const longestFirst = all.sort((a, b) => b.length - a.length);
    return longestFirst.reduce((hidden, secret) => hidden.replaceAll(secret, "***"), text);
  }
}

/** Reads the secret inputs, removes them from `env`, and masks them. */
export function takeSecrets(env: NodeJS.ProcessEnv, masks: Masks): Record<SecretInput, string> {
  const taken = Object.fromEntries(secretInputs.map((name) => [name, take(env, name)]));
  const secrets = taken as Record<SecretInput, string>;
  // These stay: the AWS SDK's default chain reads them. A step's `env:` can hold them without any secret variable.
  const inherited = [env.AWS_SECRET_ACCESS_KEY, env.AWS_SESSION_TOKEN];
  const pairs = [
    pair(env[`INPUT_${environmentName("falconClientId")}`], secrets.falconClientSecret),
    pair(env[`INPUT_${environmentName("awsAccessKeyId")}`], secrets.awsSecretAccessKey),
  ];
  const all = [
    ...customerIdForms(secrets.falconCid),
    ...optionValues(secrets.falconctlOptions),
    ...Object.values(secrets),
    ...inherited,
    ...pairs,
  ];
  for (const secret of all) if (secret) masks.add(secret);
  return secrets;
}

/**
 * Removes everything confidential from the environment of a process that needs none of it. Neither the addon nor a
 * child can read it afterwards.
 */
export function forgetSecrets(env: NodeJS.ProcessEnv): void {
  const confidential = /^(INPUT_|SECRET_|ENDPOINT_AUTH_|SECUREFILE_TICKET_|VSTS_TASKVARIABLE_)/;
  for (const name of Object.keys(env)) if (confidential.test(name)) delete env[name];
}

function take(env: NodeJS.ProcessEnv, input: SecretInput): string {
  const name = `INPUT_${environmentName(input)}`;
  // The agent trims inputs, unless a setting of the agent turns that off.
  const value = env[name]?.trim() ?? "";
  delete env[name];
  return value;
}

/** `user:password`, which sign-ins encode in base64; `undefined` where a part is missing. */
export function pair(user: string | undefined, password: string): string | undefined {
  return user && password ? `${user.trim()}:${password}` : undefined;
}

/** The customer ID also names the registry's user, in lower case and without its checksum. */
export function customerIdForms(id: string): string[] {
  const bare = id.replace(/-[0-9a-f]{2}$/i, "");
  return [id, bare].flatMap((text) => [text, text.toLowerCase(), text.toUpperCase()]);
}

/** The values of options that are secrets by themselves and can appear without the rest. */
function optionValues(options: string): string[] {
  return [...options.matchAll(/--provisioning-token[= ]+["']?([^\s"']+)/g)].map((match) => match[1] ?? "");
}

function forms(secret: string): Set<string> {
  // A macro whose variable is not set is not a secret, and the failure that names it must stay readable.
  if (/^\$\([^()]*\)$/.test(secret)) return new Set();
  // The agent refuses to mask a text with a line break, so every line is masked by itself.
  const lines = secret.split(/\r\n|\r|\n/).map((line) => line.trim());
  const plain = lines.length > 1 ? [...lines, lines.join("\n")] : lines;
  const all = new Set<string>();
  for (const text of plain.filter((line) => line !== "")) {
    if (!text.includes("\n")) all.add(text);
    all.add(Buffer.from(text).toString("base64"));
    all.add(encodeURIComponent(text));
  }
  return all;
}
