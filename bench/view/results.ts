// A run's results as the page shows them: a section for each suite, then what concerns all of them.
import { combineFigures, combineSuites, type PeerSummary, type SuiteSummary } from "../combine.ts";
import type { Figure, ProfileResult, ResultFile } from "../result.ts";
import type { TaskResult } from "../runner.ts";
import { figureText, milliseconds, ours, PROFILE_HEADINGS, profileRows } from "../table.ts";
import { bars } from "./bars.ts";
import { tokensOverContext } from "./context.ts";
import { type Cell, element, section, table } from "./elements.ts";
import { roof, roofPoints } from "./roof.ts";

/** While it runs: the tables so far. */
export function showTasks(into: HTMLElement, tasks: readonly TaskResult[]): void {
  into.replaceChildren(...combineSuites([tasks]).map((suite) => section(suite.suite, suite.suite, suiteTable(suite))));
}

export function showResult(into: HTMLElement, { tasks, roofline, figures, profiles }: ResultFile): void {
  const width = Math.min(860, into.clientWidth);
  const suites = combineSuites([tasks]);
  const points = roofPoints(
    suites.flatMap((suite) => suite.tasks),
    roofline,
  );
  const overContext = tokensOverContext(tasks, width);
  into.replaceChildren(
    ...suites.map((suite) => section(suite.suite, suite.suite, suiteTable(suite), bars(suite, width))),
    ...(overContext ? [section("context", "Tokens a second over the length of the context", overContext)] : []),
    ...(points.length > 0
      ? [
          section(
            "roof",
            "Our kernels under the roofline",
            element(
              "p",
              {},
              `The plan's own bytes and FLOPs against what was measured: copies of ${roofline.copy.toFixed(0)} GB/s, ${roofline.fma.toFixed(0)} GFLOP/s of multiply–adds; a dependent dispatch takes ${roofline.dispatch.toFixed(1)} µs.`,
            ),
            roof(points, roofline, width),
            table(
              ["kernel", "FLOP per byte", "GFLOP/s", "of the roof"],
              points.map(({ number, name, intensity, rate: gflops, share }) => [
                `${number}. ${name}`,
                intensity.toFixed(1),
                gflops.toFixed(1),
                `${(100 * share).toFixed(0)} %`,
              ]),
            ),
          ),
        ]
      : []),
    ...(figures.length > 0 ? [figureSection(figures)] : []),
    ...(profiles.length > 0 ? [profileSection(profiles)] : []),
  );
}

function suiteTable(summary: SuiteSummary): HTMLElement {
  const { peers, tasks, mean } = summary;
  const { headings, cells } = ours(summary);
  const rows: Cell[][] = tasks.map((task) => [
    task.name,
    ...peers.map((peer) => cell(task.peers.find((own) => own.peer === peer))),
    ...cells(task),
  ]);
  if (mean) rows.push(["geometric mean", ...peers.map(() => ""), ...cells({ ratio: mean })]);
  return table(["task", ...peers, ...headings], rows);
}

function cell(summary: PeerSummary | undefined): Cell {
  if (!summary) return "";
  const { time, status, reason } = summary;
  if (!time) return { content: [status === "unsupported" ? "–" : status], ...(reason && { title: reason }) };
  const quartiles = `${milliseconds(time.low)}–${milliseconds(time.high)}`;
  return { content: [milliseconds(time.median), element("small", {}, quartiles)], title: `median of the rounds; quartiles ${quartiles}` };
}

const figureSection = (figures: readonly Figure[]): HTMLElement =>
  section(
    "figures",
    "Figures",
    table(
      ["figure", "value"],
      combineFigures([figures]).map((figure) => [figure.name, figureText(figure)]),
    ),
  );

const profileSection = (profiles: readonly ProfileResult[]): HTMLElement =>
  section(
    "profiles",
    "Where GPU time goes",
    element("p", {}, profiles[0]!.caveats),
    ...profiles.flatMap(({ name, dispatches, micros, kernels, modules }) => [
      element("h3", {}, `${name}: ${dispatches} dispatches, ${milliseconds(micros / 1000)} ms`),
      table(["kernel", ...PROFILE_HEADINGS], profileRows(kernels)),
      table(["module", ...PROFILE_HEADINGS], profileRows(modules)),
    ]),
  );
