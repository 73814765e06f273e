/**
 * Proxy, exceptions from it, and trusted authorities, for every request of the task.
 *
 * Everything is decided here and written into the environment of this process, before the addon is loaded. Every client
 * reads it from there: those for registries and CrowdStrike, the AWS SDK, and Docker's credential helpers, which are other
 * programs. The environment must not change later, because the addon's threads read it.
 */
import { environmentName, type Masks, pair } from "./secrets.ts";

/** The core's variable for a file of authorities to trust in addition to the system's. */
const authorities = "FALCON_PATCH_CA_FILE";

/**
 * Addresses that no proxy can reach: this machine, and those where clouds issue credentials to their machines.
 *
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 */
const local = ["localhost", "127.0.0.0/8", "::1", "169.254.0.0/16", "fd00:ec2::/32"];

const schemes = ["HTTPS", "HTTP"] as const;

/** Prepares the environment, masks the proxies' passwords, and returns the decisions as lines for the log. */
export function prepareNetwork(env: NodeJS.ProcessEnv, masks: Masks): string[] {
  trustAgentsAuthority(env);
  const agents = takeAgentProxy(env);
  const all = either(env, "ALL_PROXY");
  const chosen = schemes.map((scheme) => {
    const own = either(env, `${scheme}_PROXY`) || all;
    return { name: `${scheme}_PROXY`, url: own || agents.url, isAgents: own === "" };
  });
  for (const { url } of [...chosen, { url: all }, agents]) maskUserInfo(url, masks);
  const [secure] = chosen;
  if (secure === undefined || chosen.every(({ url }) => url === "")) return [];
  for (const { name, url } of chosen) setBoth(env, name, normal(url));
  const given = either(env, "NO_PROXY").split(/[\s,;]+/);
  const bypass = chosen.some(({ isAgents }) => isAgents) ? agents.bypass : [];
  const rules = bypass.map((pattern) => ({ pattern, rule: noProxyRule(pattern) }));
  const allRules = [...given.map(plainRule), ...rules.map(({ rule }) => rule ?? ""), ...local];
  setBoth(env, "NO_PROXY", [...new Set(allRules.filter((rule) => rule !== ""))].join(","));
  return [
    ...(secure.url === "" ? [] : [describeProxy(secure)]),
    ...rules.filter(({ rule }) => rule === undefined).map(({ pattern }) => describeIgnored(pattern)),
  ];
}

/** The agent's setting is for its own server; it adds to the system's store, which AWS still needs. */
function trustAgentsAuthority(env: NodeJS.ProcessEnv): void {
  delete env[authorities];
  const file = env[environmentName("Agent.CAInfo")] ?? "";
  if (file !== "" && !env.SSL_CERT_FILE && !env.SSL_CERT_DIR) env[authorities] = file;
}

/** The proxy that the agent was configured with, its password taken out of `env`. */
function takeAgentProxy(env: NodeJS.ProcessEnv): { url: string; bypass: string[] } {
  const read = (name: string): string => env[environmentName(name)] ?? "";
  const secret = `SECRET_${environmentName("Agent.ProxyPassword")}`;
  const password = env[secret] ?? read("Agent.ProxyPassword");
  delete env[secret];
  delete env[environmentName("Agent.ProxyPassword")];
  return {
    url: withUser(read("Agent.ProxyUrl"), read("Agent.ProxyUsername"), password),
    bypass: patterns(read("Agent.ProxyBypassList")),
  };
}

function withUser(address: string, user: string, password: string): string {
  const url = parse(address);
  if (url === undefined || user === "") return address;
  return `${url.protocol}//${encodeURIComponent(user)}:${encodeURIComponent(password)}@${url.host}`;
}

/** The agent writes its list as JSON. */
function patterns(json: string): string[] {
  try {
    const list: unknown = JSON.parse(json || "[]");
    return Array.isArray(list) ? list.filter((item): item is string => typeof item === "string") : [];
  } catch {
    return [];
  }
}

/**
 * The entry of `NO_PROXY` for one of the agent's regular expressions; `undefined` where there is none.
 *
 * Expressible are a host, a host with all below it, the first octets of an address, and a network as `ADDRESS/BITS`, with
 * or without scheme, anchors and a port. Alternatives, classes and wildcards inside a name are not.
 */
