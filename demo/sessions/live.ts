// A run of the engine as the page shows it.
import type { HeadScale } from "../../src/index.ts";
import type { WorkerAttentions, WorkerRun } from "../../src/worker.ts";
import type { Axes, Head, Kind, Token } from "../maps/data.ts";
import { KINDS } from "../maps/data.ts";
import { type Marks, spellings } from "../maps/tokens.ts";
import type { Holding } from "./holding.ts";
import type { Reading } from "./loaded.ts";
import type { HeadOf, Shown, Step } from "./session.ts";

/** How many of the likeliest tokens are shown at each place. */
export const CANDIDATES = 5;

export interface LiveParts extends Pick<Shown, "input" | "output" | "steps" | "score"> {
  readonly held: Holding;
  readonly attentions: WorkerAttentions;
  /** The run's row. Default 0. */
  readonly row?: number;
  readonly source: readonly Token[];
  readonly target: readonly Token[];
}

/** Maps are read when they are looked at, each at most once. */
export function liveShown({ attentions, held, row = 0, source, target, ...rest }: LiveParts): Shown {
  const reads = new Map<string, Promise<Float32Array>>();
  const axes = (kind: Kind): Axes => {
    const { layers, heads } = attentions[kind]!;
    const [queries, keys] = kind === "encoder" ? [source, source] : [target, kind === "cross" ? source : target];
    return { layers, heads, queries, keys };
  };
  return {
    ...rest,
    valueWeighted: true,
    kinds: KINDS.filter((kind) => attentions[kind]),
    axes,
    read(kind: Kind, { layer, head }: Head, { values = false } = {}) {
      const key = `${kind} ${layer} ${head} ${values}`;
      let read = reads.get(key);
      if (!read) {
        const { queries, keys } = axes(kind);
        const [, , , width] = attentions[kind]!.shape;
        read = held
          .read(() => attentions[kind]!.read({ layer, head, batch: row, values }))
          .then((map) => withoutPadding(map, width, queries.length, keys.length));
        reads.set(key, read);
      }
      return read;
    },
    dispose: () => held.dispose(),
  };
}

/** The first rows and columns of a map that is `width` wide. */
function withoutPadding(map: Float32Array, width: number, rows: number, columns: number): Float32Array {
  if (width === columns) return map.subarray(0, rows * columns);
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) out.set(map.subarray(row * width, row * width + columns), row * columns);
  return out;
}

/** Heads that are off, as the engine takes them. */
export function headScale(off: readonly HeadOf[]): HeadScale {
  return Object.fromEntries(
    KINDS.map((kind) => [kind, off.filter((head) => head.kind === kind)] as const).filter(([, heads]) => heads.length > 0),
  );
}

/** For each row of a run, what was written at each place, how likely it was, and what else was. */
export async function stepsOf(
  run: WorkerRun,
  { tokenizer, head }: Reading,
  marks: Marks,
  written: readonly (readonly number[])[],
): Promise<Step[][]> {
  // Classifiers have logits too, of other things.
  if (!run.logits || (head !== "causal-lm" && head !== "seq2seq-lm")) return written.map(() => []);
  const logits = await run.logits.read();
  const [, places, vocabulary] = run.logits.shape as [number, number, number];
  const found = written.map((ids, row) =>
    ids.map((id, place) => {
      const at = (row * places + place) * vocabulary;
      return { id, ...likeliest(logits.subarray(at, at + vocabulary), id, CANDIDATES) };
    }),
  );
  const text = await spellings(
    tokenizer,
    marks,
    found.flat().flatMap(({ id, candidates }) => [id, ...candidates.map((c) => c.id)]),
  );
  return found.map((steps) =>
    steps.map(({ id, probability, candidates }) => ({ text: text(id), probability, candidates: spelled(candidates, text) })),
  );
}

/** Candidates as they are written. */
export const spelled = (
  candidates: readonly { readonly id: number; readonly probability: number }[],
  text: (id: number) => string,
): NonNullable<Step["candidates"]> => candidates.map(({ id, probability }) => ({ text: text(id), probability }));

/** Softmax of a row of logits, at the token chosen and at the likeliest ones. */
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
