// Whole models with quantised weights: how often they choose what f32 chooses, how well they foretell a text, what they weigh.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { weightBytes, type WeightType } from "../../shaders/weights.ts";
import { loadModel, type Model } from "../../src/index.ts";
import type { ForwardInput } from "../../src/model.ts";
import { traitsOf } from "../../src/gpu/device.ts";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import type { Source } from "../../src/load/source.ts";
import { planWeights, uploadWeights } from "../../src/load/weights.ts";
import { directory } from "../../src/node.ts";
import { matmul } from "../../src/ops/matmul.ts";
import { compile } from "../../src/schedule/compile.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { safetensors } from "../load/files.ts";
import { getDevice, getNullDevice } from "../setup/gpu.ts";
import { watchArrayBuffers } from "../support/array-buffers.ts";
import { type ModelName, readModel, readModelGolden, readOwnPack } from "../support/conformance.ts";
import { countDevice } from "../support/count-device.ts";

const load = async (name: ModelName, dtype: "f32" | "q8" | "q4"): Promise<Model> =>
  loadModel(directory(readModel(name).directory), { device: await getDevice(), dtype });

/** Logits of every position. */
async function logitsOf(model: Model, input: ForwardInput): Promise<Float32Array[]> {
  using run = await model.forward(input);
  const data = await run.logits!.read();
  const vocabulary = run.logits!.shape[2]!;
  return Array.from({ length: data.length / vocabulary }, (_, t) => data.subarray(t * vocabulary, (t + 1) * vocabulary));
}

const best = (row: Float32Array): number => row.reduce((top, value, i) => (value > row[top]! ? i : top), 0);

/** What would be chosen at every position of every input. */
async function choices(model: Model, inputs: readonly ForwardInput[]): Promise<number[]> {
  const all: number[] = [];
  for (const input of inputs) all.push(...(await logitsOf(model, input)).map(best));
  return all;
}

const agreement = (a: readonly number[], b: readonly number[]): number => a.filter((id, i) => id === b[i]).length / a.length;

async function perplexity(model: Model, ids: readonly number[]): Promise<number> {
  const rows = await logitsOf(model, { inputIds: [ids] });
  const losses = ids.slice(1).map((id, t) => {
    const row = rows[t]!;
    const top = row[best(row)]!;
    return top + Math.log(row.reduce((sum, v) => sum + Math.exp(v - top), 0)) - row[id]!;
  });
  return Math.exp(losses.reduce((a, b) => a + b, 0) / losses.length);
}

/** In the words of the stories that the model was trained on, but none of them. */
const STORY =
  "Once upon a time, there was a little boy named Ben. He had a small dog. The dog was brown and liked to run. One day, Ben and his dog went " +
  "to the park to play. They saw a girl with a red ball. The girl was sad because her ball was stuck in a tree. Ben wanted to help her. He " +
  "told his dog to wait and climbed up the tree. He got the ball and gave it to the girl. She was very happy and said thank you. Then they " +
  "all played with the ball until it was time to go home. Ben told his mom about his new friend, and she smiled and gave him a big hug.";

const cases = {
  stories260K: {
    inputs: readModelGolden("stories260K").cases.map((c): ForwardInput => ({ inputIds: [[...c.input_ids, ...c.greedy_new_ids]] })),
    bounds: { q8: { agreement: 0.98, perplexity: 1.01 }, q4: { agreement: 0.8, perplexity: 1.25 } },
  },
  "marian-en-fr-tatoeba": {
    inputs: readModelGolden("marian-en-fr-tatoeba").sentences.map((s): ForwardInput => ({
      inputIds: [s.input_ids],
      decoderInputIds: [s.greedy_ids.slice(0, -1)],
    })),
    bounds: { q8: { agreement: 0.98 }, q4: { agreement: 0.94 } },
  },
} as const;

describe.each(["stories260K", "marian-en-fr-tatoeba"] as const)("%s", (name) => {
  const { inputs, bounds } = cases[name];
  let gold: Model;
  let chosen: number[];
  beforeAll(async () => {
    gold = await load(name, "f32");
    chosen = await choices(gold, inputs);
  });
  afterAll(() => gold.dispose());

  test.each(["q8", "q4"] as const)("chooses as %s what it chooses as f32", async (dtype) => {
    using model = await load(name, dtype);
    const share = agreement(chosen, await choices(model, inputs));
    console.log(`${name} ${dtype}: top-1 agreement ${share.toFixed(4)}`);
    expect(share).toBeGreaterThanOrEqual(bounds[dtype].agreement);
    const bound = bounds[dtype];
    if (!("perplexity" in bound)) return;
    const ids = gold.tokenizer!.encode(STORY).ids;
    const [plain, quantised] = [await perplexity(gold, ids), await perplexity(model, ids)];
    console.log(`${name} ${dtype}: perplexity of ${ids.length} tokens ${quantised.toFixed(3)}, as f32 ${plain.toFixed(3)}`);
    expect(quantised / plain).toBeLessThan(bound.perplexity);
  });

  test.each(["f32", "q8", "q4"] as const)("weighs as %s what its tensors do", async (dtype) => {
    const bytes = (shape: readonly number[]): number => {
      const isMatrix = shape.length === 2 && shape[0] !== 1;
      const type: WeightType = isMatrix ? dtype : "f32";
      return weightBytes(type, isMatrix ? shape[0]! : 1, shape.at(-1)!);
    };
    const expected = [...readModel(name).weights.values()].reduce((n, { shape }) => n + bytes(shape), 0);
    using model = await load(name, dtype);
    console.log(`${name} ${dtype}: ${model.memory().weights} bytes of weights`);
    expect(model.memory().weights).toBe(expected);
  });
});

