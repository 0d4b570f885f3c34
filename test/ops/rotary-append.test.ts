// Rotary positions and the KV write in one dispatch give what the operations give one by one.
import { expect, test } from "vitest";
import { append } from "../../src/ops/append.ts";
import { rmsNorm } from "../../src/ops/norm.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { type DType, Graph, slice, type Value } from "../../src/schedule/graph.ts";
import { rules } from "../../src/schedule/rules/index.ts";
import { fuseRotary } from "../../src/schedule/rules/fuse-rotary.ts";
import { rotaryAngles } from "../../src/nn/rotary.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectHalves } from "../support/compare.ts";
import { FORMS, forms } from "../support/forms.ts";
import { normals } from "../support/random.ts";

const B = 3;
const CAPACITY = 70;

interface Case {
  readonly heads: number;
  readonly kvHeads: number;
  readonly size: number;
  readonly turned: number;
  readonly rowStep: number;
  readonly captured: boolean;
  /** Features of v beyond those of k. */
  readonly wider: number;
  readonly kv: DType;
  /** Heads are normalised before they are turned, and this is added to the weights. */
  readonly norm?: number;
}

function graphOf({ heads, kvHeads, size, turned, rowStep, captured, wider, kv: type, norm }: Case): Graph {
  const [d, kv] = [heads * size, kvHeads * size];
  const width = kv + wider;
  const g = new Graph();
  const x = g.input("x", [B, "T", d + kv + width]);
  const [past, lengths] = [g.input("past", [B], "i32"), g.input("lengths", [B], "i32")];
  const angles = g.table("angles", [CAPACITY, turned]);
  const normed = (part: Value, name: string, count: number) =>
    norm === undefined ? part : rmsNorm(g, part, g.weight(name, [size]), { eps: 1e-2, weightOffset: norm, heads: count });
  const q = rotary(g, normed(slice(x, 0, d), "q", heads), angles, { heads, past });
  const k = rotary(g, normed(slice(x, d, kv), "k", kvHeads), angles, { heads: kvHeads, past });
  const cache = (name: string, columns: number, dtype: DType) => g.state(name, [B * rowStep, CAPACITY, columns], dtype);
  const caches = [cache("k", kv, type), cache("v", width, type), ...(captured ? [cache("queries", d, "f32")] : [])] as const;
  const parts = [k, slice(x, d + kv, width), q].slice(0, caches.length).map((part, i) => ({ x: part, cache: caches[i]! }));
  append(g, parts, { past, lengths, rowStep });
  g.output("q", q);
  for (const value of caches) g.output(value.path, value);
  return g;
}

test.each<Case>([
  { heads: 2, kvHeads: 2, size: 8, turned: 8, rowStep: 1, captured: false, wider: 0, kv: "f32" },
  { heads: 3, kvHeads: 1, size: 20, turned: 20, rowStep: 1, captured: true, wider: 3, kv: "f32" },
  { heads: 4, kvHeads: 2, size: 6, turned: 2, rowStep: 3, captured: true, wider: 0, kv: "f32" },
  { heads: 1, kvHeads: 1, size: 2, turned: 2, rowStep: 2, captured: false, wider: 0, kv: "f32" },
  { heads: 2, kvHeads: 2, size: 32, turned: 32, rowStep: 1, captured: false, wider: 0, kv: "f16" },
  { heads: 3, kvHeads: 1, size: 17, turned: 6, rowStep: 1, captured: true, wider: 1, kv: "f16" },
  { heads: 5, kvHeads: 5, size: 13, turned: 2, rowStep: 3, captured: true, wider: -64, kv: "f16" },
  { heads: 1, kvHeads: 1, size: 2, turned: 2, rowStep: 2, captured: false, wider: 1, kv: "f16" },
])("%o", async (c) => {
  const device = await getDevice();
  using fused = await Executable.create(device, graphOf(c), { expect: { T: 17 } });
  using apart = await Executable.create(device, graphOf(c), { expect: { T: 17 }, rules: rules.filter((rule) => rule !== fuseRotary) });
  expect(fused.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["rotary-append"]);
  expect(apart.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["rotary", "rotary", "append"]);
  const angles = rotaryAngles(CAPACITY, { size: c.turned });
  for (const T of [1, 3, 17, 65]) {
    const x = normals(B * T * ((c.heads + 2 * c.kvHeads) * c.size + c.wider), T);
    const inputs = { x, angles, past: Int32Array.of(-2, 60, 5), lengths: Int32Array.of(T, Math.ceil(T / 2), 0) };
    const [got, gold] = [await fused.run({ dims: { T }, inputs }), await apart.run({ dims: { T }, inputs })];
    for (const [name, { data }] of Object.entries(gold)) expect(got[name]!.data, `${name}, T = ${T}`).toEqual(data);
  }
});

const normed = [
  { heads: 2, kvHeads: 2, size: 8, turned: 8, rowStep: 1, captured: false, wider: 0, kv: "f32", norm: 0 },
  { heads: 5, kvHeads: 1, size: 66, turned: 66, rowStep: 1, captured: true, wider: 3, kv: "f32", norm: 1 },
  { heads: 3, kvHeads: 1, size: 17, turned: 6, rowStep: 3, captured: false, wider: 1, kv: "f32", norm: 0 },
  { heads: 1, kvHeads: 1, size: 130, turned: 128, rowStep: 2, captured: false, wider: -97, kv: "f32", norm: 1 },
  { heads: 4, kvHeads: 2, size: 20, turned: 8, rowStep: 1, captured: true, wider: 1, kv: "f16", norm: 0 },
  { heads: 2, kvHeads: 2, size: 64, turned: 64, rowStep: 1, captured: false, wider: 0, kv: "f16", norm: 1 },
] as const satisfies readonly Case[];

test.each(FORMS.flatMap((form) => normed.map((c) => [form, c] as const)))("with norms, by %s, %o", async (form, c) => {
  const device = await getDevice();
  const weights = { q: normals(c.size, 1), k: normals(c.size, 2) };
  const options = { expect: { T: 17 }, traits: forms[form], weights };
  using fused = await Executable.create(device, graphOf(c), options);
  using apart = await Executable.create(device, graphOf(c), { ...options, rules: rules.filter((rule) => rule !== fuseRotary) });
  // Captured queries have no binding left beside the weights.
  expect(fused.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(c.captured ? ["rotary-append", "append"] : ["rotary-append"]);
  expect(apart.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["norm", "rotary", "norm", "rotary", "append"]);
  const angles = rotaryAngles(CAPACITY, { size: c.turned });
  for (const T of [1, 3, 17, 65]) {
    const x = normals(B * T * ((c.heads + 2 * c.kvHeads) * c.size + c.wider), T, 3);
    const inputs = { x, angles, past: Int32Array.of(-2, 60, 5), lengths: Int32Array.of(T, Math.ceil(T / 2), 0) };
    const [got, gold] = [await fused.run({ dims: { T }, inputs }), await apart.run({ dims: { T }, inputs })];
    for (const [name, { data }] of Object.entries(gold)) {
      if (c.kv === "f16" && (name === "k" || name === "v")) expectHalves(got[name]!.data, data, `${name}, T = ${T}`);
      else expectClose(got[name]!.data, data, { tolerance: 1e-6, name: `${name}, T = ${T}` });
    }
  }
});
