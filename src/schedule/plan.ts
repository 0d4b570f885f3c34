// A plan: every dispatch of one graph, in order, with the slot or buffer of each value. Pure data that prints as a table;
// the device layer binds it to buffers and runs it.
import type { Dispatch, ExternalSpec, Place } from "../gpu/dispatch.ts";
import { type Dims, evaluate, type Expr, show, sum } from "../gpu/expr.ts";
import type { Shape } from "./graph.ts";
import type { WeightBuffer } from "./layout.ts";

export interface PlanOutput {
  /** The external buffer it is in. */
  readonly external: string;
  readonly shape: Shape;
  /** In elements: where the first row begins, and how far apart rows of the last axis are. */
  readonly offset: number;
  readonly rowStride: number;
}

export interface PlanData {
  readonly name: string;
  readonly dispatches: readonly Dispatch[];
  /** Bytes of each slot. */
  readonly slots: readonly Expr[];
  readonly externals: readonly ExternalSpec[];
  readonly outputs: Readonly<Record<string, PlanOutput>>;
  readonly weights: readonly WeightBuffer[];
}

export class Plan implements PlanData {
  readonly name: string;
  readonly dispatches: readonly Dispatch[];
  readonly slots: readonly Expr[];
  readonly externals: readonly ExternalSpec[];
  readonly outputs: Readonly<Record<string, PlanOutput>>;
  readonly weights: readonly WeightBuffer[];

  constructor(data: PlanData) {
    this.name = data.name;
    this.dispatches = data.dispatches;
    this.slots = data.slots;
    this.externals = data.externals;
    this.outputs = data.outputs;
    this.weights = data.weights;
  }

  /** Totals over all dispatches for given lengths: what a roofline needs. */
  cost(dims: Dims): { dispatches: number; bytesRead: number; bytesWritten: number; flops: number } {
    const total = (pick: (d: Dispatch) => Expr) => evaluate(sum(...this.dispatches.map(pick)), dims);
    return {
      dispatches: this.dispatches.length,
      bytesRead: total((d) => d.bytesRead),
      bytesWritten: total((d) => d.bytesWritten),
      flops: total((d) => d.flops),
    };
  }

  /**
   * The table of what will run: dispatch, kernel and variant, module path, workgroups, where it reads and writes, bytes
   * and FLOPs. With `dims` the numbers are evaluated, without they stay symbolic.
   */
  toString(dims?: Dims): string {
    const number = (e: Expr) => (dims ? evaluate(e, dims).toLocaleString("en-US") : show(e));
    const rows = this.dispatches.map((d, i) => [
      String(i),
      d.instance.key,
      d.path,
      number(d.grid),
      Object.entries(d.bindings)
        .map(([name, place]) => `${name}:${showPlace(place)}`)
        .join(" "),
      number(d.bytesRead),
      number(d.bytesWritten),
      number(d.flops),
    ]);
    const head = ["#", "kernel", "path", "groups", "buffers", "bytes read", "bytes written", "flops"];
    const widths = head.map((h, c) => Math.max(h.length, ...rows.map((r) => r[c]!.length)));
    const line = (cells: readonly string[]) =>
      cells
        .map((cell, c) => cell.padEnd(widths[c]!))
        .join("  ")
        .trimEnd();
    const slots = this.slots.map((s, i) => `slot ${i}: ${number(s)} bytes`);
    return [
      `plan ${this.name}: ${this.dispatches.length} dispatches, ${this.slots.length} slots`,
      line(head),
      ...rows.map(line),
      ...slots,
    ].join("\n");
  }
}

function showPlace(place: Place): string {
  switch (place.kind) {
    case "slot":
      return `s${place.slot}`;
    case "weight":
      return "w";
    case "external":
      return `@${place.name}`;
  }
}
