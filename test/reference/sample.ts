// Sampling of one row: which tokens temperature, top-k, top-p and min-p leave (Hugging Face's warpers), and the draw of
// shaders/sample.ts by the same hash in f64, so that a drawn token can be compared where no rounding decides.

export interface SampleSettings {
  temperature: number;
  /** 0 is off. */
  topK: number;
  /** 1 is off. */
  topP: number;
  /** 0 is off. */
  minP?: number;
  seed: number;
}

export interface Kept {
  /** Of every token; 0 for those filtered out. */
  probabilities: Float64Array;
  /** Tokens so near the edge of top-p or min-p that f32 may decide either way. */
  doubtful: ReadonlySet<number>;
}

const EDGE = 1e-5;

/** Equal logits stay or go together, where Hugging Face breaks ties of top-p by the order of its sort. */
export function keep(logits: ArrayLike<number>, { temperature, topK, topP, minP = 0 }: Omit<SampleSettings, "seed">): Kept {
  const z = Array.from(logits, (x) => x / temperature);
  const sorted = z.toSorted((a, b) => b - a);
  const kth = topK > 0 ? sorted[Math.min(topK, z.length) - 1]! : -Infinity;
  const mass = Float64Array.from(z, (x) => (x >= kth ? Math.exp(x - sorted[0]!) : 0));
  const total = mass.reduce((a, b) => a + b);
  // Mass of the strictly better ones: what is below p of it stays.
  const order = z.map((_, i) => i).toSorted((a, b) => z[b]! - z[a]!);
  const above = new Float64Array(z.length);
  let sum = 0;
  for (const [rank, i] of order.entries()) {
    const better = order[rank - 1];
    above[i] = better !== undefined && z[better] === z[i] ? above[better]! : sum;
    sum += mass[i]! / total;
  }
  const doubtful = new Set(topP < 1 ? order.filter((i) => above[i]! > 0 && Math.abs(above[i]! - topP) < EDGE && mass[i]! > 0) : []);
  // The likeliest has mass 1.
  if (minP > 0) mass.forEach((m, i) => m > 0 && Math.abs(m - minP) < EDGE && doubtful.add(i));
  const left = mass.map((m, i) => ((topP >= 1 || above[i]! < topP) && m >= minP ? m : 0));
  const remaining = left.reduce((a, b) => a + b);
  return { probabilities: left.map((m) => m / remaining), doubtful };
}

/** lowbias32 of a u32. */
export function hash(seed: number): number {
  let x = seed >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Gumbel noise from 23 of 32 random bits: finite for all of them. */
export const gumbel = (bits: number): number => -Math.log(-Math.log1p(-((bits >>> 9) + 0.5) / 2 ** 23));

export interface Draw {
  token: number;
  /** How far ahead it is of the second, or 0 where it is doubtful whether it, or a token as good, may be drawn at all. */
  margin: number;
}

export function draw(logits: ArrayLike<number>, settings: SampleSettings, { row, step }: { row: number; step: number }): Draw {
  const { probabilities, doubtful } = keep(logits, settings);
  const noise = hash(hash(hash(settings.seed) ^ row) ^ step);
  const ranked = Array.from(logits, (x, token) => ({ token, score: x / settings.temperature + gumbel(hash((noise ^ token) >>> 0)) }))
    .filter(({ token }) => probabilities[token]! > 0 || doubtful.has(token))
    .toSorted((a, b) => b.score - a.score);
  const [first, second] = ranked;
  return { token: first!.token, margin: doubtful.has(first!.token) ? 0 : first!.score - (second?.score ?? -Infinity) };
}
