// graph → plan: applies the rewrite rules, lowers every node to dispatches, finds a slot for every value.
import { weightBytes, type WeightType } from "../../shaders/weights.ts";
import { FoveaError, ShapeError } from "../errors.ts";
import type { Traits } from "../gpu/device.ts";
import { byteSize, type Dispatch, type ExternalSpec, type Place } from "../gpu/dispatch.ts";
import { type Dims, evaluate, type Expr, sum } from "../gpu/expr.ts";
import { type Choices, siteKey } from "./candidates.ts";
import { features, type Graph, isContiguous, makeValue, type Node, root, rows, type Value } from "./graph.ts";
import { shardsOf, storageType, weightBuffer, weightName } from "./layout.ts";
import { assignSlots, type Lifetime } from "./lifetimes.ts";
import type { LowerContext, Lowered, Lowering } from "./lowering.ts";
import { lowerings } from "./lower/index.ts";
import { Plan, type PlanOutput } from "./plan.ts";
import type { Rule } from "./rewrite.ts";
import { rules as allRules } from "./rules/index.ts";
import { readsViews } from "./views.ts";

export interface CompileOptions {
  /** Shown by `toString` and in labels of GPU objects. */
  readonly name: string;
  readonly traits: Traits;
  /** Lengths the plan will mostly run at. They choose between variants; the plan stays right for all others. */
  readonly expect: Dims;
  /** How a tensor lies on the GPU: as the checkpoint stores it, or quantised. Default: all f32. */
  readonly stored?: (tensor: string) => WeightType;
  /** Candidates to take instead of the first, by site. */
  readonly tuning?: Choices;
  /** Default: all rules. */
  readonly rules?: readonly Rule[];
  /** Lowerings of fovea's operations, by op name. Default: those of forward passes. */
  readonly known?: Readonly<Record<string, Lowering>>;
  /** Lowerings for operations of your own, by op name. */
  readonly lowerings?: Readonly<Record<string, Lowering>>;
}

/** What lowerings are told, and how they choose. */
export function contextOf({ traits, expect, stored = () => "f32", tuning }: Omit<CompileOptions, "name">): LowerContext {
  const sizeOf = (expr: Expr) => evaluate(expr, expect);
  return {
    traits,
    // Of the whole weight: a view may have the shape of one that is stored otherwise.
    weightType: (value) => storageType(root(value), stored),
    shards: (value) => shardsOf(value, stored, traits.maxBinding),
    expect: sizeOf,
    pick: (site, candidates) => {
      const choice = tuning?.[siteKey(site, sizeOf)];
      return (candidates.find(({ name }) => name === choice) ?? candidates[0]).steps();
    },
    scratch: (path, shape) => makeValue({ path, shape, dtype: "f32", origin: { kind: "node" } }),
  };
}

