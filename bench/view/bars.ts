// Milliseconds as bars: tasks one below the other, a bar for each engine.
import { axisX, barX, gridX, plot, text } from "@observablehq/plot";
import type { SuiteSummary } from "../combine.ts";
import { milliseconds } from "../table.ts";
import { logTicks } from "./ticks.ts";

const [BAR, TITLE, AXIS] = [17, 22, 34];

interface Bar {
  readonly task: string;
  readonly peer: string;
  readonly ms: number;
}

export function bars({ peers, tasks }: SuiteSummary, width: number): Element | undefined {
  const rows = tasks.flatMap(({ name, peers: own }) =>
    own.flatMap(({ peer, time }): Bar[] => (time ? [{ task: name, peer, ms: time.median }] : [])),
  );
  if (rows.length === 0) return undefined;
  const names = tasks.map(({ name }) => name);
  // Bars of a log scale begin anywhere: half a decade before the shortest.
  const least = Math.min(...rows.map(({ ms }) => ms)) / 3;
  return plot({
    width,
    height: names.length * (TITLE + peers.length * BAR) + AXIS,
    marginLeft: 24 + 6.5 * Math.max(...peers.map((peer) => peer.length)),
    marginRight: 48,
    marginTop: 0,
    marginBottom: AXIS,
    x: { type: "log", label: "ms, log scale" },
    y: { label: null, domain: peers, insetTop: TITLE, padding: 0.15 },
    fy: { axis: null, domain: names, padding: 0 },
    marks: [
      gridX(),
      axisX({ tickFormat: logTicks(rows.map(({ ms }) => ms)) }),
      barX(rows, {
        fy: "task",
        x1: least,
        x2: "ms",
        y: "peer",
        fill: ({ peer }: Bar) => (peer === "fovea" ? "var(--ours)" : "var(--theirs)"),
      }),
      text(rows, { fy: "task", x: "ms", y: "peer", text: ({ ms }: Bar) => milliseconds(ms), dx: 4, textAnchor: "start" }),
      text(names, { fy: (name: string) => name, text: (name: string) => name, frameAnchor: "top-left", dy: 6, fontWeight: 600 }),
    ],
  }) as Element;
}
