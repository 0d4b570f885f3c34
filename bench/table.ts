// Results as text: one line a task, a column a peer, and how many times faster the first peer is than the best of the others.
import type { Figure, ResultFile } from "./environment.ts";
import type { PeerResult, TaskResult } from "./runner.ts";

export interface Row {
  readonly task: string;
  readonly cells: readonly string[];
  /** Best other WebGPU peer's time over ours; undefined where there is no other. */
  readonly ratio: number | undefined;
  /** GFLOP/s and GB/s of ours, from its plan. */
  readonly rate: string;
}

/** wasm runs on other hardware: it is shown, not counted as a rival. */
const isRival = ({ peer, status }: PeerResult): boolean => status === "ok" && !peer.endsWith("wasm");

export function peersOf(tasks: readonly TaskResult[]): string[] {
  return [...new Set(tasks.flatMap(({ results }) => results.map(({ peer }) => peer)))];
}

export function rowOf({ name, results }: TaskResult, peers: readonly string[]): Row {
  const [own, ...others] = results;
  const rivals = others.filter(isRival).map(({ median }) => median!);
  const ours = own?.status === "ok" ? own.median : undefined;
  return {
    task: name,
    cells: peers.map((peer) => cell(results.find((result) => result.peer === peer))),
    ratio: ours !== undefined && rivals.length > 0 ? Math.min(...rivals) / ours : undefined,
    rate: own ? rate(own) : "",
  };
}

function cell(result: PeerResult | undefined): string {
  if (!result) return "";
  if (result.status === "unsupported") return "–";
  if (result.status !== "ok") return result.status;
  return `${milliseconds(result.median!)} (${milliseconds(result.low!)}–${milliseconds(result.high!)})`;
}

export const milliseconds = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2));

function rate({ cost, median, status }: PeerResult): string {
  if (!cost || status !== "ok") return "";
  return `${(cost.flops / median! / 1e6).toFixed(1)} GFLOP/s, ${((cost.bytesRead + cost.bytesWritten) / median! / 1e6).toFixed(1)} GB/s`;
}

/** Geometric mean of a suite's ratios. */
export function meanRatio(rows: readonly Row[]): number | undefined {
  const ratios = rows.flatMap(({ ratio }) => ratio ?? []);
  return ratios.length === 0 ? undefined : Math.exp(ratios.reduce((n, r) => n + Math.log(r), 0) / ratios.length);
}

export const HEADINGS = ["milliseconds, median (quartiles)", "× best rival", "ours, by its plan"] as const;

/** The whole result as GitHub's tables. */
export function markdown(result: ResultFile): string {
  const suites = [...new Set(result.tasks.map(({ suite }) => suite))];
  const { copy, fma, dispatch } = result.roofline;
  const parts = [
    `${result.adapter.name}, ${result.platform}, ${result.date}. Copy ${copy.toFixed(0)} GB/s, multiply–add ${fma.toFixed(0)} GFLOP/s, dependent dispatch ${dispatch.toFixed(1)} µs.`,
  ];
  for (const suite of suites) {
    const tasks = result.tasks.filter((task) => task.suite === suite);
    const peers = peersOf(tasks);
    const rows = tasks.map((task) => rowOf(task, peers));
    const mean = meanRatio(rows);
    parts.push(
      [
        `| ${[suite, ...peers, ...HEADINGS.slice(1)].join(" | ")} |`,
        `|${"---|".repeat(peers.length + 3)}`,
        ...rows.map(
          ({ task, cells, ratio, rate: r }) => `| ${[task, ...cells, ratio === undefined ? "" : `${ratio.toFixed(2)}×`, r].join(" | ")} |`,
        ),
        ...(mean !== undefined && rows.length > 1
          ? [`| geometric mean | ${peers.map(() => "").join(" | ")} | ${mean.toFixed(2)}× | |`]
          : []),
      ].join("\n"),
    );
    const notes = tasks.flatMap(({ name, results }) =>
      results.filter(({ status }) => status === "failed" || status === "wrong").map((r) => `- ${name}, ${r.peer}: ${r.reason}`),
    );
    if (notes.length > 0) parts.push(notes.join("\n"));
  }
  if (result.figures.length > 0) parts.push(figures(result.figures));
  return parts.join("\n\n");
}

const figures = (list: readonly Figure[]): string =>
  [
    "| figure | value |",
    "|---|---|",
    ...list.map(({ name, value, unit }) => `| ${name} | ${value.toLocaleString("en-US", { maximumFractionDigits: 2 })} ${unit} |`),
  ].join("\n");
