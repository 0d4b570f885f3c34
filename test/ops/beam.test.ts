// A step of beam search on the GPU against a plain model of it, over many steps on state that stays there: what is selected,
// what is recorded, and that histories and key tables follow the beams. Scores are f32 sums, so all must be equal.
import { describe, expect, test } from "vitest";
import { MAX_BEAMS } from "../../shaders/max-beams.ts";
import { beamStep } from "../../src/ops/decoding.ts";
import { topK } from "../../src/ops/vocabulary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { topK as topKReference } from "../reference/topk.ts";
import { getDevice } from "../setup/gpu.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";

interface Sizes {
  readonly items: number;
  readonly beams: number;
  /** Candidates recorded per item. */
  readonly k: number;
  readonly vocabulary: number;
  readonly capacity: number;
  /** Steps that the record has room for. */
  readonly steps: number;
}

interface State {
  past: number[];
  ids: number[];
  scores: Float32Array;
  history: number[];
  table: number[];
  candidates: Int32Array;
}

const NO_TOKEN = 0x7fffffff;
const LEAST = Math.fround(-3.4e38);
const bits = (x: number): number => new Int32Array(Float32Array.of(x).buffer)[0]!;

/** The next state, as shaders/beam-select.ts and beam-move.ts describe it. */
function model(state: State, log: Float32Array, begin: readonly number[], eos: readonly number[], sizes: Sizes): State {
  const { items, beams, k, vocabulary, capacity, steps } = sizes;
  const next: State = {
    past: state.past.map((p) => p + 1),
    ids: [...state.ids],
    scores: state.scores.slice(),
    history: [...state.history],
    table: [...state.table],
    candidates: state.candidates.slice(),
  };
  for (let item = 0; item < items; item++) {
    const first = item * beams;
    const all = Array.from({ length: beams }, (_, beam) => {
      const row = first + beam;
      const best = topKReference(log.subarray(row * vocabulary, (row + 1) * vocabulary), k);
      const padding = Array.from({ length: k - best.length }, () => ({ index: NO_TOKEN, value: LEAST }));
      return [...best, ...padding].map(({ index: token, value }) => ({
        beam,
        token,
        score: Math.max(Math.fround(value + state.scores[row]!), LEAST),
      }));
    }).flat();
    // Stable: of equal scores the lower beam's, and of one beam's the lower token.
    const best = all.toSorted((a, b) => b.score - a.score).slice(0, k);
    const step = Math.min(state.past[first]! + 1 - begin[first]!, steps - 1);
    best.forEach(({ beam, token, score }, rank) => next.candidates.set([beam, token, bits(score)], ((step * items + item) * k + rank) * 3));
    const going = best.filter(({ token }) => !eos.includes(token)).slice(0, beams);
    expect(going).toHaveLength(beams);
    const position = state.past[first]! + 1;
    for (const [b, { beam, token, score }] of going.entries()) {
      const [to, from] = [(first + b) * capacity, (first + beam) * capacity];
      for (let j = 0; j < Math.min(position, capacity); j++) {
        next.history[to + j] = state.history[from + j]!;
        next.table[to + j] = state.table[from + j]!;
      }
      if (position < capacity) [next.history[to + position], next.table[to + position]] = [token, first + b];
      next.ids[first + b] = token;
      next.scores[first + b] = score;
    }
  }
  return next;
}

async function session({ items, beams, k, vocabulary, capacity, steps }: Sizes, eosCount: number): Promise<Executable> {
  const rows = items * beams;
  const g = new Graph();
  const state = {
    past: g.state("past", [rows], "i32"),
    scores: g.state("scores", [rows]),
    ids: g.state("ids", [rows, 1], "i32"),
    history: g.state("history", [rows, capacity], "i32"),
    table: g.state("table", [rows, capacity], "u32"),
    candidates: g.state("candidates", [steps, items, k, 3], "i32"),
  };
  const inputs = { eos: g.input("eos", [eosCount], "i32"), begin: g.input("begin", [rows], "i32") };
  beamStep(g, { best: topK(g, g.input("log", [rows, vocabulary]), k), ...inputs, ...state }, { beams, k });
  for (const [name, value] of Object.entries(state)) g.output(name, value);
  return Executable.create(await getDevice(), g);
}

