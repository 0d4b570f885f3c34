// Names of tensors, as the families' pages want them.
import { expect, test } from "vitest";
import { canonicalNames } from "../../src/load/names.ts";
import type { TensorInfo } from "../../src/load/safetensors.ts";

const checkpoint = (...names: string[]) => ({
  tensors: new Map(
    names.map((name, i): [string, TensorInfo] => [name, { name, dtype: "F32", shape: [1], file: "f", begin: 4 * i, end: 4 * i + 4 }]),
  ),
});

test("a bare base model's tensors get its prefix too", () => {
  const { tensors } = canonicalNames(checkpoint("embeddings.weight", "pooler.weight"), "bert");
  expect(tensors.get("bert.embeddings.weight")).toBe(tensors.get("embeddings.weight"));
  expect(tensors.get("bert.pooler.weight")?.name).toBe("pooler.weight");
});

test("a whole model's keep theirs", () => {
  const { tensors } = canonicalNames(checkpoint("bert.embeddings.weight", "cls.bias"), "bert");
  expect([...tensors.keys()]).toEqual(["bert.embeddings.weight", "cls.bias"]);
});

test("norms of TensorFlow's checkpoints have the names of PyTorch's", () => {
  const { tensors } = canonicalNames(checkpoint("bert.LayerNorm.gamma", "bert.LayerNorm.beta"), "bert");
  expect(tensors.get("bert.LayerNorm.weight")?.name).toBe("bert.LayerNorm.gamma");
  expect(tensors.get("bert.LayerNorm.bias")?.name).toBe("bert.LayerNorm.beta");
  // What has the name already is not hidden by another's.
  const both = canonicalNames(checkpoint("n.weight", "n.gamma"));
  expect(both.tensors.get("n.weight")?.name).toBe("n.weight");
});
