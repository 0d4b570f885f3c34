// Results as pictures: bars per engine and task, our kernels against the roofline, tokens a second over the context.
import { barX, dot, gridX, line, plot, ruleX, text } from "@observablehq/plot";
import type { ResultFile } from "./environment.ts";
import type { DecodeTask } from "./task.ts";

export function plotResults(into: HTMLElement, { tasks, roofline }: ResultFile): void {
  const timed = tasks.flatMap(({ suite, name, results, task }) =>
    results.filter(({ status }) => status === "ok").map((result) => ({ suite, name, task, ...result, median: result.median! })),
  );
  if (timed.length === 0) return;
  const peers = [...new Set(timed.map(({ peer }) => peer))];
  for (const suite of new Set(timed.map((row) => row.suite))) {
    const rows = timed.filter((row) => row.suite === suite);
    into.append(
      plot({
        title: `${suite}: milliseconds, shorter is better`,
        width: 900,
        marginLeft: 90,
        x: { type: "log", label: "ms" },
        y: { label: null, domain: peers },
        fy: { label: null },
        color: { domain: peers, scheme: "Observable10" },
        facet: { data: rows, y: "name", marginRight: 300 },
        marks: [
          gridX(),
          barX(rows, { x1: Math.min(...rows.map(({ median }) => median)) / 2, x2: "median", y: "peer", fill: "peer" }),
          text(rows, {
            x: "median",
            y: "peer",
            text: ({ median }: { median: number }) => median.toPrecision(3),
            dx: 4,
            textAnchor: "start",
          }),
        ],
      }),
    );
  }
  const points = timed.flatMap(({ name, cost, median }) => {
    const bytes = cost && cost.bytesRead + cost.bytesWritten;
    return cost && bytes ? [{ name, intensity: cost.flops / bytes, rate: cost.flops / median / 1e6 }] : [];
  });
  if (points.length > 0) {
    const ridge = roofline.fma / roofline.copy;
    const [from, to] = [0.05, Math.max(...points.map(({ intensity }) => intensity), ridge) * 4];
    const roof = [from, ridge, to].map((intensity) => ({ intensity, rate: Math.min(roofline.fma, roofline.copy * intensity) }));
    into.append(
      plot({
        title: "Our kernels under the roofline: measured copy bandwidth and multiply-add rate, the plan's own bytes and FLOPs",
        width: 900,
        height: 420,
        x: { type: "log", label: "FLOP per byte", grid: true },
        y: { type: "log", label: "GFLOP/s", grid: true },
        marks: [
          line(roof, { x: "intensity", y: "rate" }),
          ruleX([ridge], { strokeDasharray: "3" }),
          dot(points, { x: "intensity", y: "rate", fill: "currentColor" }),
          text(points, { x: "intensity", y: "rate", text: "name", dy: -8 }),
        ],
      }),
    );
  }
  const decoding = timed
    .filter(({ task }) => task.kind === "decode")
    .map(({ task, peer, median }) => {
      const { past, steps, d, layers, weight } = task as DecodeTask;
      return { peer: `${peer}, ${layers} layers of ${d}, ${weight}`, past, rate: (1000 * steps) / median };
    });
  if (decoding.length > 0) {
    into.append(
      plot({
        title: "Tokens a second over the length of the context",
        width: 900,
        x: { label: "tokens before" },
        y: { label: "tokens/s", zero: true, grid: true },
        color: { legend: true },
        marks: [line(decoding, { x: "past", y: "rate", stroke: "peer" }), dot(decoding, { x: "past", y: "rate", fill: "peer" })],
      }),
    );
  }
}
