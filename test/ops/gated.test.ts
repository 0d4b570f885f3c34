// activation(gate) · up inside the product that makes both, in every kernel the lowering may choose, against the reference.
import { describe, expect, test } from "vitest";
import type { StoredType } from "../../shaders/weights.ts";
import { linear } from "../../src/nn/linear.ts";
import { gated } from "../../src/ops/map.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { activationFunction } from "../reference/activations.ts";
import { linear as reference } from "../reference/matmul.ts";
import { tensor } from "../reference/tensor.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { pairwise } from "../support/pairwise.ts";
import { normals } from "../support/random.ts";
import { stored } from "../support/stored.ts";

const forms = {
  "matmul-register": { software: true, symbolic: false },
  matvec: { software: false, symbolic: false },
  "matmul-tiled": { software: false, symbolic: true },
} as const;

const axes = {
  form: Object.keys(forms) as (keyof typeof forms)[],
  M: [1, 3, 8, 17, 65],
  size: [1, 3, 17, 64, 65],
  K: [1, 4, 17, 64, 130],
  weight: ["f32", "f16", "bf16"] as StoredType[],
  bias: [false, true],
  activation: ["silu", "gelu", "gelu_new", "relu"] as const,
  split: [false, true],
  subgroups: [false, true],
} as const;

describe("a gate inside its product", () => {
  const cases = pairwise(
    axes,
    ({ form, M, size, K, weight, split }) =>
      (form !== "matvec" || M <= 8) && (size > 8 || !split) && ((size > 1 && (size * K) % 2 === 0) || weight === "f32"),
  );
  test.each(cases.map((c) => [Object.values(c).join(" "), c] as const))(
    "%s",
    async (_, { form, M, size, K, weight, bias, activation, split, subgroups }) => {
      const { software, symbolic } = forms[form];
      const x = normals(M * K, 1);
      const [gate, up] = [stored([size, K], weight, 2, 1 / Math.sqrt(K)), stored([size, K], weight, 3, 1 / Math.sqrt(K))];
      const biases = { "gate.bias": normals(size, 4), "up.bias": normals(size, 5) };
      const g = new Graph();
      const input = g.input("x", [symbolic ? "rows" : M, K]);
      g.output("out", gated(g, linear(g, input, "gate", { out: size, bias }), linear(g, input, "up", { out: size, bias }), activation));
      using run = await Executable.create(await getDevice(), g, {
        // A whole number of rows of f32, less than there are.
        traits: { software, subgroups, ...(split && { maxBinding: 4 * K * 8 }) },
        expect: { rows: form === "matmul-tiled" ? Math.max(M, 9) : M },
        stored: (name) => (name.endsWith("weight") ? weight : "f32"),
        weights: { "gate.weight": gate.data, "up.weight": up.data, ...biases },
      });
      const kernels = run.plan.dispatches.map((d) => d.instance.kernel.name);
      expect(kernels.at(-1)).toBe(split ? "map" : form);
      if (!split) expect(kernels).toHaveLength(1);
      const got = (await run.run({ dims: { rows: M }, inputs: { x } }))["out"]!;
      const half = (w: typeof gate, name: keyof typeof biases) =>
        reference(tensor([M, K], x), w.gold, bias ? tensor([size], biases[name]) : undefined);
      const [a, b] = [half(gate, "gate.bias"), half(up, "up.bias")];
      expectClose(
        got,
        tensor(
          [M, size],
          a.data.map((value, i) => activationFunction(activation)(value) * b.data[i]!),
        ),
        { tolerance: 1e-4 },
      );
    },
  );
});
