// Rotary positions and the KV write in one dispatch give what the operations give one by one.
import { expect, test } from "vitest";
import { append } from "../../src/ops/append.ts";
import { rotary } from "../../src/ops/rotary.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, slice } from "../../src/schedule/graph.ts";
import { rules } from "../../src/schedule/rules/index.ts";
import { fuseRotary } from "../../src/schedule/rules/fuse-rotary.ts";
import { rotaryAngles } from "../../src/nn/position.ts";
import { getDevice } from "../setup/gpu.ts";
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
}

function graphOf({ heads, kvHeads, size, turned, rowStep, captured }: Case): Graph {
  const [d, kv] = [heads * size, kvHeads * size];
  const g = new Graph();
  const x = g.input("x", [B, "T", d + 2 * kv]);
  const [past, lengths] = [g.input("past", [B], "i32"), g.input("lengths", [B], "i32")];
  const angles = g.table("angles", [CAPACITY, turned]);
  const q = rotary(g, slice(x, 0, d), angles, { heads, past });
  const k = rotary(g, slice(x, d, kv), angles, { heads: kvHeads, past });
  const cache = (name: string, width: number) => g.state(name, [B * rowStep, CAPACITY, width]);
  const caches = [cache("k", kv), cache("v", kv), ...(captured ? [cache("queries", d)] : [])] as const;
  const parts = [k, slice(x, d + kv, kv), q].slice(0, caches.length).map((part, i) => ({ x: part, cache: caches[i]! }));
  append(g, parts, { past, lengths, rowStep });
  g.output("q", q);
  for (const value of caches) g.output(value.path, value);
  return g;
}

test.each<Case>([
  { heads: 2, kvHeads: 2, size: 8, turned: 8, rowStep: 1, captured: false },
  { heads: 3, kvHeads: 1, size: 20, turned: 20, rowStep: 1, captured: true },
  { heads: 4, kvHeads: 2, size: 6, turned: 2, rowStep: 3, captured: true },
  { heads: 1, kvHeads: 1, size: 2, turned: 2, rowStep: 2, captured: false },
])("%o", async (c) => {
  const device = await getDevice();
  using fused = await Executable.create(device, graphOf(c), { expect: { T: 17 } });
  using apart = await Executable.create(device, graphOf(c), { expect: { T: 17 }, rules: rules.filter((rule) => rule !== fuseRotary) });
  expect(fused.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["rotary-append"]);
  expect(apart.plan.dispatches.map((d) => d.instance.kernel.name)).toEqual(["rotary", "rotary", "append"]);
  const angles = rotaryAngles(CAPACITY, c.turned);
  for (const T of [1, 3, 17, 65]) {
    const x = normals(B * T * (c.heads + 2 * c.kvHeads) * c.size, T);
    const inputs = { x, angles, past: Int32Array.of(-2, 60, 5), lengths: Int32Array.of(T, Math.ceil(T / 2), 0) };
    const [got, gold] = [await fused.run({ dims: { T }, inputs }), await apart.run({ dims: { T }, inputs })];
    for (const [name, { data }] of Object.entries(gold)) expect(got[name]!.data, `${name}, T = ${T}`).toEqual(data);
  }
});
