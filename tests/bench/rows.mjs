// The measurements and their goals: a row compares cases, a case is one flow under one set of conditions.

/** The line between agent and ECR in the network model: each direction limited, and each request answered so much later. */
export const line = { megabits: 200, delayMs: 20 };

/** The most memory that the task's process may take in any case, in bytes. */
export const memoryGoal = 120e6;

/** Flows that go on in the engine and with the repository of another one, right after it. */
const leaders = { "graft again": "graft", "graft from the cache": "graft", unchanged: "full" };

/**
 * A case with a cold engine. `source` is in MB unpacked, `target` is the `same` repository as the source's or an`other`. `network`
 * is `loopback` or the `line` above. `rounds` is set where fewer than all suffice.
 */
function cold(store, flow, changes = {}) {
  return { store, network: "loopback", source: 800, flow, target: "same", mounting: false, ...changes };
}

/** A row: its case, and those it is compared with, each with its goal if there is one. */
const row = (id, measured, against = [], more = {}) => ({ id, case: measured, against, ...more });

function ofStore(store, goals) {
  const pipeline = cold(store, "pipeline");
  const of = (flow, changes) => cold(store, flow, changes);
  return [
    row(`full-${store}`, of("full"), [
      { case: pipeline, goal: goals.full },
      { case: of("cli"), goal: 1 },
    ]),
    row(`graft-${store}`, of("graft"), [{ case: pipeline, goal: 0.2 }]),
    row(`graft-again-${store}`, of("graft again"), [{ case: pipeline, goal: 0.1 }]),
    row(`graft-cached-${store}`, of("graft from the cache"), [{ case: pipeline, goal: 0.03 }], {
      requestsBelow: 25,
    }),
    row(`unchanged-${store}`, of("unchanged"), [{ case: pipeline, goal: 0.03 }], { requestsBelow: 10 }),
    row(`full-other-${store}`, of("full", { target: "other", rounds: 1 }), [
      { case: of("cli", { target: "other", rounds: 1 }) },
    ]),
    row(`graft-other-${store}`, of("graft", { target: "other", rounds: 1 })),
    row(`graft-mounting-${store}`, of("graft", { target: "other", mounting: true, rounds: 1 })),
    ...[false, true].map((mounting) =>
      row(
        `graft-cached-${mounting ? "mounting" : "other"}-${store}`,
        of("graft from the cache", { target: "other", mounting, rounds: 1 }),
      ),
    ),
  ];
}

const sized = (flow, source, changes) => cold("overlay2", flow, { source, ...changes });
const online = (flow) => cold("overlay2", flow, { source: 400, network: "line" });

/** All rows, in the order in which they are shown. */
export const rows = [
  ...ofStore("overlay2", { full: 0.6 }),
  ...ofStore("containerd", { full: 0.85 }),
  row("size-cached", sized("graft from the cache", 1500), [
    { case: sized("graft from the cache", 50), goal: 1.15 },
  ]),
  row("size", sized("graft", 1500), [{ case: sized("graft", 50), goal: 1.15 }]),
  // One pair each, for the trend and for the memory.
  ...[50, 1500].map((source) =>
    row(`full-${source}`, sized("full", source, { rounds: 1 }), [
      { case: sized("pipeline", source, { rounds: 1 }) },
    ]),
  ),
  row("line-full", online("full"), [{ case: online("pipeline") }, { case: online("cli") }]),
  ...["graft", "graft again", "unchanged"].map((flow) =>
    row(`line-${flow.replace(" ", "-")}`, online(flow), [{ case: online("pipeline") }]),
  ),
  row("line-graft-cached", online("graft from the cache"), [{ case: online("pipeline"), goal: 0.05 }]),
];

/** A case's name, the same wherever it is met. */
export function idOf({ store, network, source, flow, target, mounting }) {
  const words = [store, network, `${source} MB`, flow];
  if (target === "other") words.push(mounting ? "other repository, mounting on" : "other repository");
  return words.join(", ");
}

/** The rows that `only` asks for by the start of their names, or all. */
export function chosen(only) {
  const found = rows.filter(({ id }) => only === undefined || id.startsWith(only));
  if (found.length === 0)
    throw new Error(`no row is called ${only}; there are: ${rows.map(({ id }) => id).join(", ")}`);
  return found;
}

/** The turns that rows need, each once: a case that starts cold, and those that go on where it ends. */
export function turnsOf(wanted) {
  const cases = new Map();
  for (const { case: measured, against } of wanted)
    for (const each of [...against.map((other) => other.case), measured]) {
      const leader = leaders[each.flow];
      if (leader) cases.set(idOf({ ...each, flow: leader }), { ...each, flow: leader });
      cases.set(idOf(each), each);
    }
  const all = [...cases.values()];
  const follows = (each, leader) =>
    leaders[each.flow] === leader.flow && idOf({ ...each, flow: leader.flow }) === idOf(leader);
  return all
    .filter(({ flow }) => !leaders[flow])
    .map((leader) => ({ leader, followers: all.filter((each) => follows(each, leader)) }));
}