export function noProxyRule(pattern: string): string | undefined {
  const text = pattern
    .trim()
    .replace(/^\^/, "")
    .replace(/^(https?|\(https\?\)|https\?|\.\*):(\\?\/){2}/i, "")
    .replace(/\$$/, "")
    .replace(/\\?\/(\.\*)?$/, "")
    .replace(/(:(\d+|\\d\+|\.\*))$/, "")
    .replaceAll(/\\([./-])/g, "$1");
  const network = networkRule(text);
  if (network !== undefined) return network;
  const host = text.replace(/(\.\*)$/, "").replace(/^(\.?\*)?\.?/, "");
  return /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/i.test(host) && !/^\d{1,3}(\.\d{1,3}){0,2}$/.test(host)
    ? host
    : undefined;
}

/** A network of addresses: `10.1.1.0/26`, or first octets with nothing or with any octets behind them. */
function networkRule(text: string): string | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}\/([12]?\d|3[0-2])$/.test(text)) return text;
  const [, known = "", rest = ""] = /^(\d{1,3}(?:\.\d{1,3}){0,2})(\..*)$/.exec(text) ?? [];
  const octetsBehind = rest.slice(1).replaceAll("..*", ".*").replace(/^\.\*/, "*").split(".");
  const isOpen = rest === "." || octetsBehind.every(isAnyOctet);
  if (known === "" || !isOpen) return undefined;
  const octets = known.split(".");
  return `${[...octets, "0", "0", "0"].slice(0, 4).join(".")}/${octets.length * 8}`;
}

/** Returns true if a part of a regular expression fits each octet, such as `\d{1,3}` and `[0-9]+`; `*` is a glob's. */
function isAnyOctet(part: string): boolean {
  try {
    const whole = new RegExp(`^(?:${part === "*" ? ".*" : part})$`);
    return [...Array(256).keys()].every((octet) => whole.test(`${octet}`));
  } catch {
    return false;
  }
}

/** An entry of `NO_PROXY` as the task's clients know it, which know neither `*.` nor ports. */
function plainRule(entry: string): string {
  return entry
    .replace(/^\*(?=\.)/, "")
    .replace(/^\[([^\]]*)\](:\d+)?$/, "$1")
    .replace(/^([^:]+):\d+$/, "$1");
}

function describeProxy({ name, url, isAgents }: { name: string; url: string; isAgents: boolean }): string {
  const origin = isAgents ? "the agent's configuration" : `\`${name}\``;
  const parsed = parse(url);
  return parsed === undefined
    ? `The proxy in ${origin} is not a URL such as \`http://proxy.example:3128\`, and is not used`
    : `Requests use the proxy \`${parsed.protocol}//${parsed.host}\`, from ${origin}`;
}

function describeIgnored(pattern: string): string {
  return `The agent's proxy bypass \`${pattern}\` cannot be expressed in \`NO_PROXY\` and is ignored; set \`NO_PROXY\` for it`;
}

function maskUserInfo(proxy: string, masks: Masks): void {
  const [, user = "", password = ""] = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^:@/]*):(.*)@/i.exec(proxy) ?? [];
  const plain = [user, password].map(decode) as [string, string];
  const written = parse(proxy)?.password;
  const secrets = [password, written, plain[1], pair(user, password), pair(...plain)];
  for (const secret of secrets) if (secret) masks.add(secret);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** A proxy's address; without a scheme it is one for HTTP. */
function parse(proxy: string): URL | undefined {
  const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
  return proxy !== "" && URL.canParse(url) && /^https?:/i.test(url) ? new URL(url) : undefined;
}

/** An address in the form that all clients accept; the core's ignore one with invalid characters. */
function normal(proxy: string): string {
  return parse(proxy)?.href.replace(/\/$/, "") ?? proxy;
}

/** The first of both spellings that is set; clients differ in which one they prefer. */
function either(env: NodeJS.ProcessEnv, name: string): string {
  return (env[name] || env[name.toLowerCase()] || "").trim();
}

function setBoth(env: NodeJS.ProcessEnv, name: string, value: string): void {
  for (const spelling of [name, name.toLowerCase()]) {
    if (value === "") delete env[spelling];
    else env[spelling] = value;
  }
}
