// Rotary angles (Su et al. 2021) on the host, with the scalings by which models reach beyond the lengths they were trained at. Names,
// formulas and, as far as the angles, the rounding are those of Hugging Face's modeling_rope_utils; sines and cosines are taken in f64.

/** How long a run's sequences are: some scalings depend on it. */
export interface SequenceLengths {
  /** Tokens that are read at once, at the run's start: a forward pass's, or the prompt's. */
  readonly prompt: number;
  /** Tokens it may come to. */
  readonly total: number;
}

export type RopeScaling =
  /** Position interpolation (Chen et al. 2023): positions shrink. */
  | { readonly type: "linear"; readonly factor: number }
  /** NTK-aware, by the length at hand: a base that grows as sequences pass `original`. */
  | { readonly type: "dynamic"; readonly factor: number; readonly original: number }
  /** Llama 3.1: low frequencies interpolated, high ones kept, a ramp between. */
  | {
      readonly type: "llama3";
      readonly factor: number;
      readonly lowFrequency: number;
      readonly highFrequency: number;
      readonly original: number;
    }
  /** YaRN (Peng et al. 2023): a ramp over dimensions, and cosines and sines times `attentionFactor`. */
  | {
      readonly type: "yarn";
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      readonly truncate: boolean;
      readonly attentionFactor: number;
      readonly original: number;
    }
  /** LongRoPE (Ding et al. 2024): a factor for every frequency, one list for up to `original` tokens and one beyond. */
  | {
      readonly type: "longrope";
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly attentionFactor: number;
      readonly original: number;
    };

export interface RotaryOptions {
  /** Features of a head that are turned, an even number. */
  readonly size: number;
  /** Base of the frequencies. Default 10000. */
  readonly theta?: number;
  readonly scaling?: RopeScaling;
}

/**
 * Per position the cosines of all frequencies, then the sines.
 * @returns [rows, size]
 */
export function rotaryAngles(
  rows: number,
  { size, theta = 10_000, scaling }: RotaryOptions,
  lengths?: SequenceLengths,
): Float32Array<ArrayBuffer> {
  const half = size / 2;
  const factor = scaling && "attentionFactor" in scaling ? scaling.attentionFactor : 1;
  const out = new Float32Array(rows * size);
  let frequencies = rotaryFrequencies({ size, theta, scaling }, lengths);
  for (let p = 0; p < rows; p++) {
    // Tokens after the prompt come one by one, each with the base of the length it makes.
    if (scaling?.type === "dynamic" && lengths && p >= lengths.prompt && p >= scaling.original)
      frequencies = rotaryFrequencies({ size, theta, scaling }, { ...lengths, prompt: p + 1 });
    frequencies.forEach((frequency, i) => {
      const angle = f32(p * frequency);
      out[p * size + i] = Math.cos(angle) * factor;
      out[p * size + half + i] = Math.sin(angle) * factor;
    });
  }
  return out;
}

/** Whether a run of these lengths has angles of its own. */
export const ownAngles = ({ scaling }: RotaryOptions, { total }: SequenceLengths): boolean =>
  (scaling?.type === "dynamic" || scaling?.type === "longrope") && total > scaling.original;

/**
 * Radians per position of each pair of features. Every operation is rounded to f32, as the reference's are: at a position of
 * thousands the difference of a frequency's last bits is one of the angle's fourth digit.
 */
function rotaryFrequencies({ size, theta = 10_000, scaling }: RotaryOptions, lengths?: SequenceLengths): Float32Array {
  const powers = (base: number) => Float32Array.from({ length: size / 2 }, (_, i) => base ** f32((2 * i) / size));
  const plain = (base: number) => powers(base).map((power) => 1 / power);
  switch (scaling?.type) {
    case undefined:
      return plain(theta);
    case "linear":
      return plain(theta).map((f) => f / scaling.factor);
    case "dynamic": {
      const { factor, original } = scaling;
      const length = Math.max(lengths?.prompt ?? 0, original);
      return plain(theta * ((factor * length) / original - (factor - 1)) ** (size / (size - 2)));
    }
    case "llama3": {
      const { factor, lowFrequency, highFrequency, original } = scaling;
      return plain(theta).map((f) => {
        // Turns that the frequency makes over the original length.
        const turns = f32(original / f32(f32(2 * Math.PI) / f));
        if (turns < lowFrequency) return f / factor;
        if (turns > highFrequency) return f;
        const smooth = f32(f32(turns - lowFrequency) / (highFrequency - lowFrequency));
        return f32(f32(f32(1 - smooth) * f) / factor) + f32(smooth * f);
      });
    }
    case "yarn": {
      const { factor, betaFast, betaSlow, truncate, original } = scaling;
      // The dimension whose frequency makes so many turns over the original length.
      const dimension = (turns: number) => (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(theta));
      const [first, last] = [dimension(betaFast), dimension(betaSlow)];
      const low = Math.max(truncate ? Math.floor(first) : first, 0);
      const high = Math.min(truncate ? Math.ceil(last) : last, size - 1);
      const span = low === high ? 0.001 : high - low;
      return powers(theta).map((power, i) => {
        const kept = f32(1 - f32(Math.min(1, Math.max(0, f32(i - low) / span))));
        return f32(f32(1 / f32(factor * power)) * f32(1 - kept)) + f32(f32(1 / power) * kept);
      });
    }
    case "longrope": {
      // Hugging Face begins anew with the long factors when a text grows past the boundary; here the greatest length that the run may
      // come to decides from its start on.
      const factors = lengths && lengths.total > scaling.original ? scaling.long : scaling.short;
      return powers(theta).map((power, i) => 1 / f32(f32(factors[i]!) * power));
    }
  }
}

const f32 = Math.fround;
