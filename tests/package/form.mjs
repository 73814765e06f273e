// The form of the task as Azure Pipelines draws it from task.json.

/** A term of a rule: an input, a comparison, and a value without quotes; `""` is the empty text. */
const term = /^\s*(\w+)\s*(==|!=|=)\s*(.*?)\s*$/;

/** The operator and the terms of a rule. Azure Pipelines knows no precedence, so a rule has one kind of operator. */
export function parseRule(rule) {
  const operator = rule.includes("&&") ? "&&" : "||";
  const terms = rule.split(operator).map((text) => {
    const [, name, comparison, value] = term.exec(text) ?? [];
    return { name, isEqual: comparison !== "!=", value: value === '""' ? "" : value };
  });
  return { operator, terms };
}

/** The form of a task for what is filled in, by the names of inputs; the others have their defaults. */
export class Form {
  #task;
  #given;

  constructor(task, given = {}) {
    this.#task = task;
    this.#given = given;
  }

  /** The text of an input. */
  value(name) {
    return String(this.#given[name] ?? this.#input(name)?.defaultValue ?? "");
  }

  /** True if the input has a place in the form, perhaps in a group that is folded. */
  has(name) {
    const { visibleRule, groupName } = this.#input(name);
    return this.#holds(this.#group(groupName)?.visibleRule) && this.#holds(visibleRule);
  }

  /** The groups that have a field, in order, each with its fields. Fields without a group come first. */
  groups() {
    const fieldsOf = (group) =>
      this.#task.inputs.filter(({ name, groupName }) => groupName === group?.name && this.has(name));
    const all = [undefined, ...this.#task.groups].map((group) => ({ group, fields: fieldsOf(group) }));
    return all.filter(({ fields }) => fields.length > 0);
  }

  /** The names of the fields that are seen without unfolding a group. */
  visible() {
    const open = this.groups().filter(({ group }) => group?.isExpanded ?? true);
    return open.flatMap(({ fields }) => fields.map(({ name }) => name));
  }

  #input(name) {
    return this.#task.inputs.find((input) => input.name === name);
  }

  #group(name) {
    return this.#task.groups.find((group) => group.name === name);
  }

  #holds(rule) {
    if (!rule) return true;
    const { operator, terms } = parseRule(rule);
    return operator === "&&" ? terms.every(this.#meets) : terms.some(this.#meets);
  }

  /** A term about a field that is hidden itself does not hold, whichever its value. Case does not count. */
  #meets = ({ name, isEqual, value }) =>
    this.#input(name) !== undefined &&
    this.has(name) &&
    (this.value(name).toLowerCase() === value.toLowerCase()) === isEqual;
}
