// A small seeded generator, so that a failing test fails again.

/** Uniform numbers in [0, 1) (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal numbers, mean 0 and variance 1 (Box–Muller). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** f32 values, as a GPU will hold them. */
export function normals(length: number, seed: number, scale = 1): Float32Array<ArrayBuffer> {
  const next = normal(seed);
  const values = new Float32Array(length);
  // Benchmarks take hundreds of millions: Float32Array.from is three times as slow.
  for (let i = 0; i < length; i++) values[i] = next() * scale;
  return values;
}

/** Integers in [low, high). */
export function integers(length: number, { seed, low = 0, high }: { seed: number; low?: number; high: number }): number[] {
  const next = uniform(seed);
  return Array.from({ length }, () => low + Math.floor(next() * (high - low)));
}
