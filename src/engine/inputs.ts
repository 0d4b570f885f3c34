// What callers give, checked: nested arrays or flat data with a shape → rows of valid ids, compact on the left, with the
// places they came from, so that outputs can be put back where the caller's padding was.
import { InputError } from "../errors.ts";
import type { Architecture } from "../models/architecture.ts";

/** Numbers as `[batch][position]`, one row as `[position]`, or flat with a shape. */
export type IdsInput =
  readonly (readonly number[])[] | readonly number[] | { readonly data: ArrayLike<number | bigint>; readonly shape: readonly number[] };

export interface Rows {
  /** Real tokens of each row, without padding. */
  readonly ids: readonly (readonly number[])[];
  /** Where each of them stood in the caller's row. */
  readonly positions: readonly (readonly number[])[];
  /** The caller's row length. */
  readonly width: number;
  /** Real tokens in the longest row. */
  readonly longest: number;
}

/** Refuses what is no object, and names that are none of these: `attention_mask` for `attentionMask`, say. */
export function checkNames(where: string, what: string, given: object, names: readonly string[]): void {
  if (given === null || typeof given !== "object")
    throw new InputError(`${where}: expected an object of ${what}s, got ${String(given)}`, { field: what, expected: names, got: given });
  const other = Object.keys(given).find((name) => !names.includes(name));
  if (other !== undefined)
    throw new InputError(`${where}: there is no ${what} "${other}"; ${what}s are ${names.join(", ")}`, {
      field: other,
      expected: names,
      got: other,
    });
}

/** What stands for a number: those of 64-bit arrays and of masks too. */
const NUMERIC: readonly string[] = ["number", "bigint", "boolean"];

/** Rows of one field, all equally long. */
export function toMatrix(input: IdsInput, field: string): number[][] {
  const fail = (expected: string, got: unknown) =>
    new InputError(`${field}: expected ${expected}, got ${JSON.stringify(got)?.slice(0, 60)}`, { field, expected, got });
  if (input === null || typeof input !== "object") throw fail("arrays of ids or { data, shape }", input);
  let rows: number[][];
  if ("data" in input && "shape" in input) {
    const [batch, width] = input.shape.length === 1 ? [1, input.shape[0]!] : input.shape;
    if (input.shape.length > 2 || batch === undefined || width === undefined || batch * width !== input.data.length)
      throw fail("a shape [batch, tokens] that fits its data", input.shape);
    rows = Array.from({ length: batch }, (_, b) => Array.from({ length: width }, (_, t) => Number(input.data[b * width + t])));
  } else {
    const nested = Array.from(input as readonly unknown[]);
    rows = (typeof nested[0] === "object" ? nested : [nested]).map((row) => {
      if (row === null || typeof row !== "object" || !("length" in row)) throw fail("rows of ids", row);
      return Array.from(row as ArrayLike<unknown>, (id) => {
        if (!NUMERIC.includes(typeof id)) throw fail("numbers", id);
        return Number(id);
      });
    });
  }
  if (rows.length === 0 || rows[0]!.length === 0) throw fail("at least one token", "nothing");
  if (rows.some((row) => row.length !== rows[0]!.length))
    throw fail(
      "rows of equal length (pad them and give a mask)",
      rows.map((r) => r.length),
    );
  return rows;
}

export interface IdLimits {
  readonly vocabSize: number;
  readonly maxPositions: number;
}

/** What a model's input ids may be: an encoder may have a vocabulary of its own. */
export const inputLimits = ({ vocabSize, sourceVocabSize = vocabSize, maxPositions }: Architecture): IdLimits => ({
  vocabSize: sourceVocabSize,
  maxPositions,
});

/** Checks ids and takes the padding out. */
export function toRows(
  ids: IdsInput,
  mask: IdsInput | undefined,
  { vocabSize, maxPositions }: IdLimits,
  field = "inputIds",
  maskField = "attentionMask",
): Rows {
  const matrix = toMatrix(ids, field);
  const width = matrix[0]!.length;
  const kept = mask === undefined ? undefined : toMatrix(mask, maskField);
  if (kept && (kept.length !== matrix.length || kept[0]!.length !== width))
    throw new InputError(
      `${maskField}: expected the shape of ${field}, [${matrix.length}, ${width}], got [${kept.length}, ${kept[0]!.length}]`,
      { field: maskField, expected: [matrix.length, width], got: [kept.length, kept[0]!.length] },
    );
  const positions = matrix.map((row, b) => row.map((_, t) => t).filter((t) => kept === undefined || kept[b]![t] !== 0));
  positions.forEach((row, b) => {
    if (row.length === 0)
      throw new InputError(`${maskField}: row ${b} has no token at all`, {
        field: maskField,
        expected: "at least one 1 in every row",
        got: b,
      });
  });
  const compact = positions.map((row, b) => row.map((t) => checkId(matrix[b]![t]!, vocabSize, field)));
  const longest = Math.max(...compact.map((row) => row.length));
  if (longest > maxPositions)
    throw new InputError(`${field}: ${longest} tokens; the model takes at most ${maxPositions}`, {
      field,
      expected: `at most ${maxPositions}`,
      got: longest,
    });
  return { ids: compact, positions, width, longest };
}

export function checkId(id: number, vocabSize: number, field: string): number {
  if (!Number.isInteger(id) || id < 0 || id >= vocabSize)
    throw new InputError(`${field}: token id ${id} is outside the vocabulary of ${vocabSize}`, {
      field,
      expected: `0 … ${vocabSize - 1}`,
      got: id,
    });
  return id;
}

/** Rows padded on the right to one length, flat. */
export function padRight(rows: readonly (readonly number[])[], width: number, pad = 0): Int32Array<ArrayBuffer> {
  const out = new Int32Array(rows.length * width).fill(pad);
  rows.forEach((row, b) => out.set(row, b * width));
  return out;
}
