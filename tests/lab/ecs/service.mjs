// One ECS service, with the deployment that a test's frames describe.
import { randomInt, randomUUID } from "node:crypto";
import { Refusal } from "./definitions.mjs";
import { rollbackReason, statusOf } from "./status.mjs";

const now = () => Date.now() / 1000;
const hour = 3600;
const newId = () => `ecs-svc/${Array.from({ length: 19 }, () => randomInt(1, 10)).join("")}`;
const BREAKER = "ECS deployment circuit breaker";

/** Fields of a deployment that go well together in no answer but their own. */
const rollouts = {
  COMPLETED: (id) => `ECS deployment ${id} completed.`,
  IN_PROGRESS: (id) => `ECS deployment ${id} in progress.`,
};

export class Service {
  /** Calls of UpdateService that were obeyed. */
  updates = [];
  #definitions;
  #place;
  #name;
  #settings;
  #scripts;
  #shown = -1;
  /** The number of deployments that updates began. */
  #began = 0;
  #before;
  /** The deployment whose record the service named before the last update. */
  #recorded;
  #ours;
  #other = { id: newId(), createdAt: now() };
  #events = [];
  #seen = new Map();
  #digest;

  constructor({ place, name, definitions, revision, settings, frames, digest }) {
    this.#place = place;
    this.#name = name;
    this.#definitions = definitions;
    this.#scripts = Array.isArray(frames[0]) ? frames : [frames];
    this.#digest = digest;
    this.#settings = {
      desiredCount: 2,
      status: "ACTIVE",
      launchType: "FARGATE",
      schedulingStrategy: "REPLICA",
      deploymentConfiguration: {
        strategy: "ROLLING",
        maximumPercent: 200,
        minimumHealthyPercent: 100,
        deploymentCircuitBreaker: { enable: true, rollback: true },
      },
      ...settings,
    };
    this.#before = { id: newId(), taskDefinition: revision, createdAt: now() - hour };
    this.#recorded = this.#before;
    this.#log(`(service ${name}) has reached a steady state.`, now() - hour);
  }

  /** The frames of the deployment under way: each update takes the next script, and the last one stays. */
  get #frames() {
    return this.#scripts[Math.min(this.#began, this.#scripts.length) - 1];
  }

  /** The deployment that the last update began. */
  get ours() {
    return this.#ours;
  }

  /** Shows the service to a look: a script moves on by one frame. */
  look() {
    if (this.#ours) this.#shown = Math.min(this.#shown + 1, this.#frames.length - 1);
    const frame = this.#frame();
    if (frame && !this.#seen.has(this.#shown)) {
      this.#seen.set(this.#shown, true);
      for (const message of frame.events ?? []) this.#log(message);
    }
    return this.describe();
  }

  describe() {
    const { controller, rollout, ...settings } = this.#settings;
    const isForeign = controller === "CODE_DEPLOY" || controller === "EXTERNAL";
    const deployments = isForeign ? [] : this.#deployments();
    const total = (field) => deployments.reduce((sum, each) => sum + each[field], 0);
    return {
      serviceName: this.#name,
      serviceArn: this.#arn,
      clusterArn: `${this.#place}:cluster/production`,
      ...settings,
      ...(controller ? { deploymentController: { type: controller } } : {}),
      taskDefinition: (deployments[0] ?? this.#before).taskDefinition,
      runningCount: total("runningCount"),
      pendingCount: total("pendingCount"),
      loadBalancers: [],
      deployments,
      // It follows a look later than the deployment itself. A rollback belongs to the record of what it rolls back.
      currentServiceDeployment: this.#serviceDeploymentArn(this.#shown > 0 ? this.#ours : this.#recorded),
      events: this.#events.toReversed(),
      createdAt: now() - 24 * hour,
    };
  }

  update({ taskDefinition, forceNewDeployment = false, ...others }) {
    if (this.#settings.status !== "ACTIVE")
      throw new Refusal("ServiceNotActiveException", "Service was not ACTIVE.");
    const arn = taskDefinition && this.#definitions.resolve(taskDefinition);
    this.updates.push({ taskDefinition, forceNewDeployment, ...others });
    const [primary] = this.#deployments();
    if (arn !== primary.taskDefinition || forceNewDeployment) {
      this.#before = { id: primary.id, taskDefinition: primary.taskDefinition, createdAt: primary.createdAt };
      this.#recorded = this.#shown > 0 ? this.#ours : this.#recorded;
      this.#other = { id: newId(), createdAt: now() };
      this.#ours = { id: newId(), taskDefinition: arn ?? primary.taskDefinition, createdAt: now() };
      this.#began += 1;
      this.#shown = -1;
      this.#seen.clear();
    }
    return this.describe();
  }

  /** The brief list of the service's deployments, newest first. */
  briefs({ status }) {
    const all = [this.#ours, this.#before].filter(Boolean).map((each) => this.#serviceDeployment(each));
    const wanted = all.filter((each) => !status?.length || status.includes(each.status));
    return wanted.map(({ targetServiceRevision, ...each }) => ({
      serviceDeploymentArn: each.serviceDeploymentArn,
      serviceArn: each.serviceArn,
      clusterArn: each.clusterArn,
      startedAt: each.startedAt,
      createdAt: each.createdAt,
      targetServiceRevisionArn: targetServiceRevision.arn,
      status: each.status,
      ...(each.statusReason ? { statusReason: each.statusReason } : {}),
    }));
  }

  /** The records of the service's deployments among `arns`. */
  details(arns) {
    const all = new Set([this.#ours, this.#before, this.#recorded].filter(Boolean));
    const records = [...all].map((each) => this.#serviceDeployment(each));
    return records.filter(({ serviceDeploymentArn }) => arns.includes(serviceDeploymentArn));
  }

  /** Tasks of the service: those of frames so far, and others that are none of the deployment's business. */
  tasks() {
    if (!this.#ours) return [];
    const shown = this.#frames.slice(0, this.#shown + 1);
    const ended = shown.flatMap((frame, at) =>
      (frame.stopped ?? []).map((task, nth) => [`s${at}.${nth}`, task]),
    );
    const { kind, counts = {} } = this.#frame();
    const isDone = kind === "completed" || kind === "draining";
    const count = isDone ? this.#settings.desiredCount : (counts.running ?? 0);
    const running = Array.from({ length: count }, (_, nth) => [`r${nth}`, {}]);
    const earlier = { stopCode: "UserInitiated", stoppedReason: "stopped before this deployment" };
    return [
      ...ended.map(([key, task], nth) => this.#task(key, this.#ours, { ...task, age: ended.length - nth })),
      ...running.map(([key]) => this.#task(key, this.#ours, {})),
      this.#task("before", this.#before, { ...earlier, age: 900 }),
    ];
  }

  #task(key, deployment, { stopCode, stoppedReason, containers, age = 0 }) {
    const id = `${key.replace(".", "")}${deployment.id.slice(-8)}`;
    const image = this.#definitions.image(deployment.taskDefinition, this.#name) ?? "";
    const digest = this.#digest ?? /@(sha256:[0-9a-f]{64})$/.exec(image)?.[1];
    const state = stopCode ? "STOPPED" : "RUNNING";
    const base = { name: this.#name, image, lastStatus: state, ...(digest ? { imageDigest: digest } : {}) };
    const ended = { stopCode, stoppedReason, stoppedAt: now() - age, desiredStatus: state };
    return {
      taskArn: `${this.#place}:task/production/${id}`,
      clusterArn: `${this.#place}:cluster/production`,
      taskDefinitionArn: deployment.taskDefinition,
      startedBy: deployment.id,
      group: `service:${this.#name}`,
      launchType: "FARGATE",
      lastStatus: state,
      createdAt: deployment.createdAt,
      ...(stopCode ? ended : { desiredStatus: state }),
      containers: (containers ?? [{}]).map((each) => ({ ...base, ...each })),
    };
  }

  #frame() {
    return this.#ours && this.#frames[Math.max(0, this.#shown)];
  }

  #log(message, createdAt = now()) {
    this.#events.push({ id: randomUUID(), createdAt, message });
  }

  #deployment({ id, taskDefinition, createdAt }, status, rolloutState, counts = {}, reason = undefined) {
    const { desiredCount } = this.#settings;
    const { pending = 0, running = 0, failed = 0, desired = desiredCount } = counts;
    return {
      id,
      status,
      taskDefinition,
      desiredCount: desired,
      pendingCount: pending,
      runningCount: running,
      failedTasks: failed,
      createdAt,
      updatedAt: now(),
      launchType: "FARGATE",
      platformVersion: "1.4.0",
      platformFamily: "Linux",
      rolloutState,
      rolloutStateReason: reason ?? rollouts[rolloutState]?.(id) ?? "",
    };
  }

  #deployments() {
    const all = { running: this.#settings.desiredCount };
    const before = (status) => this.#deployment(this.#before, status, "COMPLETED", all);
    if (!this.#ours) {
      const { rollout = "COMPLETED" } = this.#settings;
      return [
        this.#deployment(this.#before, "PRIMARY", rollout, rollout === "COMPLETED" ? all : { pending: 1 }),
      ];
    }
    const frame = this.#frame();
    const ours = (status, rollout, counts, reason) =>
      this.#deployment(this.#ours, status, rollout, counts, reason);
    const failure = `${BREAKER}: tasks failed to start.`;
    const cause = frame.alarms ? "ECS deployment alarms" : BREAKER;
    const back = { ...this.#before, id: this.#other.id, createdAt: this.#other.createdAt };
    const again = (rollout, counts) =>
      this.#deployment(
        back,
        "PRIMARY",
        rollout,
        counts,
        `${cause}: rolling back to deploymentId ${this.#before.id}.`,
      );
    const family = this.#before.taskDefinition.replace(/:\d+$/, ":99");
    const replacing = (rollout, counts) =>
      this.#deployment({ ...this.#other, taskDefinition: family }, "PRIMARY", rollout, counts);
    switch (frame.kind) {
      case "progress":
        return [ours("PRIMARY", "IN_PROGRESS", frame.counts), before("ACTIVE")];
      case "draining":
        return [ours("PRIMARY", "COMPLETED", all), before("ACTIVE")];
      case "completed":
        return [ours("PRIMARY", "COMPLETED", all)];
      case "failed":
        return [ours("PRIMARY", "FAILED", { failed: 3 }, failure), before("ACTIVE")];
      case "rollingBack":
        return [
          again("IN_PROGRESS", { pending: 1, running: 1 }),
          ours("ACTIVE", "FAILED", { failed: 3 }, failure),
        ];
      case "rolledBack":
        return [again("COMPLETED", all)];
      case "rollbackFailed":
        return [again("FAILED", { failed: 3 }), ours("ACTIVE", "FAILED", { failed: 3 }, failure)];
      case "superseded":
        return [replacing("IN_PROGRESS", { pending: 2 }), ours("ACTIVE", "IN_PROGRESS", { running: 1 })];
      case "supersededAndGone":
        return [replacing("COMPLETED", all)];
      default:
        throw new Error(`unknown frame ${frame.kind}`);
    }
  }

  get #arn() {
    return `${this.#place}:service/production/${this.#name}`;
  }

  #serviceDeploymentArn({ id }) {
    return `${this.#place}:service-deployment/production/${this.#name}/${id.split("/")[1]}`;
  }

  #serviceDeployment(deployment) {
    const isOurs = deployment === this.#ours;
    const frame = isOurs ? this.#frame() : { kind: "completed" };
    const [status, statusReason] = statusOf(frame);
    const target = `${this.#place}:service-revision/production/${this.#name}/${deployment.id.split("/")[1]}`;
    const isBack = /^roll/.test(frame.kind);
    const { alarms, hooks, lifecycleStage } = frame;
    return {
      serviceDeploymentArn: this.#serviceDeploymentArn(deployment),
      serviceArn: this.#arn,
      clusterArn: `${this.#place}:cluster/production`,
      createdAt: deployment.createdAt,
      startedAt: deployment.createdAt,
      targetServiceRevision: { arn: target, requestedTaskCount: this.#settings.desiredCount },
      status,
      ...(statusReason ? { statusReason } : {}),
      ...(lifecycleStage ? { lifecycleStage } : {}),
      ...(hooks ? { lifecycleHookDetails: hooks } : {}),
      ...(isBack ? { rollback: { reason: rollbackReason(frame), startedAt: now() } } : {}),
      deploymentConfiguration: this.#settings.deploymentConfiguration,
      deploymentCircuitBreaker: {
        status: isBack && !alarms ? "TRIGGERED" : "MONITORING",
        failureCount: isBack ? 3 : (frame.counts?.failed ?? 0),
        threshold: 3,
      },
      ...(alarms ? { alarms: { status: "TRIGGERED", alarmNames: alarms, triggeredAlarmNames: alarms } } : {}),
    };
  }
}
