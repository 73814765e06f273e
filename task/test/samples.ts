// Sample results and a stand-in for the addon.
import type {
  Addon,
  AgentContext,
  AwsContext,
  Ending,
  Failure,
  Outcome,
  ServiceDeployment,
  SweepReport,
  TaskEvent,
  TaskInputs,
  VerifiedImage,
} from "../src/addon.ts";
import type { FalconConnection } from "../src/falcon.ts";

const registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

export function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

export function outcome(changes: Partial<Outcome> = {}): Outcome {
  return {
    imageReference: `${registry}/app/web@${digest("a")}`,
    imageTag: `${registry}/app/web:1.4.2-falcon`,
    imageDigest: digest("a"),
    sourceReference: `${registry}/app/web:1.4.2`,
    sourceDigest: digest("b"),
    sensorReference: `${registry}/containersensor:7.39.0-7802`,
    sensorDigest: digest("c"),
    sensorVersion: "7.39.0",
    changed: true,
    sourceBytes: 45_200_000,
    targetBytes: 97_400_000,
    effects: [`pushed \`${registry}/app/web:1.4.2-falcon\` (${digest("a")})`],
    cleanup: [],
    ...changes,
  };
}

export function verified(changes: Partial<VerifiedImage> = {}): VerifiedImage {
  return {
    imageReference: `${registry}/app/web@${digest("a")}`,
    imageTag: `${registry}/app/web:1.4.2-falcon`,
    imageDigest: digest("a"),
    fromIndex: false,
    entrypoint: ["/opt/CrowdStrike/rootfs/bin/falcon-entrypoint", "/entry.sh"],
    sensorVersion: "7.39.0-7802",
    cloudService: "ECS_FARGATE",
    bytes: 97_400_000,
    ...changes,
  };
}

export function deployment(changes: Partial<ServiceDeployment> = {}): ServiceDeployment {
  return {
    image: verified(),
    cluster: "prod",
    service: "web",
    result: "completed",
    changed: true,
    deploymentId: "ecs-svc/1234567890123456789",
    taskDefinitionArn: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8",
    taskDefinitionPath: "/agent/_temp/web.json",
    effects: [
      "started the deployment `ecs-svc/1234567890123456789` of the ECS service `web`, which completed",
    ],
    cleanup: [],
    ...changes,
  };
}

export function failure(changes: Partial<Failure> = {}): Failure {
  return {
    code: "ECR_TAG_IMMUTABLE",
    kind: "input",
    what: "Cannot push `app/web:1.4.2-falcon`",
    why: ["tag `1.4.2-falcon` already exists"],
    hint: "Push a new tag",
    effects: [],
    cleanup: [],
    ...changes,
  };
}

export const agent: AgentContext = {
  identity: "identity",
  job: "job",
  tempDirectory: "/tmp",
  workDirectory: "/work",
  inContainerJob: false,
};

export const aws: AwsContext = {
  variables: {
    accessKeyId: "",
    secretAccessKey: "",
    sessionToken: "",
    roleArn: "",
    roleSessionName: "",
    externalId: "",
    region: "eu-west-1",
    roleDuration: "",
  },
};

/** A service connection for CrowdStrike. */
export const falcon: FalconConnection = {
  clientId: "client",
  clientSecret: "secret",
  customerId: "",
  region: "auto",
  apiUrl: "",
  registry: "",
};

/** Arguments of the stand-in's constructor. */
export interface Received {
  others?: string[];
  inputs?: TaskInputs;
  aws?: AwsContext;
  falcon?: FalconConnection | undefined;
  agent?: AgentContext;
}

/** Actions of the stand-in in place of a run. */
export interface Script {
  run?: (emit: (event: TaskEvent) => void, cancelled: Promise<void>) => Promise<Ending>;
  sweep?: () => Promise<SweepReport>;
  /** Thrown by the constructor. */
  reject?: Error;
}

/** An addon that follows a script. */
export function fakeAddon({ run, sweep, reject }: Script): {
  addon: Addon;
  received: Received;
} {
  const received: Received = {};
  class PatchRun {
    readonly #emit: (event: TaskEvent) => void;
    readonly #cancelled: Promise<void>;
    #cancel = (): void => undefined;

    constructor(
      inputs: TaskInputs,
      others: string[],
      access: AwsContext,
      connection: FalconConnection | undefined,
      context: AgentContext,
      onEvent: (event: TaskEvent) => void,
    ) {
      if (reject !== undefined) throw reject;
      Object.assign(received, { inputs, others, aws: access, falcon: connection, agent: context });
      this.#emit = onEvent;
      this.#cancelled = new Promise((resolve) => {
        this.#cancel = resolve;
      });
    }

    run(): Promise<Ending> {
      return run?.(this.#emit, this.#cancelled) ?? Promise.resolve({ type: "done", outcome: outcome() });
    }

    cancel(): void {
      this.#cancel();
    }
  }
  const nothing: SweepReport = { removed: [], failed: [] };
  const addon: Addon = {
    PatchRun,
    sweep: () => sweep?.() ?? Promise.resolve(nothing),
    version: () => "1.0.0",
    codes: () => [],
  };
  return { addon, received };
}
