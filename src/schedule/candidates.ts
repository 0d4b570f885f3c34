// Several ways to compute one node, and how the place of such a choice is named, so that what was found to be fastest there is
// found again: in another layer, plan, or process.
import { keyOf } from "../../shaders/kernel.ts";
import type { Expr } from "../gpu/expr.ts";
import type { Lowered } from "./lowering.ts";

/** One way to compute a node or a shard of it, right for all lengths of the plan. */
export interface Candidate {
  /** What tables of tuned choices call it; told apart by this within a site. */
  readonly name: string;
  readonly steps: () => readonly Lowered[];
}

/** In order of preference. Of several of one name the first counts. */
export type Candidates = readonly [Candidate, ...Candidate[]];

/** Where a choice is made: all that the candidates' speed depends on beside the adapter. It does not say where in a model. */
export interface Site {
  readonly op: string;
  /** Compile-time choices that the candidates have in common: types, epilogue, masks. */
  readonly options: object;
  readonly sizes: Readonly<Record<string, Expr>>;
  /** What integers bound under these names mostly are when the plan runs: lengths, say. They decide how much is computed. */
  readonly integers?: Readonly<Record<string, number>>;
}

/** Names of chosen candidates by `siteKey`. Sites that are not in it, and names that are not known there, get the first candidate. */
export type Choices = Readonly<Record<string, string>>;

/** Static sizes as they are, symbolic ones as the power of two that the size expected rounds up to. */
export function siteKey({ op, options, sizes }: Site, expect: (size: Expr) => number): string {
  const shown = Object.entries(sizes).map(([name, size]) => [name, typeof size === "number" ? size : `~${powerOfTwo(expect(size))}`]);
  return keyOf(op, { ...options, ...Object.fromEntries(shown) });
}

/** That which a size rounds up to. */
export const powerOfTwo = (size: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, size)));

/** For kernels that give a row to a thread or to a workgroup. */
export function byRow(first: 1 | 64, step: (threads: 1 | 64) => Lowered): Candidates {
  const candidate = (threads: 1 | 64): Candidate => ({ name: threads === 1 ? "thread" : "workgroup", steps: () => [step(threads)] });
  return [candidate(first), candidate(first === 1 ? 64 : 1)];
}
