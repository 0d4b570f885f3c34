// Positions computed on the host in f64: sinusoids, and biases by distance. A shader's sin of a large angle is not to be trusted.

/** Sinusoidal positions as in the paper: sin and cos of one angle side by side (Vaswani et al. 2017). [rows, features] */
export function sinusoids(rows: number, features: number, base = 10_000): Float32Array<ArrayBuffer> {
  return table(rows, features, base, (pair) => [2 * pair, 2 * pair + 1]);
}

/** The same with all sines first, then all cosines: Marian, Pegasus. [rows, features] */
export function sinusoidHalves(rows: number, features: number, base = 10_000): Float32Array<ArrayBuffer> {
  const sines = Math.ceil(features / 2);
  return table(rows, features, base, (pair) => [pair, sines + pair]);
}

function table(
  rows: number,
  features: number,
  base: number,
  columns: (pair: number) => readonly [number, number],
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(rows * features);
  for (let p = 0; p < rows; p++) {
    for (let pair = 0; 2 * pair < features; pair++) {
      const angle = p / base ** ((2 * pair) / features);
      const [sine, cosine] = columns(pair);
      out[p * features + sine] = Math.sin(angle);
      // An odd width has no cosine for its last angle.
      if (2 * pair + 1 < features) out[p * features + cosine] = Math.cos(angle);
    }
  }
  return out;
}

/**
 * T5's relative positions (Raffel et al. 2020): the bucket of each distance of key and query, exact while short, then growing with the
 * logarithm up to `maxDistance`.
 * @returns [rows, 2]: for keys that many positions before the query, and after it
 */
export function relativeBuckets(
  rows: number,
  { buckets, maxDistance, bidirectional }: { readonly buckets: number; readonly maxDistance: number; readonly bidirectional: boolean },
): Int32Array<ArrayBuffer> {
  const each = bidirectional ? Math.floor(buckets / 2) : buckets;
  const exact = Math.floor(each / 2);
  const bucket = (distance: number) => {
    if (distance < exact) return distance;
    // In f32 as in the reference: a distance on the edge of two buckets falls to the same side.
    const log = Math.fround(Math.log(Math.fround(distance / exact)));
    const part = Math.fround(Math.fround(log / Math.log(maxDistance / exact)) * (each - exact));
    return Math.min(each - 1, exact + Math.trunc(part));
  };
  return Int32Array.from({ length: 2 * rows }, (_, i) => {
    const distance = bucket(i >> 1);
    const after = i % 2 === 1;
    return after ? (bidirectional && i > 1 ? each + distance : 0) : distance;
  });
}

/**
 * ALiBi (Press et al. 2022): a bias that falls with the distance, steeper from head to head.
 * @returns [rows, 2, heads]
 */
export function alibi(rows: number, heads: number): Float32Array<ArrayBuffer> {
  const nearest = 2 ** Math.floor(Math.log2(heads));
  // Of heads that are no power of two, the rest takes every other slope of twice as many.
  const slope = (h: number) => (h < nearest ? 2 ** ((-8 * (h + 1)) / nearest) : 2 ** ((-4 * (2 * (h - nearest) + 1)) / nearest));
  return Float32Array.from({ length: rows * 2 * heads }, (_, i) => -Math.floor(i / (2 * heads)) * slope(i % heads));
}

/**
 * Sinusoids as in tensor2tensor and fairseq: all sines, then all cosines, frequencies falling to 1/base in the last pair. M2M-100, whose
 * angles Hugging Face rounds to f32 step by step.
 * @param first position of row 0
 * @returns [rows, features]
 */
export function fairseqSinusoids(rows: number, features: number, first: number): Float32Array<ArrayBuffer> {
  const half = Math.floor(features / 2);
  const f32 = Math.fround;
  const step = f32(Math.log(10_000) / (half - 1));
  const out = new Float32Array(rows * features);
  for (let p = 0; p < rows; p++) {
    for (let i = 0; i < half; i++) {
      const angle = f32((p + first) * f32(Math.exp(f32(-i * step))));
      out[p * features + i] = Math.sin(angle);
      out[p * features + half + i] = Math.cos(angle);
    }
  }
  return out;
}
