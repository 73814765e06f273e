// ECS's task definitions: numbered per family, never changed, and shown with the defaults that ECS adds.
const ARN = /^arn:[^:]+:ecs:[^:]+:\d+:task-definition\/([^:]+):(\d+)$/;

/** A refusal, as ECS words it. */
export class Refusal extends Error {
  constructor(type, message, status = 400) {
    super(message);
    Object.assign(this, { type, status });
  }
}

export class Definitions {
  /** Every revision that was registered: the request's body as it came, with its ARN. */
  registered = [];
  #revisions = [];
  #place;

  /** `place` is the beginning of ARNs: partition, region and account. */
  constructor(place) {
    this.#place = place;
  }

  /** Adds revisions before `given`, so that its own number is not the first. */
  seed(given, number) {
    this.#add(given, number);
    return this.arn(given.family, number);
  }

  arn(family, number) {
    return `${this.#place}:task-definition/${family}:${number}`;
  }

  register(given) {
    if (!given.family || !given.containerDefinitions?.length)
      throw new Refusal("ClientException", "Container list cannot be empty.");
    const newest = Math.max(0, ...this.#of(given.family).map(({ revision }) => revision));
    const revision = this.#add(given, newest + 1);
    this.registered.push({ arn: this.arn(given.family, revision.revision), given });
    return this.#answer(revision, true);
  }

  describe({ taskDefinition, include = [] }) {
    const [, family, number] = ARN.exec(taskDefinition) ?? [];
    const wanted = family ?? taskDefinition.split(":")[0];
    const asked = number ?? taskDefinition.split(":")[1];
    const all = this.#of(wanted).filter(({ revision }) => asked === undefined || revision === Number(asked));
    if (all.length === 0) throw new Refusal("ClientException", "Unable to describe task definition.");
    return this.#answer(all.at(-1), include.includes("TAGS"));
  }

  list({ familyPrefix, sort = "ASC", maxResults = 100 }) {
    const arns = this.#of(familyPrefix).map(({ family, revision }) => this.arn(family, revision));
    return { taskDefinitionArns: (sort === "DESC" ? arns.toReversed() : arns).slice(0, maxResults) };
  }

  /** The full ARN of a revision that exists. */
  resolve(taskDefinition) {
    try {
      return this.describe({ taskDefinition }).taskDefinition.taskDefinitionArn;
    } catch {
      throw new Refusal("ClientException", "TaskDefinition not found.");
    }
  }

  /** The image of a revision's container. */
  image(arn, container) {
    const { containerDefinitions } = this.describe({ taskDefinition: arn }).taskDefinition;
    return containerDefinitions.find(({ name }) => name === container)?.image;
  }

  #of(family) {
    return this.#revisions.filter((each) => each.family === family);
  }

  #add({ tags = [], ...given }, revision) {
    const added = { ...structuredClone(given), tags, revision, registeredAt: Date.now() / 1000 };
    this.#revisions.push(added);
    return added;
  }

  // Read from `describe-task-definition` in public issues: ECS fills these in, whatever was registered.
  #answer({ tags, ...stored }, withTags) {
    const taskDefinition = {
      ...stored,
      taskDefinitionArn: this.arn(stored.family, stored.revision),
      status: "ACTIVE",
      volumes: stored.volumes ?? [],
      placementConstraints: [],
      compatibilities: ["EC2", "FARGATE"],
      requiresAttributes: [{ name: "ecs.capability.task-eni" }],
      registeredBy: "arn:aws:iam::123456789012:user/lab-admin",
      containerDefinitions: stored.containerDefinitions.map((container) => ({
        cpu: 0,
        essential: true,
        environment: [],
        mountPoints: [],
        volumesFrom: [],
        systemControls: [],
        ...container,
        portMappings: (container.portMappings ?? []).map((port) => ({
          hostPort: port.containerPort,
          protocol: "tcp",
          ...port,
        })),
      })),
    };
    return { taskDefinition, ...(withTags ? { tags } : {}) };
  }
}
