// Multi-head attention written out with splitHeads, scaledDotProductAttention and mergeHeads: one kernel, unless its weights
// are read; then the kernels of its parts. Both give the reference's numbers at awkward sizes.
import { expect, test } from "vitest";
import { scaledDotProductAttention } from "../../src/nn/scaled-dot-product.ts";
import { mergeHeads, splitHeads } from "../../src/ops/heads.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph, slice } from "../../src/schedule/graph.ts";
import { attention as reference } from "../reference/attention.ts";
import { mergeHeads as merged, splitHeads as split, tensor, type Tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose, expectRowsSumToOne } from "../support/compare.ts";
import { normals } from "../support/random.ts";

const B = 2;

test.each([
  [1, 5, 5],
  [3, 4, 7],
  [4, 20, 3],
])("%i heads of %i and %i features", async (heads, dk, dv) => {
  const g = new Graph();
  const width = heads * (2 * dk + dv);
  const x = g.input("x", [B, "T", width]);
  const lengths = g.input("lengths", [B], "i32");
  const write = () => {
    const part = (from: number, size: number) => splitHeads(g, slice(x, heads * from, heads * size), heads);
    return scaledDotProductAttention(g, { q: part(0, dk), k: part(dk, dk), v: part(2 * dk, dv) }, { causal: true, lengths });
  };
  g.output("fused", mergeHeads(g, write().output));
  const seen = write();
  g.output("weights", seen.weights);
  g.output("composed", mergeHeads(g, seen.output));
  using run = await Executable.create(await getDevice(), g, { expect: { T: 17 } });
  const kernels = run.plan.dispatches.map((d) => d.instance.kernel.name.replace(/^mat.*/, "matmul"));
  expect(kernels).toEqual(["attention", "heads", "heads", "heads", "matmul", "softmax", "matmul", "heads"]);

  for (const T of [1, 3, 17, 65]) {
    const data = normals(B * T * width, T);
    const counts = [T, Math.ceil(T / 3)];
    const got = await run.run({ dims: { T }, inputs: { x: data, lengths: Int32Array.from(counts) } });
    const part = (from: number, size: number): Tensor =>
      split(
        tensor(
          [B, T, heads * size],
          Array.from(
            { length: B * T * heads * size },
            (_, i) => data[Math.floor(i / (heads * size)) * width + heads * from + (i % (heads * size))]!,
          ),
        ),
        heads,
      );
    const gold = reference(part(0, dk), part(dk, dk), part(2 * dk, dv), { causal: true, keyLengths: counts });
    for (const name of ["fused", "composed"]) expectClose(got[name]!, merged(gold.output), { name: `${name}, T = ${T}` });
    expectClose(got["weights"]!, gold.weights, { name: `weights, T = ${T}`, absolute: true });
    expectRowsSumToOne(got["weights"]!);
  }
});
