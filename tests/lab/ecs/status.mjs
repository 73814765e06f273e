// A service deployment's own words in each frame; the classes are those of the ECS guide.

/** The reason of a rollback. */
export function rollbackReason({ alarms, by }) {
  if (by === "hand") return "Service deployment was stopped by a user.";
  if (alarms) return `Service deployment rolled back because of alarms: ${alarms.join(", ")}.`;
  return "Service deployment rolled back because the circuit breaker threshold was exceeded.";
}

/** The service deployment's status and reason in a frame. */
export function statusOf(frame) {
  switch (frame.kind) {
    case "completed":
      return ["SUCCESSFUL"];
    case "failed":
      return ["STOPPED", "Service deployment failed: tasks failed to start."];
    case "rollingBack":
      return [frame.by === "hand" ? "ROLLBACK_REQUESTED" : "ROLLBACK_IN_PROGRESS", rollbackReason(frame)];
    case "rolledBack":
      return ["ROLLBACK_SUCCESSFUL", rollbackReason(frame)];
    case "rollbackFailed":
      return ["ROLLBACK_FAILED", rollbackReason(frame)];
    case "superseded":
    case "supersededAndGone":
      return ["STOPPED", "Replaced by a new service deployment"];
    default:
      return [frame.status ?? "IN_PROGRESS"];
  }
}
