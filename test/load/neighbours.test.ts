// Rows of heads that turn neighbours come out in halves, whatever the chunks; other tensors stay the same objects.
import { expect, test } from "vitest";
import { ConfigReader } from "../../src/load/config.ts";
import { parted } from "../../src/load/neighbours.ts";
import type { TensorInfo } from "../../src/load/safetensors.ts";
import { pattern } from "./files.ts";

const tensor = (name: string, shape: readonly number[]): [string, TensorInfo] => [
  name,
  { name, dtype: "F16", shape, file: "f", begin: 0, end: 2 * shape.reduce((a, b) => a * b, 1) },
];
const neighbours = { tensors: /q_proj\./, headSize: (config: ConfigReader) => config.int("head_dim") };
const part = (...tensors: [string, TensorInfo][]) =>
  parted({ tensors: new Map(tensors) }, neighbours, new ConfigReader({ head_dim: 6 })).tensors;

test.each([
  [8, [12, 5]],
  [24, [18, 3]],
  [1000, [12]],
])("chunks of %i bytes of %j", async (chunk, shape) => {
  const info = part(tensor("q_proj.weight", shape)).get("q_proj.weight")!;
  const bytes = pattern(info.end);
  const got = new Uint8Array(bytes.length);
  const sink = info.rearrange!((offset, piece) => got.set(piece, offset));
  for (let at = 0; at < bytes.length; at += chunk) await sink(at, bytes.subarray(at, at + chunk));
  const row = bytes.length / shape[0]!;
  for (let r = 0; r < shape[0]!; r++) {
    const within = r % 6;
    const to = r - within + (within % 2) * 3 + (within >> 1);
    expect(got.subarray(to * row, (to + 1) * row)).toEqual(bytes.subarray(r * row, (r + 1) * row));
  }
});

test("other tensors, and those of another size, are left alone", () => {
  const [key, odd] = [tensor("k_proj.weight", [12, 5]), tensor("q_proj.bias", [10])];
  const tensors = part(key, odd);
  expect(tensors.get("k_proj.weight")).toBe(key[1]);
  expect(tensors.get("q_proj.bias")).toBe(odd[1]);
});