/** Log-probabilities of a step. */
type Draw = (count: number, seed: number) => Float32Array<ArrayBuffer>;
const draws = {
  distinct: (count, seed) => normals(count, seed, 4).map((x) => -Math.abs(x)),
  // Sums of quarters are exact: many candidates tie, within a beam and between them.
  ties: (count, seed) => Float32Array.from(integers(count, { seed, low: -6, high: 0 }), (x) => x / 4),
  // Suppressed tokens have −1e30, which any score disappears in.
  banned: (count, seed) => normals(count, seed).map((x) => (x < 0 ? -1e30 : -x)),
  // Sums of these would overflow.
  least: (count) => new Float32Array(count).fill(LEAST),
} as const satisfies Record<string, Draw>;

interface Case extends Omit<Sizes, "k"> {
  readonly eos: readonly number[];
  readonly draw: keyof typeof draws;
  readonly prompt: number;
  readonly rounds: number;
}

async function check({ eos, draw, prompt, rounds, ...rest }: Case, seed: number): Promise<void> {
  const { items, beams, vocabulary, capacity, steps } = rest;
  const sizes = { ...rest, k: Math.max(2, 1 + eos.length) * beams };
  const rows = items * beams;
  using run = await session(sizes, eos.length);
  // Items have prompts of their own length, and table and history something in every place.
  const begin = integers(items, { seed, low: Math.max(1, prompt - 3), high: prompt + 1 }).flatMap((n) => Array<number>(beams).fill(n));
  let gold: State = {
    past: begin.map((n) => n - 1),
    ids: integers(rows, { seed: seed + 1, high: vocabulary }),
    scores: Float32Array.from({ length: rows }, (_, r) => (r % beams === 0 ? 0 : -1e9)),
    history: integers(rows * capacity, { seed: seed + 2, high: vocabulary }),
    table: integers(rows * capacity, { seed: seed + 3, high: rows }),
    candidates: new Int32Array(steps * items * sizes.k * 3).fill(-7),
  };
  for (let round = 0; round < rounds; round++) {
    const log = draws[draw](rows * vocabulary, seed + 10 + round);
    const first = round === 0 && {
      past: Int32Array.from(gold.past),
      ids: Int32Array.from(gold.ids),
      scores: Float32Array.from(gold.scores),
      history: Int32Array.from(gold.history),
      table: Uint32Array.from(gold.table),
      candidates: Int32Array.from(gold.candidates),
    };
    const got = await run.run({ inputs: { log, eos: Int32Array.from(eos), begin: Int32Array.from(begin), ...first } });
    gold = model(gold, log, begin, eos, sizes);
    for (const name of ["past", "ids", "history", "table", "candidates"] as const)
      expect([...got[name]!.ints], `${name}, step ${round}`).toEqual([...gold[name]]);
    expect(got["scores"]!.data, `scores, step ${round}`).toEqual(gold.scores);
  }
}

const cases = pairwise(
  {
    beams: [1, 2, 3, 4, 5, 6, 7, 8],
    items: [1, 3, 17],
    vocabulary: [4, 17, 65, 130],
    eos: [[-1], [2], [0, 3], [0, 1, 2]],
    draw: ["distinct", "ties", "banned", "least"],
    // Past a workgroup's 64 positions too.
    prompt: [1, 3, 70],
    // More steps than the record or the caches have room for: what runs ahead of the end must do no harm.
    steps: [3, 8],
    room: [2, 8],
  },
  // As many candidates as beams must be left, whatever ends.
  ({ vocabulary, eos }) => vocabulary > eos.length,
);

describe("a few steps", () => {
  test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", (_, { room, ...c }, i) =>
    check({ ...c, capacity: c.prompt + room, rounds: 5 }, 100 * i),
  );
});

test.each([
  [65, 3, 3],
  [1, MAX_BEAMS, 1],
])("%i items of %i beams", (items, beams, rounds) =>
  check({ items, beams, rounds, vocabulary: 33, capacity: 9, steps: 4, eos: [1], draw: "distinct", prompt: 2 }, beams),
);
