// Tables of positions against the papers' formulas, written out plainly.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { alibi, fairseqSinusoids, relativeBuckets } from "../../src/nn/position.ts";
import { rotaryAngles, ownAngles, type RopeScaling } from "../../src/nn/rotary.ts";

/** T5's code in f64, for one signed distance of key − query. */
function bucketOf(relative: number, { buckets, maxDistance, bidirectional }: Parameters<typeof relativeBuckets>[1]): number {
  const each = bidirectional ? Math.floor(buckets / 2) : buckets;
  const distance = bidirectional ? Math.abs(relative) : Math.max(0, -relative);
  const first = bidirectional && relative > 0 ? each : 0;
  const exact = Math.floor(each / 2);
  if (distance < exact) return first + distance;
  // On the edge of a bucket f64 may fall below it, as f32 may: a nudge decides for above.
  const large = Math.log(distance / exact) / Math.log(maxDistance / exact) + 1e-9;
  return first + Math.min(each - 1, exact + Math.floor(large * (each - exact)));
}

test.each([
  { buckets: 32, maxDistance: 128, bidirectional: true },
  { buckets: 32, maxDistance: 128, bidirectional: false },
  { buckets: 8, maxDistance: 20, bidirectional: true },
  { buckets: 33, maxDistance: 128, bidirectional: true },
])("T5's buckets: %o", (options) => {
  const rows = 300;
  const got = relativeBuckets(rows, options);
  const gold = Array.from({ length: rows }, (_, d) => [bucketOf(-d, options), bucketOf(d, options)]).flat();
  expect([...got]).toEqual(gold);
});

test("ALiBi's slopes: powers of 2^(-8/heads), and those of twice the heads in between", () => {
  const slopes = (heads: number) => Array.from(alibi(2, heads).subarray(2 * heads, 3 * heads), (x) => -x);
  expect(slopes(8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((i) => 2 ** -i));
  expect(slopes(12).slice(8)).toEqual([0.5, 1.5, 2.5, 3.5].map((i) => Math.fround(2 ** -i)));
  // Nothing at distance 0, and the same before and after the query.
  expect([...alibi(3, 1)]).toEqual([-0, -0, -(2 ** -8), -(2 ** -8), -(2 ** -7), -(2 ** -7)]);
});

test("fairseq's sinusoids end at a frequency of 1/10000 and may begin anywhere", () => {
  const got = fairseqSinusoids(3, 8, 5);
  for (let p = 0; p < 3; p++) {
    expect(got[8 * p]).toBeCloseTo(Math.sin(p + 5), 6);
    expect(got[8 * p + 3]).toBeCloseTo(Math.sin((p + 5) / 10_000), 9);
    expect(got[8 * p + 7]).toBeCloseTo(Math.cos((p + 5) / 10_000), 7);
  }
});

test("scalings by length have angles of a run's own, beyond the length the model was trained at", () => {
  const dynamic: RopeScaling = { type: "dynamic", factor: 2, original: 16 };
  const options = { size: 8, scaling: dynamic };
  expect(ownAngles(options, { prompt: 4, total: 16 })).toBe(false);
  expect(ownAngles(options, { prompt: 4, total: 17 })).toBe(true);
  const plain = rotaryAngles(32, { size: 8 });
  // Tokens that come one by one keep the angles of the length at which each came.
  const grown = rotaryAngles(32, options, { prompt: 4, total: 32 });
  expect([...grown.subarray(0, 16 * 8)]).toEqual([...plain.subarray(0, 16 * 8)]);
  const whole = (length: number) => rotaryAngles(32, options, { prompt: length, total: length });
  expect([...grown.subarray(20 * 8, 21 * 8)]).toEqual([...whole(21).subarray(20 * 8, 21 * 8)]);
  expect(whole(24)[8 + 1]).not.toBe(plain[8 + 1]);
});

interface Angles {
  trained: number;
  positions: number[];
  cases: {
    size: number;
    theta: number;
    scaling: (Record<string, number & number[]> & { rope_type: RopeScaling["type"] }) | null;
    factor: number;
    features: number[];
    /** [position][feature] */
    cos: number[][];
    sin: number[][];
  }[];
  sinusoids: { size: number; rows: number; positions: number[]; every: number; values: number[][] };
}
const angles = JSON.parse(readFileSync(new URL("../packs/angles.json", import.meta.url), "utf8")) as Angles;

test.each(angles.cases.map((c) => [c.scaling?.rope_type ?? "plain", c.size, c] as const))(
  "rotary angles of far positions are Hugging Face's: %s, %i features",
  (_, size, { theta, scaling, factor, features, cos, sin }) => {
    const longest = Math.max(...angles.positions) + 1;
    const raw: Partial<NonNullable<typeof scaling>> = scaling ?? {};
    const options = {
      type: scaling?.rope_type,
      factor: raw["factor"],
      original: raw["original_max_position_embeddings"] ?? angles.trained,
      lowFrequency: raw["low_freq_factor"],
      highFrequency: raw["high_freq_factor"],
      short: raw["short_factor"],
      long: raw["long_factor"],
      betaFast: 32,
      betaSlow: 1,
      truncate: true,
      attentionFactor: factor,
    } as RopeScaling;
    const got = rotaryAngles(longest, { size, theta, ...(scaling && { scaling: options }) }, { prompt: longest, total: longest });
    angles.positions.forEach((position, p) =>
      features.forEach((feature, i) => {
        const at = `feature ${feature} of position ${position}`;
        expect(Math.abs(got[position * size + feature]! - cos[p]![i]!), at).toBeLessThan(1e-6);
        expect(Math.abs(got[position * size + size / 2 + feature]! - sin[p]![i]!), at).toBeLessThan(1e-6);
      }),
    );
  },
);

test("fairseq's sinusoids of far positions are Hugging Face's", () => {
  const { size, rows, positions, every, values } = angles.sinusoids;
  const got = fairseqSinusoids(rows, size, 0);
  positions.forEach((position, p) =>
    values[p]!.forEach((value, i) =>
      expect(Math.abs(got[position * size + every * i]! - value), `feature ${every * i} of position ${position}`).toBeLessThan(1e-6),
    ),
  );
});
