// What the device layer runs: a list of dispatches as plain data. `schedule/` writes it, `gpu/program.ts` executes it.
import type { KernelInstance } from "../../shaders/kernel.ts";
import { type Dim, type Expr, product } from "./expr.ts";

/** Elements of values. What is f16 is kept for attention to read (KV caches): two to a word, rows in words of their own. */
export type DType = "f32" | "f16" | "i32" | "u32";

/** Where a bound value lives while a plan runs. */
export type Place =
  /** A buffer of the plan, shared by values whose lifetimes do not overlap. */
  | { readonly kind: "slot"; readonly slot: number }
  /** A buffer of the model's weights. */
  | { readonly kind: "weight"; readonly name: string }
  /** A buffer given at bind time: inputs, outputs, KV caches, step state, host tables. */
  | { readonly kind: "external"; readonly name: string };

export interface Dispatch {
  readonly instance: KernelInstance;
  /** Hugging Face module path of what is computed. */
  readonly path: string;
  readonly bindings: Readonly<Record<string, Place>>;
  readonly params: Readonly<Record<string, Expr>>;
  /** Workgroups, flat. */
  readonly grid: Expr;
  readonly bytesRead: Expr;
  readonly bytesWritten: Expr;
  readonly flops: Expr;
}

/** A buffer that the caller binds: its name, shape and what the program does with it. */
export interface ExternalSpec {
  readonly name: string;
  readonly shape: readonly Dim[];
  readonly dtype: DType;
  readonly role: "input" | "output" | "state" | "table";
}

/** Bytes of a word, and of all elements of values but f16. Weights narrower than that have their own accounting. */
export const ELEMENT_BYTES = 4;

/** Words that a row of a value takes. */
export const rowWords = (dtype: DType, columns: number): number => (dtype === "f16" ? Math.ceil(columns / 2) : columns);

/** Elements from one row of a value to the next, where nothing lies between them. */
export const rowElements = (dtype: DType, columns: number): number => (dtype === "f16" ? 2 * rowWords(dtype, columns) : columns);

/** Bytes of a value. */
export function byteSize({ shape, dtype }: { readonly shape: readonly Dim[]; readonly dtype: DType }): Expr {
  const last = shape.at(-1) ?? 1;
  return product(ELEMENT_BYTES, ...shape.slice(0, -1), typeof last === "number" ? rowWords(dtype, last) : last);
}

/** What the device layer needs of a plan. */
export interface Schedule {
  readonly name: string;
  readonly dispatches: readonly Dispatch[];
  /** Bytes of each slot. */
  readonly slots: readonly Expr[];
}
