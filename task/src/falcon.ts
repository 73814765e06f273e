/**
 * The service connection for CrowdStrike, whose type this extension contributes (`vss-extension.json`).
 *
 * All of it is read from the environment and masked before the task library is loaded.
 */
import {
  connectionId,
  forgetParameters,
  hasConnection,
  mapValues,
  takeData,
  takeParameter,
} from "./endpoint.ts";
import { customerIdForms, type Masks, pair } from "./secrets.ts";

/** The core's names for the parameters of the connection's scheme, with the type's own. The agent masks these. */
const parameters = {
  clientId: "username",
  clientSecret: "password",
  customerId: "customerId",
} as const;

/** The core's names for the values of the type itself, with the type's own. The agent does not mask these. */
const data = { region: "region", apiUrl: "apiUrl", registry: "registry" } as const;

/** The values of a service connection for CrowdStrike, as stored; empty where nothing was given. */
export type FalconConnection = Record<keyof typeof parameters | keyof typeof data, string>;

/**
 * Reads the connection that `falconConnection` names, removes it from `env`, and masks its secrets; `undefined` if the
 * step names none or the job does not have it.
 */
export function takeFalconConnection(env: NodeJS.ProcessEnv, masks: Masks): FalconConnection | undefined {
  const id = connectionId(env, "falconConnection");
  if (id === "" || !hasConnection(env, id)) return undefined;
  const connection = {
    ...mapValues(parameters, (name) => takeParameter(env, id, name)),
    ...mapValues(data, (name) => takeData(env, id, name)),
  };
  forgetParameters(env, id);
  const { clientId, clientSecret, customerId } = connection;
  const secrets = [clientSecret, ...customerIdForms(customerId), clientId, pair(clientId, clientSecret)];
  for (const secret of secrets) if (secret) masks.add(secret);
  return connection;
}
