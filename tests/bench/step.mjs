// The task as an agent starts it, measured: its time, its memory and the steps of its log.
import { readFileSync } from "node:fs";
import { story } from "../task/agent.mjs";
import { inputs } from "../task/lab.mjs";

const sampling = 25;

/** Runs the task; its end and its output `changed` must be as expected. */
export async function task({ place, sensor, job }, changes, { changed = "true" } = {}) {
  const given = inputs({
    sourceImage: place.source,
    targetImage: place.target,
    sensorImage: sensor.reference,
    skipUnchanged: "true",
    graftCache: "registry",
    ...changes,
  });
  const step = job.start(given);
  const peak = watchPeak(step.child);
  const ended = await step.done;
  if (ended.result !== "Succeeded") throw new Error(`the task ended as ${ended.result}:\n${story(ended)}`);
  if (ended.outputs.changed !== changed)
    throw new Error(`the task says that changed is ${ended.outputs.changed}:\n${story(ended)}`);
  return { seconds: ended.seconds, peakBytes: peak(), steps: stepsOf(ended) };
}

/** Time of each step by the task's own log, which explains a missed goal. */
function stepsOf({ shown }) {
  const steps = shown.map((line) => /^(?:##\[group\])?(.+): done in ([\d.]+) s$/.exec(line));
  return Object.fromEntries(steps.filter(Boolean).map(([, name, seconds]) => [name, Number(seconds)]));
}

/** The most memory that a process ever had, as the kernel counts it; asked again and again, because it ends with the process. */
function watchPeak(child) {
  let kibibytes = 0;
  const timer = setInterval(() => {
    kibibytes = Math.max(kibibytes, peakOf(child.pid));
  }, sampling);
  child.on("close", () => clearInterval(timer));
  return () => kibibytes * 1024;
}

function peakOf(pid) {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
