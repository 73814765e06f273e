// The measurements and their goals: a row compares cases, a case is one flow under one set of conditions.

/** The line between agent and ECR in the network model: each direction limited, and each request answered so much later. */
export const line = { megabits: 200, delayMs: 20 };

/** The most memory that the task's process may take in any case, in bytes. */
export const memoryGoal = 120e6;

/** What is flat: the most that a value may grow by, as a ratio. */
export const flat = 1.15;

/**
 * A case with a cold engine. `source` is in MB unpacked, `target` is the `same` repository as the source's or an`other`. `network`
 * is `loopback` or the `line` above. `rounds` is set where fewer than all suffice. `layers` and `records` are numbers of layers of the
 * source and of records beside the image, where they are not the usual ones.
 */
function cold(store, flow, changes = {}) {
  return { store, network: "loopback", source: 800, flow, target: "same", mounting: false, ...changes };
}

/**
 * A row: its case, and those it is compared with, each with its goal if there is one. Limits are the most `requests`, and for many
 * images in one job `secondsEach`.
 */
const row = (id, measured, against = [], limits = {}) => ({ id, case: measured, against, ...limits });

const cached = { "graft-cached": "graft from the cache", "graft-signed": "graft from the cache, signed" };

function ofStore(store, fullGoal) {
  const of = (flow, changes) => cold(store, flow, changes);
  const pipeline = of("pipeline");
  return [
    row(`full-${store}`, of("full"), [
      { case: pipeline, goal: fullGoal },
      { case: of("cli"), goal: 1 },
    ]),
    row(`graft-${store}`, of("graft"), [{ case: pipeline }, { case: of("floor of a graft"), goal: flat }]),
    row(`graft-again-${store}`, of("graft again"), [{ case: pipeline, goal: 0.1 }]),
    row(`graft-signed-${store}`, of(cached["graft-signed"]), [{ case: pipeline, goal: 0.03 }], {
      requests: 30,
    }),
    row(`graft-cached-${store}`, of(cached["graft-cached"]), [{ case: pipeline }], { requests: 24 }),
    row(`unchanged-${store}`, of("unchanged"), [{ case: pipeline, goal: 0.01 }], { requests: 9 }),
  ];
}

/** Rows of another repository, which are shown: one round and one store are enough. */
function elsewhere() {
  const other = (flow, mounting) => cold("overlay2", flow, { target: "other", mounting, rounds: 1 });
  return [
    row("full-other", other("full", false)),
    row("graft-cached-other", other(cached["graft-cached"], false)),
    row("graft-cached-mounting", other(cached["graft-cached"], true)),
  ];
}

const sized = (flow, source, changes) => cold("overlay2", flow, { source, ...changes });
const online = (flow, changes) => cold("overlay2", flow, { source: 400, network: "line", ...changes });

/** Rows of a growing number of one thing. A time may grow with it; from the number `cap` on it may not. */
function growing(name, caseOf, numbers, cap = Number.POSITIVE_INFINITY) {
  return numbers.map((number, index) => {
    const fewer = numbers[index - 1];
    const goal = fewer < cap ? number / fewer : flat;
    const against = index > 0 ? [{ case: caseOf(fewer), goal }] : [];
    return row(`${name}-${number}`, caseOf(number), against);
  });
}

const ofLayers = (layers) => sized(cached["graft-cached"], 50, { layers, target: "other", rounds: 1 });
const ofRecords = (records) => sized("unchanged, signed", 50, { records, rounds: 1 });

/** All rows, in the order in which they are shown. */
export const rows = [
  ...ofStore("overlay2", 0.6),
  ...ofStore("containerd", 0.85),
  ...elsewhere(),
  ...Object.entries({ ...cached, graft: "graft" }).map(([name, flow]) =>
    row(`size-${name}`, sized(flow, 1500), [{ case: sized(flow, 50), goal: flat }]),
  ),
  // For the trend and for the memory.
  ...[50, 1500].map((source) => row(`full-${source}`, sized("full", source, { rounds: 1 }))),
  row("many", sized("grafts from the cache in one job", 50, { rounds: 1 }), [], { secondsEach: 1.5 }),
  ...growing("layers", ofLayers, [10, 60, 120]),
  // The task reads 50 records at most.
  ...growing("records", ofRecords, [1, 50, 100], 50),
  row("line-full", online("full"), [{ case: online("pipeline") }, { case: online("cli", { rounds: 1 }) }]),
  row("line-graft", online("graft"), [
    { case: online("pipeline") },
    { case: online("floor of a graft"), goal: flat },
  ]),
  ...["graft again", "unchanged"].map((flow) =>
    row(`line-${flow.replace(" ", "-")}`, online(flow), [{ case: online("pipeline") }]),
  ),
  row("line-graft-signed", online(cached["graft-signed"]), [{ case: online("pipeline"), goal: 0.05 }]),
  row("line-graft-cached", online(cached["graft-cached"]), [{ case: online("pipeline") }]),
];

/** The rows that `only` asks for by the start of their names, or all. */
export function chosen(only) {
  const found = rows.filter(({ id }) => only === undefined || id.startsWith(only));
  if (found.length === 0)
    throw new Error(`no row is called ${only}; there are: ${rows.map(({ id }) => id).join(", ")}`);
  return found;
}
