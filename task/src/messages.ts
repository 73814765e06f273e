/** Sentences of the shim by their keys in task.json. A translation of the task can replace them. */
import { format } from "node:util";
import { messages } from "../task.json";

/** Returns a sentence with its values. */
export type Translate = (key: keyof typeof messages, ...values: string[]) => string;

/** The sentences of task.json itself, which need no task library. */
export const english: Translate = (key, ...values) => format(messages[key], ...values);