test("tables of positions and types are not quantised", async () => {
  const { directory: path, weights } = readModel("rxnmapper-albert");
  using model = await loadModel(directory(path), { device: await getDevice(), dtype: "q8" });
  // The pooler is not built; the head's matrix is the embeddings, and its bias is there twice.
  const read = [...weights].filter(([name]) => !/pooler|predictions\.decoder/.test(name));
  const bytes = read.map(([name, { shape, dtype }]) => {
    const isMatrix = shape.length === 2;
    const stored = ({ F32: "f32", F16: "f16", BF16: "bf16", F8_E4M3: "f8" } as const)[dtype];
    return weightBytes(isMatrix ? (/position_|token_type_/.test(name) ? stored : "q8") : "f32", isMatrix ? shape[0]! : 1, shape.at(-1)!);
  });
  expect(model.memory().weights).toBe(bytes.reduce((a, b) => a + b, 0));
  const { cases } = readModelGolden("rxnmapper-albert");
  const inputs = cases.map((c): ForwardInput => ({ inputIds: [c.input_ids] }));
  const share = agreement(
    cases.flatMap((c) => c.logits.argmax),
    await choices(model, inputs),
  );
  console.log(`rxnmapper-albert q8: top-1 agreement ${share.toFixed(4)}`);
  expect(share).toBeGreaterThanOrEqual(0.98);
});

test.each([
  ["gpt_neox", "q8", 0.03],
  ["gpt_neox", "q4", 0.4],
  ["cohere", "q8", 0.05],
] as const)("rows that are put in another order are quantised: %s, %s", async (name, dtype, tolerance) => {
  const { directory: path, golden, weights } = readOwnPack(name);
  using model = await loadModel(directory(path), { device: await getDevice(), dtype });
  const bytes = [...weights.values()].map(({ shape }) => (shape.length === 2 ? weightBytes(dtype, shape[0]!, shape[1]!) : 4 * shape[0]!));
  // Joined projections of which only some have biases have zeros for the others'.
  const share = model.memory().weights / bytes.reduce((a, b) => a + b, 0);
  expect(share).toBeGreaterThanOrEqual(1);
  expect(share).toBeLessThan(1.03);
  const { inputs, outputs } = golden.cases[0]!;
  const rows = await logitsOf(model, { inputIds: inputs.input_ids });
  const gold = outputs.logits!.data;
  const largest = gold.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  const worst = rows.flatMap((row) => [...row]).reduce((most, x, i) => Math.max(most, Math.abs(x - gold[i]!)), 0);
  console.log(`${name} ${dtype}: logits off by ${(worst / largest).toFixed(4)} of the largest`);
  expect(worst / largest).toBeLessThan(tolerance);
});

test("a large tensor is quantised in bounded host memory", async () => {
  // The null backend takes everything and computes nothing.
  const device = await getNullDevice();
  const [rows, columns] = [1 << 16, 1 << 10];
  const bytes = 4 * rows * columns;
  const head = safetensors({ w: { dtype: "F32", shape: [rows, columns], data_offsets: [0, bytes] } }, 0);
  const block = new Uint8Array(1 << 20);
  const source: Source = {
    open(_name, { offset = 0, length = head.length + bytes } = {}) {
      let at = offset;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= offset + length) return controller.close();
          const part = at < head.length ? head.subarray(at, offset + length) : block.subarray(0, offset + length - at);
          at += part.length;
          controller.enqueue(part);
        },
      });
      return Promise.resolve({ size: head.length + bytes, stream });
    },
  };
  const g = new Graph();
  g.output("y", matmul(g, g.input("x", [1, columns]), g.weight("w", [rows, columns])));
  const { weights } = compile(g, { name: "large", traits: traitsOf(device), expect: {}, stored: () => "q4" });
  const checkpoint = await openCheckpoint(source);
  const counts = countDevice(device);
  const memory = watchArrayBuffers();
  let last = 0;
  const buffers = await uploadWeights(device, source, weights, planWeights(weights, checkpoint, "model.safetensors"), {
    onProgress({ loaded }) {
      last = loaded;
      memory.look();
    },
  });
  expect(last).toBe(bytes);
  // The staging is gone already.
  expect(counts.bytes).toBe(weightBytes("q4", rows, columns));
  counts.restore();
  for (const buffer of buffers.values()) buffer.destroy();
  expect(memory.most()).toBeLessThanOrEqual(64);
});

test("nothing is left after 100 rounds of load, run, dispose", async () => {
  const device = await getDevice();
  const counts = countDevice(device);
  try {
    const source = directory(readModel("stories260K").directory);
    for (let round = 0; round < 100; round++) {
      const model = await loadModel(source, { device, dtype: round % 2 ? "q8" : "q4" });
      if (round % 10 === 0) await model.generate([1, 403], { maxNewTokens: 3 });
      model.dispose();
      expect(counts.bytes, `round ${round}`).toBe(0);
    }
  } finally {
    counts.restore();
  }
});
