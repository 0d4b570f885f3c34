// Positions computed on the host in f64: sinusoids and rotary angles. A shader's sin of a large angle is not to be trusted.

/** Sinusoidal positions as in the paper: sin and cos of one angle side by side (Vaswani et al. 2017). [rows, features] */
export function sinusoids(rows: number, features: number, base = 10_000): Float32Array {
  return table(rows, features, base, (pair) => [2 * pair, 2 * pair + 1]);
}

/** The same with all sines first, then all cosines: Marian, Pegasus. [rows, features] */
export function sinusoidHalves(rows: number, features: number, base = 10_000): Float32Array {
  const sines = Math.ceil(features / 2);
  return table(rows, features, base, (pair) => [pair, sines + pair]);
}

function table(rows: number, features: number, base: number, columns: (pair: number) => readonly [number, number]): Float32Array {
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

/** Rotary angles (Su et al. 2021): per position the cosines of all frequencies, then the sines. [rows, size] */
export function rotaryAngles(rows: number, size: number, base = 10_000): Float32Array {
  const half = size / 2;
  const out = new Float32Array(rows * size);
  for (let p = 0; p < rows; p++) {
    for (let i = 0; i < half; i++) {
      // The reference computes the frequency in f32; positions times it too.
      const angle = p * Math.fround(1 / base ** ((2 * i) / size));
      out[p * size + i] = Math.cos(angle);
      out[p * size + half + i] = Math.sin(angle);
    }
  }
  return out;
}
