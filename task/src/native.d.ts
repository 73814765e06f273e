/** The contract with the native addon. */

/** Every input of task.json by its name, as typed; `""` when it was not given. */
export interface TaskInputs {
  action: string;
  sourceImage: string;
  sourceLocation: string;
  targetImage: string;
  additionalTags: string;
  sensorSource: string;
  sensorImage: string;
  sensorVersion: string;
  sensorMirror: string;
  minimumSensorVersion: string;
  falconCid: string;
  falconClientId: string;
  falconClientSecret: string;
  falconRegion: string;
  falconApiUrl: string;
  falconRegistry: string;
  cloudService: string;
  containerName: string;
  falconctlOptions: string;
  awsConnection: string;
  awsRegion: string;
  awsAccount: string;
  awsAccessKeyId: string;
  awsSecretAccessKey: string;
  awsSessionToken: string;
  awsRoleArn: string;
  awsExternalId: string;
  emulation: string;
  emulatorImage: string;
  builderName: string;
  strategy: string;
  skipUnchanged: string;
  createRepository: string;
  stagingRegistry: string;
  stagingRegistryImage: string;
  engineAccess: string;
  keepLocalImages: string;
  taskDefinition: string;
  taskDefinitionOutput: string;
  registerTaskDefinition: string;
}

/** What the task knows of the agent and the job it runs in. */
export interface AgentContext {
  /** The same for every run on one agent, and no other's. */
  identity: string;
  /** The same for every step of one job, and no other's. */
  job: string;
  /** A folder that the agent empties after each job. */
  tempDirectory: string;
  /** A folder that stays. */
  workDirectory: string;
  /** Whether this step runs inside the job's container. */
  inContainerJob: boolean;
  /** The engine's address, if it is not the usual one. */
  dockerHost?: string;
}

/** Something that happened during a run. */
export type TaskEvent =
  | { type: "secret"; value: string }
  | { type: "planned"; stages: string[][] }
  | { type: "stepStarted"; id: number; title: string }
  | { type: "progress"; id: number; current: number; total?: number }
  | { type: "output"; id: number; line: string }
  | { type: "note"; id?: number; message: string }
  | { type: "warning"; code: string; message: string; hint?: string }
  | {
      type: "stepFinished";
      id: number;
      status: "succeeded" | "failed" | "cancelled";
      durationMs: number;
      note?: string;
    };

/** What a run produced, or what a plan would. */
export interface Outcome {
  imageReference?: string;
  imageTag: string;
  imageDigest?: string;
  sourceReference: string;
  sourceDigest?: string;
  sensorReference: string;
  sensorDigest: string;
  sensorVersion?: string;
  changed: boolean;
  sourceBytes?: number;
  targetBytes?: number;
  effects: string[];
  cleanup: string[];
}

/** How a run failed. */
export interface Failure {
  code: string;
  kind: "input" | "environment" | "upstream" | "bug";
  step?: string;
  what: string;
  why: string[];
  hint?: string;
  effects: string[];
  cleanup: string[];
}

/** Steps that run side by side; in a branch they run only when it is taken. */
export interface PlannedStage {
  steps: string[];
  branch?: string;
}

/** The one result of a run. */
export type Ending =
  | { type: "done"; outcome: Outcome }
  | { type: "planned"; stages: PlannedStage[]; outcome: Outcome }
  | { type: "failed"; failure: Failure }
  | { type: "cancelled"; effects: string[]; cleanup: string[] };

/** One run of the task: make it, run it once, cancel it at any time. */
export declare class PatchRun {
  constructor(inputs: TaskInputs, agent: AgentContext, onEvent: (event: TaskEvent) => void);
  run(): Promise<Ending>;
  cancel(): void;
}

/** What a sweep removed, and what it could not. */
export interface SweepReport {
  removed: string[];
  failed: string[];
}

/** Removes what runs of this job left for its end, and what earlier jobs of this agent left behind. */
export declare function sweep(agent: AgentContext): Promise<SweepReport>;

/** The version of the addon, which equals that of the task. */
export declare function version(): string;

/** Every code that a failure or a warning can carry. */
export declare function codes(): string[];
