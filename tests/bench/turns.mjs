// The cases that rows need, in turns: each begins with a cold engine.

/** Flows that go on in the engine and with the repository of another one, right after it. */
const leaders = {
  "graft again": "graft",
  "graft from the cache": "graft",
  "graft from the cache, signed": "graft",
  "grafts from the cache in one job": "graft",
  unchanged: "full",
  "unchanged, signed": "full, signed",
};

/** A case's name, the same wherever it is met. */
export function idOf({ store, network, source, layers, flow, target, mounting, records }) {
  const words = [store, network, `${source} MB`];
  if (layers) words.push(`${layers} layers`);
  words.push(flow);
  if (target === "other") words.push(mounting ? "other repository, mounting on" : "other repository");
  if (records) words.push(`${records} records`);
  return words.join(", ");
}

/**
 * The case that another one follows, if any. The question of a graft does not depend on layers: a small source is grafted before one
 * into another repository, which then has none of its layers.
 */
function leaderOf({ records: _, ...each }) {
  const flow = leaders[each.flow];
  if (!flow) return undefined;
  const source = each.target === "other" ? { source: 50, layers: undefined } : {};
  return { ...each, ...source, flow };
}

/** The turns that rows need, each once: a case that starts cold, and those that go on where it ends. */
export function turnsOf(wanted) {
  const cases = new Map();
  // Where two rows differ in it, all rounds are due.
  for (const { case: measured, against } of wanted)
    for (const each of [...against.map((other) => other.case), measured])
      for (const one of [leaderOf(each), each].filter(Boolean))
        if (cases.get(idOf(one))?.rounds !== undefined || !cases.has(idOf(one))) cases.set(idOf(one), one);
  const all = [...cases.values()];
  const follows = (each, leader) => {
    const own = leaderOf(each);
    return own !== undefined && idOf(own) === idOf(leader);
  };
  return all
    .filter((each) => !leaderOf(each))
    .map((leader) => ({ leader, followers: all.filter((each) => follows(each, leader)) }));
}
