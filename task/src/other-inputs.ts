/** Names of inputs that the step sets and that the task does not have, such as one that was mistyped. */
import { inputs as definitions } from "../task.json";
import { environmentName } from "./secrets.ts";

const prefix = "INPUT_";

/**
 * Lists the names in upper case, as the agent writes them into the environment: it hands over every input of a step.
 * This must run before the task library is loaded, which removes them.
 *
 * A variable of the pipeline named `input.x` has the same form, and does not count.
 */
export function otherInputs(env: NodeJS.ProcessEnv): string[] {
  const own = definitions.flatMap((input) => [input.name, ...("aliases" in input ? input.aliases : [])]);
  const variables = [env.VSTS_PUBLIC_VARIABLES, env.VSTS_SECRET_VARIABLES].flatMap(names);
  const known = new Set([...own.map((name) => `${prefix}${environmentName(name)}`), ...variables]);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith(prefix) && value?.trim() && !known.has(name))
    .map(([name]) => name.slice(prefix.length));
}

/** Names in the environment of the variables that the agent lists as JSON; none where the list cannot be read. */
function names(list: string | undefined): string[] {
  try {
    const variables: unknown = JSON.parse(list ?? "[]");
    return Array.isArray(variables) ? variables.map((name) => environmentName(String(name))) : [];
  } catch {
    return [];
  }
}
