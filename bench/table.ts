// Results as text: one line a task, a column an engine, and how many times faster ours is than the best of the others.
import { combineFigures, combineSuites, type PeerSummary, type Spread, spread, type SuiteSummary, type TaskSummary } from "./combine.ts";
import type { Figure, ProfileResult, ResultFile } from "./result.ts";

/** Rows of a profile that are written out; the others are one. */
const PROFILE_ROWS = 10;

/** Runs on one adapter as a chapter with GitHub's tables. */
export function markdown(runs: readonly ResultFile[]): string {
  const suites = combineSuites(runs.map(({ tasks }) => tasks));
  const figures = combineFigures(runs.map(({ figures: own }) => own));
  const profiles = runs.findLast((run) => run.profiles.length > 0)?.profiles ?? [];
  return [
    heading(runs),
    ...suites.flatMap(suiteTable),
    ...(figures.length > 0 ? [figureTable(figures)] : []),
    ...profileTables(profiles),
  ].join("\n\n");
}

function heading(runs: readonly ResultFile[]): string {
  const { adapter, platform } = runs[0]!;
  const dates = [...new Set(runs.map(({ date, revision }) => (revision ? `${date} at ${revision}` : date)))];
  const device = (pick: (run: ResultFile) => number, digits: number) => spread(runs.map(pick)).median.toFixed(digits);
  const medians =
    runs.length > 1
      ? `Medians of ${runs.length} runs, the lowest and highest in brackets`
      : "Medians of one run, its quartiles in brackets";
  return `## ${adapter.name}, ${platform}

${dates.join(", ")}. ${medians}. Copy ${device(({ roofline }) => roofline.copy, 0)} GB/s, multiply–add ${device(({ roofline }) => roofline.fma, 0)} GFLOP/s, dependent dispatch ${device(({ roofline }) => roofline.dispatch, 1)} µs.`;
}

function suiteTable(summary: SuiteSummary): string[] {
  const { suite, peers, tasks, mean } = summary;
  const { headings, cells } = ours(summary);
  const rows = tasks.map((task) => [task.name, ...peers.map((peer) => cell(task.peers.find((own) => own.peer === peer))), ...cells(task)]);
  if (mean) rows.push(["geometric mean", ...peers.map(() => ""), ...cells({ ratio: mean })]);
  const table = tableOf([suite, ...peers, ...headings], rows);
  const notes = tasks.flatMap(({ name, peers: own }) =>
    own
      .filter(({ status }) => status === "failed" || status === "wrong")
      .map((p) => `- ${name}, ${p.peer}: ${p.status}${p.runs > 1 ? ` in ${p.runs - p.ok} of ${p.runs} runs` : ""}, ${p.reason}`),
  );
  return notes.length > 0 ? [table, notes.join("\n")] : [table];
}

/** The last columns: how we stand to the best rival, and what our plan makes of our time. Those that nothing stands in are left out. */
export function ours({ tasks }: SuiteSummary): {
  readonly headings: readonly string[];
  readonly cells: (row: Partial<TaskSummary>) => string[];
} {
  const columns = [
    { heading: "× best rival", cell: ({ ratio }: Partial<TaskSummary>) => (ratio ? times(ratio) : "") },
    { heading: "ours, by its plan", cell: rate },
  ].filter((column) => tasks.some((task) => column.cell(task) !== ""));
  return { headings: columns.map(({ heading }) => heading), cells: (row) => columns.map((column) => column.cell(row)) };
}

/** "3604 (2904–3763), 6.9×": time, how it spreads, and how many times ours. */
function cell(summary: PeerSummary | undefined): string {
  if (!summary) return "";
  const { time, ratio, status } = summary;
  if (!time) return status === "unsupported" ? "–" : status;
  return `${milliseconds(time.median)} (${milliseconds(time.low)}–${milliseconds(time.high)})${ratio ? `, ${factor(ratio.median)}×` : ""}`;
}

export const milliseconds = (ms: number): string => (ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2));

const factor = (ratio: number): string => (ratio >= 9.95 ? ratio.toFixed(0) : ratio.toFixed(1));

/** "6.85× (5.40–7.10)"; of one run "6.85×". */
const times = ({ median, low, high }: Spread): string =>
  low === high ? `${median.toFixed(2)}×` : `${median.toFixed(2)}× (${low.toFixed(2)}–${high.toFixed(2)})`;

/** GFLOP/s and GB/s of ours. */
function rate({ cost, peers: [own] = [] }: Partial<TaskSummary>): string {
  if (!cost || !own?.time) return "";
  const { median } = own.time;
  return `${(cost.flops / median / 1e6).toFixed(1)} GFLOP/s, ${((cost.bytesRead + cost.bytesWritten) / median / 1e6).toFixed(1)} GB/s`;
}

const amount = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: 2 });

export const figureText = ({ value: { median, low, high }, unit }: { value: Spread; unit: Figure["unit"] }): string =>
  `${amount(median)}${low === high ? "" : ` (${amount(low)}–${amount(high)})`} ${unit}`.trimEnd();

const figureTable = (figures: ReturnType<typeof combineFigures>): string =>
  tableOf(
    ["figure", "value"],
    figures.map((figure) => [figure.name, figureText(figure)]),
  );

function profileTables(profiles: readonly ProfileResult[]): string[] {
  const tables = profiles.flatMap((profile) => [
    `**${profile.name}**: ${profile.dispatches} dispatches, ${milliseconds(profile.micros / 1000)} ms.`,
    ...(["kernel", "module"] as const).map((by) => tableOf([by, ...PROFILE_HEADINGS], profileRows(profile[`${by}s`]))),
  ]);
  return profiles.length > 0 ? [`**Where GPU time goes.** ${profiles[0]!.caveats}`, ...tables] : [];
}

export const PROFILE_HEADINGS = ["dispatches", "µs", "share", "GFLOP/s", "GB/s"] as const;

export function profileRows(rows: ProfileResult["kernels"]): string[][] {
  const shown = rows.slice(0, rows.length > PROFILE_ROWS + 1 ? PROFILE_ROWS : undefined);
  const rest = rows.slice(shown.length);
  const total = (pick: (row: (typeof rows)[number]) => number) => rest.reduce((n, row) => n + pick(row), 0);
  const share = (value: number) => `${(100 * value).toFixed(1)} %`;
  return [
    ...shown.map((row) => [
      // "|" would end a cell; a space lets long names break.
      row.name.replaceAll(/[,|]/g, ", "),
      String(row.dispatches),
      row.micros.toFixed(0),
      share(row.share),
      row.gflops.toFixed(1),
      row.gbps.toFixed(1),
    ]),
    ...(rest.length > 0
      ? [
          [
            `${rest.length} others`,
            String(total((row) => row.dispatches)),
            total((row) => row.micros).toFixed(0),
            share(total((row) => row.share)),
            "",
            "",
          ],
        ]
      : []),
  ];
}

const tableOf = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [`| ${headings.join(" | ")} |`, `|${"---|".repeat(headings.length)}`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
