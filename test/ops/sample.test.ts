// Sampling against the reference: what temperature, top-k, top-p and min-p leave, what is drawn from it by the same noise, and the
// log-probabilities that go on record.
import { describe, expect, test } from "vitest";
import { sample, sampleScored } from "../../src/ops/decoding.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { draw, keep } from "../reference/sample.ts";
import { getDevice } from "../setup/gpu.ts";
import { forms } from "../support/forms.ts";
import { pairwise } from "../support/pairwise.ts";
import { integers, normals } from "../support/random.ts";

/** A draw whose winner is nearer to the second than this may go either way in f32. */
const CLOSE = 1e-3;
const BANNED = -1e30;

const cases = pairwise({
  vocabulary: [1, 3, 17, 64, 65, 300, 6000],
  rows: [1, 3],
  temperature: [0.3, 1, 1.7],
  topK: [0, 1, 5, 50],
  topP: [0.3, 0.9, 1],
  minP: [0, 0.05, 0.4],
  filling: ["distinct", "banned", "ties"],
  form: ["workgroup", "subgroups"],
} as const);

test.each(cases.map((c, i) => [JSON.stringify(c), c, i] as const))("%s", async (_, { vocabulary, rows, filling, form, ...settings }, i) => {
  const seed = 1000 + i;
  const logits = normals(rows * vocabulary, i, 3);
  if (filling === "ties") integers(logits.length, { seed: i, low: -2, high: 2 }).forEach((n, at) => (logits[at] = n));
  // The first of each row stays: something must be left to draw.
  if (filling === "banned") logits.forEach((__, at) => at % vocabulary !== 0 && at % 3 === 0 && (logits[at] = BANNED));
  const begin = integers(rows, { seed: i, low: 1, high: 4 });
  const steps = integers(rows, { seed: i + 1, high: 9 });

  const g = new Graph();
  const inputs = {
    logits: g.input("logits", [rows, 1, vocabulary]),
    past: g.input("past", [rows], "i32"),
    begin: g.input("begin", [rows], "i32"),
  };
  const { token, logProbabilities } = sampleScored(g, inputs, { ...settings, seed: "seed" });
  g.output("token", token);
  g.output("log", logProbabilities);
  g.output("alone", sample(g, inputs, { ...settings, seed: "seed" }));
  using run = await Executable.create(await getDevice(), g, { traits: forms[form] });
  expect(run.plan.dispatches[0]!.instance.options).toMatchObject({ subgroups: form === "subgroups" });
  const past = Int32Array.from(begin, (b, r) => b + steps[r]! - 1);
  const got = await run.run({ dims: { seed }, inputs: { logits, past, begin: Int32Array.from(begin) } });
  expect([...got["alone"]!.ints]).toEqual([...got["token"]!.ints]);

  for (let row = 0; row < rows; row++) {
    const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
    const want = draw(own, { ...settings, seed }, { row, step: steps[row]! });
    if (want.margin > CLOSE) expect(got["token"]!.ints[row], `row ${row}`).toBe(want.token);
    const { probabilities, doubtful } = keep(own, settings);
    if (doubtful.size > 0) continue;
    const log = got["log"]!.data.subarray(row * vocabulary, (row + 1) * vocabulary);
    probabilities.forEach((p, id) => {
      if (p === 0) expect(log[id]).toBeLessThanOrEqual(-1e29);
      else expect(Math.abs(Math.exp(log[id]!) - p), `row ${row}, token ${id}`).toBeLessThan(2e-6);
    });
  }
});

describe("the covering", () => {
  test("is no empty one, and most of its draws are beyond doubt", () => {
    expect(cases.length).toBeGreaterThan(25);
    const margins = cases.map(({ vocabulary, ...settings }, i) =>
      draw(normals(vocabulary, i, 3), { ...settings, seed: i }, { row: 0, step: 0 }),
    );
    expect(margins.filter(({ margin }) => margin > CLOSE).length).toBeGreaterThan(0.9 * cases.length);
  });
});
