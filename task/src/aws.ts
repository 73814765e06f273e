/**
 * Settings of the job for AWS, apart from the inputs: the service connection and the toolkit's variables.
 *
 * All of it is read from the environment and masked before the task library is loaded. The library's own functions for
 * it print what they return as debug lines.
 *
 * @see https://github.com/aws/aws-toolkit-azure-devops for the names of the variables and of the endpoint's parameters
 */
import type { AwsContext, TokenRequest } from "./addon.ts";
import { connectionId, forgetParameters, hasConnection, mapValues, take, takeParameter } from "./endpoint.ts";
import { environmentName, type Masks, pair } from "./secrets.ts";

/** The job's own connection to Azure DevOps, which every job has, also in classic pipelines. */
const jobConnection = "SYSTEMVSSCONNECTION";

/** Hosts of Azure DevOps that issue tokens. The job's own connection names the current one. */
const tokenHosts = ["dev.azure.com", ".dev.azure.com", ".visualstudio.com"];

/** The core's names for the parameters of a connection, with the connection's own. */
const connectionParameters = {
  accessKeyId: "username",
  secretAccessKey: "password",
  sessionToken: "sessionToken",
  roleArn: "assumeRoleArn",
  roleSessionName: "roleSessionName",
  externalId: "externalId",
  useOidc: "useOIDC",
} as const;

/** The parameters of a service connection to AWS, as stored; empty where nothing was given. */
type AwsConnection = Record<keyof typeof connectionParameters, string>;

/** The core's names for the variables, with the toolkit's. */
const variableNames = {
  accessKeyId: "AWS.AccessKeyID",
  secretAccessKey: "AWS.SecretAccessKey",
  sessionToken: "AWS.SessionToken",
  roleArn: "AWS.AssumeRoleArn",
  roleSessionName: "AWS.RoleSessionName",
  externalId: "AWS.ExternalId",
  region: "AWS.Region",
  roleDuration: "aws.rolecredential.maxduration",
} as const;

/** The job's variables that the AWS Toolkit for Azure DevOps reads; empty where nothing was given. */
type AwsVariables = Record<keyof typeof variableNames, string>;

/** Reads everything, removes from `env` what is confidential, and masks it. */
export function takeAwsContext(env: NodeJS.ProcessEnv, masks: Masks): AwsContext {
  const id = connectionId(env, "awsConnection");
  const connection = id === "" ? undefined : takeConnection(env, id);
  const variables = mapValues(variableNames, (name) => takeVariable(env, name));
  const request = takeTokenRequest(env, id);
  for (const keys of [connection, variables]) if (keys) mask(keys, masks);
  if (request) masks.add(request.jobToken);
  return {
    ...(connection && { connection }),
    variables,
    // A token is requested only for a connection, so without one the job's token is not passed on.
    ...(request && connection && { tokenRequest: request }),
  };
}

/** The parameters of a service connection; `undefined` if the job does not have it. */
function takeConnection(env: NodeJS.ProcessEnv, id: string): AwsConnection | undefined {
  const exists = hasConnection(env, id);
  const taken = mapValues(connectionParameters, (name) => takeParameter(env, id, name));
  forgetParameters(env, id);
  return exists ? taken : undefined;
}

/** The parts of a request for an OIDC token; `undefined` where the agent has no address for it. */
function takeTokenRequest(env: NodeJS.ProcessEnv, id: string): TokenRequest | undefined {
  const ofJob = takeParameter(env, jobConnection, "AccessToken");
  // In classic pipelines this variable is only there if a box is ticked.
  const jobToken = ofJob || takeVariable(env, "System.AccessToken");
  forgetParameters(env, jobConnection);
  const address = env.SYSTEM_OIDCREQUESTURI ?? "";
  if (address === "") return undefined;
  const query = new URLSearchParams({ "api-version": "7.1", serviceConnectionId: id });
  const home = host(env[`ENDPOINT_URL_${jobConnection}`] ?? "");
  return {
    url: `${address}?${query}`,
    jobToken,
    hosts: home === undefined ? tokenHosts : [...tokenHosts, home],
  };
}

function mask(
  { accessKeyId, secretAccessKey, sessionToken }: AwsConnection | AwsVariables,
  masks: Masks,
): void {
  const secrets = [secretAccessKey, sessionToken, accessKeyId, pair(accessKeyId, secretAccessKey)];
  for (const secret of secrets) if (secret) masks.add(secret);
}

/** A variable of the job: the agent passes secret ones under a separate name. */
function takeVariable(env: NodeJS.ProcessEnv, name: string): string {
  const key = environmentName(name);
  const secret = take(env, `SECRET_${key}`);
  return secret || (env[key] ?? "").trim();
}

function host(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}
