// The states in which a deployment can be seen, one frame each. A test strings frames together; every look of the task at
// the service shows the next one, and the last one stays. The texts are those of public reports of real services.

/** Ours runs beside the one before. */
export const progress = (counts = {}, more = {}) => ({ kind: "progress", counts, ...more });

/** A stage of a blue/green, linear or canary deployment. */
export const stage = (lifecycleStage, more = {}) => progress({ running: 2 }, { lifecycleStage, ...more });

/** A pause hook, which waits for a person. */
export const paused = (lifecycleStage = "POST_TEST_TRAFFIC_SHIFT") =>
  stage(lifecycleStage, {
    hooks: [{ hookId: "approve", targetType: "PAUSE", status: "AWAITING_ACTION", timeoutAction: "ROLLBACK" }],
  });

/** Ours is complete, and the load balancer still drains the tasks of the one before. */
export const draining = { kind: "draining", lifecycleStage: "CLEAN_UP" };

/** Ours is the only one. */
export const completed = { kind: "completed" };

/** Ours failed, and nothing takes its place. */
export const failed = (more = {}) => ({ kind: "failed", ...more });

/** Ours failed, and the revision before is started anew. */
export const rollingBack = (more = {}) => ({ kind: "rollingBack", ...more });

/** The revision before runs again, under a new deployment, and ours has left the list. */
export const rolledBack = (more = {}) => ({ kind: "rolledBack", ...more });

/** An alarm rolled ours back. */
export const byAlarm = { alarms: ["web-5xx"] };

/** Someone asked for the rollback. */
export const byHand = { by: "hand" };

/** The rollback failed as well. */
export const rollbackFailed = { kind: "rollbackFailed" };

/** Another UpdateService replaced ours. */
export const superseded = { kind: "superseded" };

/** The same, a while later: nothing of ours is listed. */
export const supersededAndGone = { kind: "supersededAndGone" };

/** Events of a service. */
export const event = {
  started: "(service web) has started 2 tasks: (task 0c1d) (task 0c1e).",
  registered: "(service web) registered 2 targets in (target-group web)",
  noCapacity: "(service web) was unable to place a task. Reason: Capacity is unavailable at this time.",
  inconsistent: "(service web) is unable to consistently start tasks successfully.",
  steady: "(service web) has reached a steady state.",
};

const container = (more) => [{ lastStatus: "STOPPED", ...more }];

/** Tasks that stopped, each for one of the reasons that users meet. */
export const stopped = {
  pull: {
    stopCode: "TaskFailedToStart",
    stoppedReason:
      "CannotPullContainerError: pull image manifest has been retried 3 time(s): failed to resolve ref: not found",
  },
  platform: {
    stopCode: "TaskFailedToStart",
    stoppedReason:
      "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
  },
  exit: {
    stopCode: "EssentialContainerExited",
    stoppedReason: "Essential container in task exited",
    containers: container({ exitCode: 255 }),
  },
  memory: {
    stopCode: "EssentialContainerExited",
    stoppedReason: "Essential container in task exited",
    containers: container({
      exitCode: 137,
      reason: "OutOfMemoryError: Container killed due to memory usage",
    }),
  },
  health: {
    stopCode: "ServiceSchedulerInitiated",
    stoppedReason: "Task failed container health checks",
    containers: container({ exitCode: 143, healthStatus: "UNHEALTHY" }),
  },
  scaling: {
    stopCode: "ServiceSchedulerInitiated",
    stoppedReason: "Scaling activity initiated by (deployment ecs-svc/1111111111111111111)",
    containers: container({ exitCode: 0 }),
  },
};
