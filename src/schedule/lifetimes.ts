// Which slot each value lives in. Values whose lifetimes do not overlap share a buffer; a value never shares one with an
// input of its own op, since WebGPU rejects one buffer bound for reading and for writing in the same dispatch.
import { type Expr, max } from "../gpu/expr.ts";

export interface Lifetime {
  readonly id: number;
  /** Index of the dispatch that writes it first, and of the last that touches it. */
  readonly from: number;
  readonly to: number;
  readonly bytes: Expr;
  /** Bytes at the sizes expected: what the fit is judged by. */
  readonly expected: number;
}

export interface Slots {
  /** Size of each slot in bytes. */
  readonly sizes: readonly Expr[];
  /** Value id → slot. */
  readonly of: ReadonlyMap<number, number>;
}

/** Linear scan, best fit: the smallest free slot that is large enough, else the largest free one (it grows), else a new one. */
export function assignSlots(lifetimes: readonly Lifetime[]): Slots {
  const slots: { busyUntil: number; expected: number; sizes: Expr[] }[] = [];
  const of = new Map<number, number>();
  for (const life of lifetimes.toSorted((a, b) => a.from - b.from || b.expected - a.expected)) {
    const free = slots.filter((s) => s.busyUntil < life.from).sort((a, b) => a.expected - b.expected);
    let slot = free.find((s) => s.expected >= life.expected) ?? free.at(-1);
    if (!slot) {
      slot = { busyUntil: -1, expected: 0, sizes: [] };
      slots.push(slot);
    }
    slot.busyUntil = life.to;
    slot.expected = Math.max(slot.expected, life.expected);
    slot.sizes.push(life.bytes);
    of.set(life.id, slots.indexOf(slot));
  }
  return { sizes: slots.map((s) => max(...s.sizes)), of };
}
