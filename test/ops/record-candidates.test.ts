// The record of a step: the chosen token and the best, with their log-probabilities, at the row's step.
import { expect, test } from "vitest";
import { recordCandidates } from "../../src/ops/decoding.ts";
import { topK } from "../../src/ops/vocabulary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { topK as topKReference } from "../reference/topk.ts";
import { getDevice } from "../setup/gpu.ts";
import { integers, normals } from "../support/random.ts";

test.each([
  [1, 3, 1],
  [3, 65, 5],
  [17, 20, 16],
  // Fewer tokens than candidates: the rest has a score that no token has.
  [2, 3, 5],
])("%i rows of %i tokens, %i candidates", async (rows, vocabulary, k) => {
  const steps = 4;
  const g = new Graph();
  const logits = g.input("logits", [rows, 1, vocabulary]);
  const record = g.state("record", [steps, rows, 1 + k, 2], "i32");
  const i32 = (name: string) => g.input(name, [rows], "i32");
  recordCandidates(g, {
    token: i32("token"),
    best: topK(g, logits, k),
    logProbabilities: g.input("log", [rows, 1, vocabulary]),
    past: i32("past"),
    begin: i32("begin"),
    record,
  });
  g.output("record", record);
  using run = await Executable.create(await getDevice(), g);
  const begin = integers(rows, { seed: 1, low: 1, high: 5 });
  const gold = new Int32Array(steps * rows * (1 + k) * 2).fill(-7);
  const bits = new Int32Array(new Float32Array([-1e30]).buffer)[0]!;
  // One step more than there is room for: what runs ahead of the end must do no harm.
  for (let step = 0; step <= steps; step++) {
    const [x, log] = [normals(rows * vocabulary, 2 * step), normals(rows * vocabulary, 2 * step + 1)];
    const token = integers(rows, { seed: step + 9, high: vocabulary });
    const past = begin.map((b) => b + step - 1);
    const ints = { token: Int32Array.from(token), past: Int32Array.from(past), begin: Int32Array.from(begin) };
    const got = await run.run({ inputs: { logits: x, log, ...ints, ...(step === 0 && { record: gold.slice() }) } });
    const logBits = new Int32Array(log.buffer);
    for (let r = 0; r < rows && step < steps; r++) {
      const best = topKReference(x.subarray(r * vocabulary, (r + 1) * vocabulary), k).map(({ index }) => index);
      const ids = [token[r]!, ...best, ...Array.from({ length: Math.max(0, k - vocabulary) }, () => 0x7fffffff)];
      const pairs = ids.flatMap((id) => [id, id < vocabulary ? logBits[r * vocabulary + id]! : bits]);
      gold.set(pairs, (step * rows + r) * (1 + k) * 2);
    }
    expect([...got["record"]!.ints], `step ${step}`).toEqual([...gold]);
  }
});
