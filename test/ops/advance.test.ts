// The end of a greedy or sampling step: what is emitted, written to the history and fed to the next step, over many steps.
import { expect, test } from "vitest";
import { advance } from "../../src/ops/decoding.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { integers } from "../support/random.ts";

const PAD = 7;
const VOCABULARY = 9;

async function session(rows: number, eos: readonly number[], { steps, capacity }: { steps: number; capacity: number }) {
  const g = new Graph();
  const i32 = (name: string, shape: readonly number[]) => g.state(name, shape, "i32");
  const state = {
    ids: i32("ids", [rows, 1]),
    past: i32("past", [rows]),
    history: i32("history", [rows, capacity]),
    finished: i32("finished", [rows]),
    emitted: i32("emitted", [steps, rows]),
  };
  const inputs = {
    token: g.input("token", [rows], "i32"),
    eos: g.input("eos", [eos.length], "i32"),
    begin: g.input("begin", [rows], "i32"),
  };
  advance(g, { ...inputs, ...state }, { pad: PAD });
  for (const [name, value] of Object.entries(state)) g.output(name, value);
  return Executable.create(await getDevice(), g);
}

test.each([
  [1, [2]],
  [3, [2]],
  [65, [2]],
  [130, [0, 4, 8]],
  [17, [-1]],
])("%i rows, ended by %j", async (rows, eos) => {
  // More steps than the record and the history have room for: what runs ahead of the end must do no harm.
  const [steps, capacity, rounds] = [9, 12, 13];
  using run = await session(rows, eos, { steps, capacity });
  const begin = integers(rows, { seed: 1, low: 1, high: 5 });
  const gold = {
    ids: new Int32Array(rows).fill(5),
    past: Int32Array.from(begin, (n) => n - 1),
    history: Int32Array.from(integers(rows * capacity, { seed: 2, high: VOCABULARY })),
    finished: new Int32Array(rows),
    emitted: new Int32Array(steps * rows).fill(-5),
  };
  for (let step = 0; step < rounds; step++) {
    const token = integers(rows, { seed: 10 + step, high: VOCABULARY });
    const got = await run.run({
      inputs: { token: Int32Array.from(token), eos: Int32Array.from(eos), begin: Int32Array.from(begin), ...(step === 0 && gold) },
    });
    for (let r = 0; r < rows; r++) {
      const chosen = gold.finished[r] ? PAD : token[r]!;
      if (step < steps) gold.emitted[step * rows + r] = chosen;
      if (eos.includes(chosen) && !gold.finished[r]) gold.finished[r] = 1;
      gold.past[r]!++;
      if (gold.past[r]! < capacity) gold.history[r * capacity + gold.past[r]!] = chosen;
      gold.ids[r] = chosen;
    }
    for (const [name, want] of Object.entries(gold)) expect([...got[name]!.ints], `${name}, step ${step}`).toEqual([...want]);
  }
  if (eos[0] !== -1) expect(gold.finished.some((f) => f === 1)).toBe(true);
});

test("padding that is an end token itself ends nothing anew", async () => {
  using run = await session(2, [PAD], { steps: 2, capacity: 4 });
  const inputs = { eos: Int32Array.of(PAD), begin: Int32Array.of(1, 1) };
  await run.run({ inputs: { ...inputs, token: Int32Array.of(PAD, 3) } });
  const got = await run.run({ inputs: { ...inputs, token: Int32Array.of(4, PAD) } });
  expect([...got["finished"]!.ints]).toEqual([1, 1]);
});
