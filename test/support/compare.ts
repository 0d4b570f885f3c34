// How tests compare numbers: the error measure of test/fixtures/conformance/FORMAT.md, row masks for padding, and `expectClose`.
import { expect } from "vitest";

/** FORMAT.md's bounds: the one to aim at, and the loose one. */
export const STRICT = 5e-5;
export const LOOSE = 2e-4;

export interface Shaped {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

type Numbers = ArrayLike<number> | Shaped;

export interface CompareOptions {
  /** [batch][position]; rows of the last axis whose entry is 0 are not compared. The leading axes must be batch, position. */
  rows?: readonly (readonly number[])[] | undefined;
  /** What must stand where gold is NaN (torch's fully masked rows). Default "equal": NaN too. */
  nan?: "equal" | "zero" | "finite";
}

function flat(x: Numbers): ArrayLike<number> {
  return "data" in x ? x.data : x;
}

/** For each element whether to compare it. */
function chooser(length: number, rows: CompareOptions["rows"]): (i: number) => boolean {
  if (!rows) return () => true;
  const keep = rows.flat();
  const width = length / keep.length;
  if (!Number.isInteger(width)) throw new Error(`compare: a mask of ${keep.length} rows does not divide ${length} elements`);
  return (i) => keep[Math.floor(i / width)] !== 0;
}

function worst(got: Numbers, gold: Numbers, { rows, nan = "equal" }: CompareOptions): { error: number; index: number; absmax: number } {
  const [a, b] = [flat(got), flat(gold)];
  if (a.length !== b.length) throw new Error(`compare: ${a.length} elements against ${b.length}`);
  const compared = chooser(b.length, rows);
  let [error, index, absmax] = [0, 0, 0];
  for (let i = 0; i < b.length; i++) {
    if (!compared(i)) continue;
    const [x, y] = [a[i]!, b[i]!];
    if (!Number.isNaN(y) && Number.isFinite(y)) absmax = Math.max(absmax, Math.abs(y));
    let difference = x === y ? 0 : Math.abs(x - y);
    if (Number.isNaN(y)) difference = { equal: Number.isNaN(x), zero: x === 0, finite: Number.isFinite(x) }[nan] ? 0 : Infinity;
    else if (Number.isNaN(difference)) difference = Infinity;
    if (difference > error) [error, index] = [difference, i];
  }
  return { error, index, absmax };
}

/** max |got - gold|; a NaN on one side only is Infinity. */
export function absError(got: Numbers, gold: Numbers, options: CompareOptions = {}): number {
  return worst(got, gold, options).error;
}

/** max |got - gold| / max |gold|, over the elements compared. */
export function relError(got: Numbers, gold: Numbers, options: CompareOptions = {}): number {
  const { error, absmax } = worst(got, gold, options);
  return error === 0 ? 0 : error / absmax;
}

export interface ExpectOptions extends CompareOptions {
  /** Default STRICT. */
  tolerance?: number;
  /** The absolute error instead of the error relative to max |gold| (attention maps). */
  absolute?: boolean;
  name?: string;
}

/** Fails with the worst element and both values; compares shapes where both sides have one. */
export function expectClose(got: Numbers, gold: Numbers, options: ExpectOptions = {}): void {
  const { tolerance = STRICT, absolute = false, name = "tensor" } = options;
  if ("data" in got && "data" in gold) expect(got.shape, `${name}: shape`).toEqual(gold.shape);
  const { error, index, absmax } = worst(got, gold, options);
  const bound = absolute ? tolerance : tolerance * absmax;
  if (!(error <= bound)) {
    const [x, y] = [flat(got)[index], flat(gold)[index]];
    expect.fail(`${name}: element ${index} is ${x}, expected ${y}: error ${error} above ${bound} (max |gold| ${absmax})`);
  }
}

/**
 * Every number is one of the two halves around gold's, which is within ±65504: packing may round either way, and it may take
 * subnormal halves for 0.
 */
export function expectHalves(got: ArrayLike<number>, gold: ArrayLike<number>, name = "tensor"): void {
  expect(got.length, name).toBe(gold.length);
  for (let i = 0; i < gold.length; i++) {
    const [x, y] = [got[i]!, gold[i]!];
    if (!(Math.abs(x - y) <= Math.max(2 ** -10 * Math.abs(y), 2 ** -14)))
      expect.fail(`${name}: element ${i} is ${x}, expected ${y} as f16`);
  }
}

/** Every row of the last axis sums to 1, but for rows of zeros (fully masked). */
export function expectRowsSumToOne(map: Shaped, tolerance = 1e-5): void {
  const width = map.shape.at(-1)!;
  for (let start = 0; start < map.data.length; start += width) {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += map.data[start + i]!;
    if (sum !== 0 && !(Math.abs(sum - 1) <= tolerance)) expect.fail(`row ${start / width} sums to ${sum}`);
  }
}
