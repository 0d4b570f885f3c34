// Tokens a second over the length of the context, a line for each engine and model.
import { dot, line, plot } from "@observablehq/plot";
import type { TaskResult } from "../runner.ts";
import { logTicks } from "./ticks.ts";

interface Point {
  readonly engine: string;
  readonly past: number;
  readonly rate: number;
}

export function tokensOverContext(tasks: readonly TaskResult[], width: number): Element | undefined {
  const decoding = tasks.flatMap(({ task, results }) => (task.kind === "decode" ? [{ task, results }] : []));
  const models = new Set(decoding.map(({ task }) => `${task.layers} ${task.d} ${task.weight}`));
  const points = decoding.flatMap(({ task, results }) => {
    const { past, steps, layers, d, weight } = task;
    const model = models.size > 1 ? `, ${layers} × ${d} ${weight}` : "";
    return results.flatMap(({ peer, status, median }): Point[] =>
      status === "ok" ? [{ engine: `${peer}${model}`, past, rate: (1000 * steps) / median! }] : [],
    );
  });
  const pasts = [...new Set(points.map(({ past }) => past))];
  if (pasts.length < 2) return undefined;
  return plot({
    width,
    height: Math.min(420, Math.max(280, width * 0.55)),
    marginLeft: 48,
    marginBottom: 40,
    // From 0 on, and doubling.
    x: { type: "symlog", constant: 64, label: "tokens before, log scale", ticks: pasts, tickFormat: (past: number) => String(past) },
    y: { type: "log", label: "tokens/s, log scale", grid: true, tickFormat: logTicks(points.map(({ rate }) => rate)) },
    color: { legend: true, scheme: "Observable10", domain: [...new Set(points.map(({ engine }) => engine))] },
    marks: [
      line(points, { x: "past", y: "rate", stroke: "engine", strokeWidth: 2 }),
      dot(points, { x: "past", y: "rate", fill: "engine" }),
    ],
  }) as Element;
}
