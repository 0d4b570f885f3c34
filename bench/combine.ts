// Several runs on one adapter as one: medians over the runs and how far they lie apart. A single run stands for itself, with the
// quartiles of its rounds.
import type { Figure } from "./result.ts";
import type { PeerResult, TaskResult } from "./runner.ts";
import type { Cost } from "./task.ts";

/** Of one run: median and quartiles of its rounds. Of several: median of their values, the lowest and the highest. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export interface PeerSummary {
  readonly peer: string;
  /** Of the runs that have it, those it did well in. */
  readonly ok: number;
  readonly runs: number;
  /** Where it is not ok: the first run's. */
  readonly status: PeerResult["status"];
  readonly reason?: string;
  /** Milliseconds. */
  readonly time?: Spread;
  /** Its time of ours, run by run. */
  readonly ratio?: Spread;
}

export interface TaskSummary {
  readonly suite: string;
  readonly name: string;
  readonly peers: readonly PeerSummary[];
  /** The best other WebGPU engine's time of ours, run by run. */
  readonly ratio?: Spread;
  readonly cost?: Cost;
}

export interface SuiteSummary {
  readonly suite: string;
  /** Engines that can do any of it. */
  readonly peers: readonly string[];
  readonly tasks: readonly TaskSummary[];
  /** Geometric mean of the tasks' ratios where there are several, run by run. */
  readonly mean?: Spread;
}

/** wasm runs on other hardware: it is shown, not counted as a rival. */
const isRival = ({ peer, status }: PeerResult): boolean => status === "ok" && !peer.endsWith("wasm");

export function combineSuites(runs: readonly (readonly TaskResult[])[]): SuiteSummary[] {
  const suites = distinct(runs.flat().map(({ suite }) => suite));
  return suites.map((suite) => {
    const own = runs.map((tasks) => tasks.filter((task) => task.suite === suite));
    const results = own.flat().flatMap((task) => task.results);
    const means = own.flatMap((tasks) => geometricMean(tasks.flatMap((task) => bestRatio(task) ?? [])) ?? []);
    return {
      suite,
      peers: distinct(results.filter(({ status }) => status !== "unsupported").map(({ peer }) => peer)),
      tasks: distinct(own.flat().map(({ name }) => name)).map((name) => combineTask(own.flat().filter((task) => task.name === name))),
      ...optional("mean", means),
    };
  });
}

/** One task in each run that has it. */
function combineTask(runs: readonly TaskResult[]): TaskSummary {
  const { suite, name } = runs[0]!;
  const peers = distinct(runs.flatMap(({ results }) => results.map(({ peer }) => peer)));
  const cost = runs.at(-1)!.results[0]?.cost;
  return {
    suite,
    name,
    peers: peers.map((peer) => combinePeer(peer, runs)),
    ...optional(
      "ratio",
      runs.flatMap((run) => bestRatio(run) ?? []),
    ),
    ...(cost && { cost }),
  };
}

function combinePeer(peer: string, runs: readonly TaskResult[]): PeerSummary {
  const all = runs.flatMap(({ results }) => results.filter((result) => result.peer === peer));
  const good = all.filter(({ status }) => status === "ok");
  const bad = all.find(({ status }) => status !== "ok");
  const ratios = runs.flatMap(({ results: [own, ...others] }) => {
    const other = others.find((result) => result.peer === peer);
    return own?.status === "ok" && other?.status === "ok" ? other.median! / own.median! : [];
  });
  const [only] = good;
  const rounds = only && { median: only.median!, low: only.low!, high: only.high! };
  const time = good.length > 1 ? spread(good.map(({ median }) => median!)) : rounds;
  return {
    peer,
    ok: good.length,
    runs: all.length,
    status: bad?.status ?? "ok",
    ...(bad?.reason && { reason: bad.reason }),
    ...(time && { time }),
    ...optional("ratio", ratios),
  };
}

function bestRatio({ results: [own, ...others] }: TaskResult): number | undefined {
  const rivals = others.filter(isRival).map(({ median }) => median!);
  return own?.status === "ok" && rivals.length > 0 ? Math.min(...rivals) / own.median! : undefined;
}

/** Figures by name. */
export function combineFigures(runs: readonly (readonly Figure[])[]): (Omit<Figure, "value"> & { value: Spread })[] {
  const all = runs.flat();
  return distinct(all.map(({ name }) => name)).map((name) => {
    const own = all.filter((figure) => figure.name === name);
    return { name, unit: own[0]!.unit, value: spread(own.map(({ value }) => value)) };
  });
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [below, above] = [sorted[Math.ceil(sorted.length / 2) - 1]!, sorted[Math.floor(sorted.length / 2)]!];
  return { median: (below + above) / 2, low: sorted[0]!, high: sorted.at(-1)! };
}

const optional = <K extends string>(name: K, values: readonly number[]): { [name in K]?: Spread } =>
  values.length > 0 ? ({ [name]: spread(values) } as { [name in K]?: Spread }) : {};

const geometricMean = (values: readonly number[]): number | undefined =>
  values.length < 2 ? undefined : Math.exp(values.reduce((n, value) => n + Math.log(value), 0) / values.length);

const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
