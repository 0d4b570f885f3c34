// Our kernels under the roofline: the plan's own bytes and FLOPs against the device's measured copy bandwidth and rate of
// multiply–adds. Points have numbers; the table beside says what they are and how near the roof.
import { dot, line, plot, ruleX, text } from "@observablehq/plot";
import type { TaskSummary } from "../combine.ts";
import type { Roofline } from "../roofline.ts";
import { logTicks } from "./ticks.ts";

export interface RoofPoint {
  readonly number: number;
  readonly name: string;
  /** FLOP per byte. */
  readonly intensity: number;
  /** GFLOP/s. */
  readonly rate: number;
  /** Of what the roof allows. */
  readonly share: number;
}

export function roofPoints(tasks: readonly TaskSummary[], roofline: Roofline): RoofPoint[] {
  const points = tasks.flatMap(({ name, cost, peers: [own] }) => {
    const bytes = cost ? cost.bytesRead + cost.bytesWritten : 0;
    if (!cost || bytes === 0 || cost.flops === 0 || !own?.time) return [];
    const [intensity, rate] = [cost.flops / bytes, cost.flops / own.time.median / 1e6];
    return [{ name, intensity, rate, share: rate / roofOf(roofline, intensity) }];
  });
  return points.map((point, i) => ({ number: i + 1, ...point }));
}

const roofOf = ({ fma, copy }: Roofline, intensity: number): number => Math.min(fma, copy * intensity);

export function roof(points: readonly RoofPoint[], roofline: Roofline, width: number): Element | undefined {
  if (points.length === 0) return undefined;
  const ridge = roofline.fma / roofline.copy;
  const intensities = points.map(({ intensity }) => intensity);
  const edges = [Math.min(...intensities, ridge) / 2, ridge, Math.max(...intensities, ridge) * 2];
  return plot({
    width,
    height: Math.min(420, Math.max(280, width * 0.55)),
    marginLeft: 48,
    marginBottom: 40,
    x: { type: "log", label: "FLOP per byte", grid: true, tickFormat: logTicks(intensities) },
    y: { type: "log", label: "GFLOP/s", grid: true, tickFormat: logTicks(points.map(({ rate }) => rate)) },
    marks: [
      line(
        edges.map((intensity) => ({ intensity, rate: roofOf(roofline, intensity) })),
        { x: "intensity", y: "rate" },
      ),
      ruleX([ridge], { strokeDasharray: "3" }),
      dot(points, { x: "intensity", y: "rate", fill: "var(--ours)", r: 8 }),
      text(points, { x: "intensity", y: "rate", text: ({ number }: RoofPoint) => String(number), fill: "white", fontWeight: 600 }),
    ],
  }) as Element;
}
