/** The one place where inputs are read. */
import * as task from "azure-pipelines-task-lib/task.js";
import type { TaskInputs } from "./addon.ts";
import type { SecretInput } from "./secrets.ts";

type Kind = "text" | "secret" | "path";

/** Every input of task.json and how it is read. */
export const inputs = {
  action: "text",
  sourceImage: "text",
  sourceLocation: "text",
  targetImage: "text",
  additionalTags: "text",
  sensorSource: "text",
  sensorImage: "text",
  sensorVersion: "text",
  sensorMirror: "text",
  minimumSensorVersion: "text",
  falconCid: "secret",
  falconClientId: "text",
  falconClientSecret: "secret",
  falconRegion: "text",
  falconApiUrl: "text",
  falconRegistry: "text",
  cloudService: "text",
  containerName: "text",
  falconctlOptions: "secret",
  awsConnection: "text",
  awsRegion: "text",
  awsAccount: "text",
  awsAccessKeyId: "text",
  awsSecretAccessKey: "secret",
  awsSessionToken: "secret",
  awsRoleArn: "text",
  awsExternalId: "text",
  emulation: "text",
  emulatorImage: "text",
  builderName: "text",
  strategy: "text",
  skipUnchanged: "text",
  createRepository: "text",
  stagingRegistry: "text",
  stagingRegistryImage: "text",
  engineAccess: "text",
  keepLocalImages: "text",
  taskDefinition: "path",
  taskDefinitionOutput: "path",
  registerTaskDefinition: "text",
} as const satisfies Record<keyof TaskInputs, Kind> & Record<SecretInput, "secret">;

/** The inputs as typed. The core checks them, and names the input in every problem. */
export function readInputs(secrets: Record<SecretInput, string>): TaskInputs {
  const read = (name: keyof TaskInputs): string => {
    const kind = inputs[name];
    switch (kind) {
      case "secret":
        return secrets[name as SecretInput];
      case "path":
        // The agent resolves a path against the repository's root, so an empty one arrives as that root.
        return task.filePathSupplied(name) ? text(name) : "";
      case "text":
        return text(name);
      default:
        return kind satisfies never;
    }
  };
  const names = Object.keys(inputs) as (keyof TaskInputs)[];
  return Object.fromEntries(names.map((name) => [name, read(name)])) as unknown as TaskInputs;
}

function text(name: string): string {
  return task.getInput(name) ?? "";
}
