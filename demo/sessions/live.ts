// A run of the engine as the page shows it.
import type { Attentions, Run } from "../../src/index.ts";
import type { Axes, Head, Kind, Token } from "../maps/data.ts";
import { KINDS } from "../maps/data.ts";
import type { Shown, Step } from "./session.ts";

export interface LiveParts {
  readonly attentions: Attentions;
  readonly input: string;
  readonly output: string;
  readonly steps: readonly Step[];
  readonly source: readonly Token[];
  readonly target: readonly Token[];
  readonly dispose: () => void;
}

/** Maps are read when they are looked at, each at most once. */
export function liveShown({ attentions, input, output, steps, source, target, dispose }: LiveParts): Shown {
  const reads = new Map<string, Promise<Float32Array>>();
  return {
    input,
    output,
    steps,
    kinds: KINDS.filter((kind) => attentions[kind]),
    axes(kind): Axes {
      const { layers, heads } = attentions[kind]!;
      const [queries, keys] = kind === "encoder" ? [source, source] : [target, kind === "cross" ? source : target];
      return { layers, heads, queries, keys };
    },
    read(kind: Kind, { layer, head }: Head, { values = false } = {}) {
      const key = `${kind} ${layer} ${head} ${values}`;
      let read = reads.get(key);
      if (!read) {
        read = attentions[kind]!.read({ layer, head });
        reads.set(key, read);
      }
      return read;
    },
    dispose,
  };
}

/** log Σ exp of a row of logits, and the probabilities of the likeliest tokens. */
export function likeliest(
  logits: Float32Array,
  chosen: number,
  count: number,
): { probability: number; candidates: { id: number; probability: number }[] } {
  const largest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const total = logits.reduce((n, x) => n + Math.exp(x - largest), 0);
  const probability = (id: number) => Math.exp(logits[id]! - largest) / total;
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    if (best.length === count && logits[id]! <= logits[best[count - 1]!]!) continue;
    const at = best.findIndex((other) => logits[other]! < logits[id]!);
    best.splice(at < 0 ? best.length : at, 0, id);
    best.length = Math.min(best.length, count);
  }
  return { probability: probability(chosen), candidates: best.map((id) => ({ id, probability: probability(id) })) };
}

/** Rows of a run's logits, [1, rows, vocabulary]. */
export async function logitRows(run: Run): Promise<Float32Array[]> {
  const { logits } = run;
  if (!logits) return [];
  const all = await logits.read();
  const [, rows, vocabulary] = logits.shape as [number, number, number];
  return Array.from({ length: rows }, (_, row) => all.subarray(row * vocabulary, (row + 1) * vocabulary));
}
