/** Facts about a run that succeeded, for the log and for the run's page alike. */
import type { Ending, ImageRecord, Outcome, RecordState, ServiceDeployment, VerifiedImage } from "./addon.ts";
import { duration, megabytes } from "./format.ts";

/** An ending that has facts to show. */
export type Success = Extract<
  Ending,
  { type: "done" | "planned" | "verified" | "deployed" | "deploymentPlanned" }
>;

/** A fact: its name, its value and, for an image, the digest behind that. */
export interface Row {
  name: string;
  value: string;
  digest?: string;
}

/** Headline of the facts. */
export function headline(ending: Success): string {
  if (ending.type === "verified") return "Verified: the image is patched";
  if (ending.type === "deployed" || ending.type === "deploymentPlanned")
    return deploymentHeadline(ending.deployment);
  const { changed } = ending.outcome;
  if (ending.type === "planned")
    return changed ? "Plan: this is what patching would do" : "Plan: patching would change nothing";
  return changed ? "Patched and pushed" : "Nothing to patch: the target is up to date";
}

/** All that is known, in the order in which it is shown. */
export function endingRows(ending: Success, milliseconds: number): Row[] {
  return [...ownRows(ending), ...row("Time", duration(milliseconds))];
}

function ownRows(ending: Success): Row[] {
  switch (ending.type) {
    case "verified":
      return verifiedRows(ending.image);
    case "deployed":
    case "deploymentPlanned":
      return deploymentRows(ending.deployment);
    case "done":
    case "planned":
      return outcomeRows(ending.outcome);
    default:
      return ending satisfies never;
  }
}

function deploymentHeadline({ result, service }: ServiceDeployment): string {
  switch (result) {
    case "unneeded":
      return `Nothing to deploy: ${service} runs this definition with this image`;
    case "planned":
      return `Plan: this is what deploying to ${service} would do`;
    case "started":
      return `Started, not watched: the deployment of ${service} goes on`;
    case "completed":
      return `Deployed to ${service}`;
    default:
      return result satisfies never;
  }
}

function outcomeRows(outcome: Outcome): Row[] {
  return [
    ...row("Image", outcome.imageReference),
    ...row("Tag", outcome.imageTag),
    ...row("Source", outcome.sourceReference, outcome.sourceDigest),
    ...row("Sensor", outcome.sensorReference, outcome.sensorDigest),
    ...row("Sensor version", unnamed(outcome)),
    ...(outcome.record === undefined ? [] : row("Record", recorded(outcome.record))),
    ...row("Size", size(outcome)),
    ...row("Task definition", outcome.taskDefinitionPath),
    ...row("Registered as", outcome.taskDefinitionArn),
  ];
}

function deploymentRows(deployment: ServiceDeployment): Row[] {
  const { image } = deployment;
  return [
    ...row("Service", deployment.service),
    ...row("Cluster", deployment.cluster),
    ...row("Deployment", deployment.deploymentId),
    ...row("Revision", deployment.taskDefinitionArn),
    ...row("Task definition", deployment.taskDefinitionPath),
    ...row("Image", image.imageReference),
    ...row("Tag", image.imageTag),
    ...row("Sensor", statedSensor(image)),
  ];
}

function verifiedRows(image: VerifiedImage): Row[] {
  return [
    ...row("Image", image.imageReference),
    ...row("Tag", image.imageTag),
    ...row("Platform", image.fromIndex ? "linux/arm64, selected from an index" : "linux/arm64"),
    ...row("Sensor", statedSensor(image)),
    ...row("Entrypoint", image.entrypoint.join(" ")),
    ...row("Service", image.cloudService),
    ...row("Container", image.containerName),
    ...row("Source", image.sourceReference, image.sourceDigest),
    ...(image.record === undefined ? [] : recordRows(image.record)),
    ...row("Size", megabytes(image.bytes)),
  ];
}

/** The registry's record of the patch. Trust an unsigned one only as far as everyone who can push there. */
function recordRows(record: ImageRecord): Row[] {
  return [
    ...row("Recorded source", record.sourceReference, record.sourceDigest),
    ...row("Recorded sensor", record.sensorReference, record.sensorDigest),
    ...row("Recorded by", record.runUrl),
    ...row("Recorded at", record.finished),
  ];
}

/** The sensor's version where the reference of its image does not end with it. */
function unnamed({ sensorReference, sensorVersion }: Outcome): string | undefined {
  return sensorVersion && sensorReference.endsWith(`:${sensorVersion}`) ? undefined : sensorVersion;
}

/** The sensor's version, with the word by which it is known: the registry's record, or else a label of the image. */
function statedSensor({ sensorVersion, record }: VerifiedImage): string {
  if (record !== undefined) return `${sensorVersion ?? "version unknown"} (${recorded(record)})`;
  return sensorVersion === undefined
    ? "not recorded in the registry"
    : `${sensorVersion} (by a label, not signed)`;
}

/** The word that vouches for a record. */
function recorded({ signer }: RecordState): string {
  return signer === undefined ? "recorded, not signed" : `recorded, signed by ${signer}`;
}

/** One row; none without a value. A digest that has no name, or is part of it, stands alone. */
function row(name: string, value: string | undefined, digest?: string): Row[] {
  const text = value || digest;
  if (!text) return [];
  return [!digest || text.includes(digest) ? { name, value: text } : { name, value: text, digest }];
}

function size({ sourceBytes, targetBytes }: Outcome): string | undefined {
  if (sourceBytes === undefined || targetBytes === undefined) {
    const known = targetBytes ?? sourceBytes;
    return known === undefined ? undefined : megabytes(known);
  }
  const growth = targetBytes - sourceBytes;
  const change = `${growth < 0 ? "-" : "+"}${megabytes(Math.abs(growth))}`;
  return `${megabytes(sourceBytes)} → ${megabytes(targetBytes)} (${change})`;
}
