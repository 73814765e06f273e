/**
 * Service connections, which the agent passes in the environment.
 *
 * The task library prints what it reads of them as debug lines, so they are read here, before it is loaded.
 */
import { environmentName } from "./secrets.ts";

/** The ID of the service connection that an input names; empty where it names none. */
export function connectionId(env: NodeJS.ProcessEnv, input: string): string {
  return (env[`INPUT_${environmentName(input)}`] ?? "").trim();
}

/** Returns true if the job was given a service connection. */
export function hasConnection(env: NodeJS.ProcessEnv, id: string): boolean {
  const ours = new RegExp(`^ENDPOINT_(AUTH|URL|DATA)_(\\w+_)?${escapePattern(id)}(_|$)`, "i");
  return Object.keys(env).some((name) => ours.test(name));
}

/** Reads a parameter of a connection's authentication scheme, and removes it from the environment. */
export function takeParameter(env: NodeJS.ProcessEnv, id: string, parameter: string): string {
  return take(env, `ENDPOINT_AUTH_PARAMETER_${id}_${environmentName(parameter)}`);
}

/** Reads a value of a connection's type, which the agent does not mask, and removes it from the environment. */
export function takeData(env: NodeJS.ProcessEnv, id: string, key: string): string {
  return take(env, `ENDPOINT_DATA_${id}_${environmentName(key)}`);
}

/** Removes the copy of all parameters, which the agent passes as JSON. */
export function forgetParameters(env: NodeJS.ProcessEnv, id: string): void {
  take(env, `ENDPOINT_AUTH_${id}`);
}

/** The agent writes an endpoint's ID as the server does, and tasks look it up without regard to case. */
export function take(env: NodeJS.ProcessEnv, name: string): string {
  const found = Object.keys(env).find((key) => key.toUpperCase() === name.toUpperCase());
  if (found === undefined) return "";
  const value = env[found] ?? "";
  delete env[found];
  return value.trim();
}

/** Replaces each value of a record. */
export function mapValues<Key extends string, Value>(
  record: Record<Key, string>,
  map: (value: string) => Value,
): Record<Key, Value> {
  const entries = Object.entries(record) as [Key, string][];
  return Object.fromEntries(entries.map(([key, value]) => [key, map(value)])) as Record<Key, Value>;
}

function escapePattern(text: string): string {
  return text.replaceAll(/[^\w]/g, "\\$&");
}