export function compile(graph: Graph, options: CompileOptions): Plan {
  const { name, expect, stored = () => "f32", known: table = lowerings } = options;
  const fused = (options.rules ?? allRules).reduce((g, rule) => rule(g), graph);
  const context = contextOf(options);
  const lowered: Lowered[] = [];
  for (const node of fused.nodes) {
    const own = options.lowerings?.[node.op];
    const lower = own ?? table[node.op];
    if (!lower) throw new FoveaError(`${node.path}: no lowering for the operation "${node.op}" (known: ${Object.keys(table).join(", ")})`);
    if (!own) checkViews(node);
    const steps = lower(node, context);
    for (const step of steps) checkTypes(step, context);
    lowered.push(...steps);
  }

  // Outputs first: a value that leaves lives in a buffer of its own.
  const outputs: Record<string, PlanOutput> = {};
  const outputBuffers = new Map<number, string>();
  const externals = new Map<string, ExternalSpec>();
  const bind = (name: string, { shape, dtype }: Value, role: ExternalSpec["role"]) => {
    const known = externals.get(name);
    if (known && (known.role === "output") !== (role === "output"))
      throw new FoveaError(`"${name}" names an output and another buffer of the graph`);
    externals.set(name, { name, shape, dtype, role });
  };
  for (const { name: output, value, contiguous } of fused.outputs) {
    if (contiguous && !isContiguous(value))
      throw new FoveaError(`output "${output}" is a view of ${root(value).path}: outputs are contiguous`);
    const base = root(value);
    if (Object.hasOwn(outputs, output)) throw new FoveaError(`"${output}" names two outputs`);
    if (base.origin.kind === "weight") throw new FoveaError(`output "${output}" is the weight ${base.path}, which nothing computes`);
    const external = base.origin.kind === "external" ? base.origin.name : (outputBuffers.get(base.id) ?? output);
    if (base.origin.kind === "node") {
      outputBuffers.set(base.id, external);
      bind(external, base, "output");
    } else bind(external, base, base.origin.role);
    outputs[output] = { external, shape: value.shape, offset: value.offset, rowStride: value.rowStride };
  }

  const weights = new Map<string, ReturnType<typeof weightBuffer>>();
  const lives = new Map<number, { from: number; to: number; value: Value }>();
  lowered.forEach((step, i) => {
    for (const value of [...Object.values(step.reads), ...Object.values(step.writes)]) {
      if (!value) continue;
      const base = root(value);
      if (base.origin.kind === "external") bind(base.origin.name, base, base.origin.role);
      else if (base.origin.kind === "weight") weights.set(weightName(base.origin.parts), weightBuffer(base, stored));
      else if (!outputBuffers.has(base.id)) {
        const life = lives.get(base.id);
        if (life) life.to = i;
        else lives.set(base.id, { from: i, to: i, value: base });
      }
    }
  });
  const lifetimes = [...lives.values()].map(({ from, to, value }): Lifetime => {
    const bytes = byteSize(value);
    return { id: value.id, from, to, bytes, expected: evaluate(bytes, expect) };
  });
  const slots = assignSlots(lifetimes);

  const place = (value: Value): Place => {
    const base = root(value);
    if (base.origin.kind === "external") return { kind: "external", name: base.origin.name };
    if (base.origin.kind === "weight") return { kind: "weight", name: weightName(base.origin.parts) };
    const output = outputBuffers.get(base.id);
    return output === undefined ? { kind: "slot", slot: slots.of.get(base.id)! } : { kind: "external", name: output };
  };
  const dispatches = lowered.map((step): Dispatch => {
    const bound = Object.entries({ ...step.reads, ...step.writes }).flatMap(([binding, value]) =>
      value ? [[binding, place(value)] as const] : [],
    );
    return {
      instance: step.instance,
      path: step.path,
      bindings: Object.fromEntries(bound),
      params: step.params,
      grid: step.grid,
      bytesRead: step.bytesRead ?? total(step.reads, context),
      bytesWritten: step.bytesWritten ?? total(step.writes, context),
      flops: step.flops,
    };
  });
  return new Plan({ name, dispatches, slots: slots.sizes, externals: [...externals.values()], outputs, weights: [...weights.values()] });
}

/** A kernel that takes no offset would read other rows in silence. */
function checkViews(node: Node): void {
  for (const [name, value] of Object.entries(node.inputs)) {
    if (value && !isContiguous(value) && !readsViews(node.op, name))
      throw new ShapeError(`${node.path}: ${node.op} reads "${name}" whole`, {
        op: node.op,
        expected: "a contiguous value",
        got: `columns of ${root(value).path}`,
      });
  }
}

/** A kernel that takes something as f32 would misread it where it is stored in fewer bits. */
function checkTypes({ path, instance, reads, writes }: Lowered, context: LowerContext): void {
  for (const binding of instance.kernel.bindings(instance.options)) {
    const value = reads[binding.name] ?? writes[binding.name];
    if (!value || !binding.type.includes("f32")) continue;
    const type = value.origin.kind === "weight" ? context.weightType(root(value)) : value.dtype;
    if (type === "f32") continue;
    throw new FoveaError(`${path}: ${instance.kernel.name} takes ${root(value).path} as f32, and it is stored as ${type}`);
  }
}

/** A value that is bound twice counts once. */
function total(values: Lowered["reads"], context: LowerContext): Expr {
  return sum(
    ...[...new Set(Object.values(values))].flatMap((value) => {
      if (!value) return [];
      if (value.origin.kind !== "weight") return [byteSize(value)];
      return [weightBytes(context.weightType(value), evaluate(rows(value), {}), features(value))];
    }),
  );
}
