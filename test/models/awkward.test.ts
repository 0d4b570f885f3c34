// Checkpoints of every family at sizes nobody picks — head size 20, d_model 60, one key head, odd vocabularies, lengths 1,
// 17, 65, 300 — against the f64 reference, in all storage types.
import { afterEach, describe, expect, it } from "vitest";
import { loadModel, type Model } from "../../src/index.ts";
import { forward, generateWith, type ModelInputs } from "../reference/models.ts";
import { getDevice } from "../setup/gpu.ts";
import { expectClose } from "../support/compare.ts";
import { integers } from "../support/random.ts";
import { type Family, randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { type StorageDtype, writeSafetensors } from "../support/safetensors.ts";
import { expectGeneration, expectMaps, expectTensor, toForwardInput } from "./run.ts";

interface Case {
  readonly family: Family;
  readonly changes: Record<string, unknown>;
  readonly dtype: StorageDtype;
  readonly length: number;
}

const CASES: readonly Case[] = [
  {
    family: "marian",
    dtype: "F32",
    length: 17,
    changes: {
      d_model: 60,
      encoder_attention_heads: 3,
      decoder_attention_heads: 3,
      encoder_ffn_dim: 33,
      decoder_ffn_dim: 65,
      vocab_size: 101,
    },
  },
  {
    family: "marian",
    dtype: "F16",
    length: 1,
    changes: {
      d_model: 7,
      encoder_attention_heads: 1,
      decoder_attention_heads: 1,
      encoder_ffn_dim: 13,
      decoder_ffn_dim: 9,
      vocab_size: 37,
      encoder_layers: 1,
    },
  },
  {
    family: "marian",
    dtype: "BF16",
    length: 65,
    changes: { d_model: 64, encoder_attention_heads: 8, decoder_attention_heads: 2, vocab_size: 67, max_position_embeddings: 128 },
  },
  {
    family: "marian",
    dtype: "F32",
    length: 3,
    changes: {
      share_encoder_decoder_embeddings: false,
      vocab_size: 43,
      decoder_vocab_size: 71,
      pad_token_id: 70,
      decoder_start_token_id: 70,
    },
  },
  {
    family: "albert",
    dtype: "F16",
    length: 65,
    changes: {
      hidden_size: 60,
      num_attention_heads: 3,
      embedding_size: 18,
      intermediate_size: 35,
      vocab_size: 53,
      num_hidden_groups: 2,
      num_hidden_layers: 4,
      max_position_embeddings: 128,
    },
  },
  {
    family: "albert",
    dtype: "F32",
    length: 3,
    changes: { hidden_size: 20, num_attention_heads: 1, embedding_size: 5, intermediate_size: 7, vocab_size: 11, inner_group_num: 2 },
  },
  {
    family: "llama",
    dtype: "BF16",
    length: 17,
    changes: { hidden_size: 60, num_attention_heads: 3, num_key_value_heads: 1, intermediate_size: 77, vocab_size: 131 },
  },
  {
    family: "llama",
    dtype: "F32",
    length: 300,
    changes: {
      hidden_size: 40,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      intermediate_size: 45,
      vocab_size: 97,
      max_position_embeddings: 512,
    },
  },
  {
    family: "llama",
    dtype: "F16",
    length: 1,
    changes: {
      hidden_size: 18,
      num_attention_heads: 3,
      num_key_value_heads: 3,
      head_dim: 14,
      attention_bias: true,
      vocab_size: 19,
      tie_word_embeddings: true,
    },
  },
];

let model: Model | undefined;
afterEach(() => model?.dispose());

const title = ({ family, dtype, length, changes }: Case) => `${family} ${dtype}, ${length} tokens, ${JSON.stringify(changes)}`;

describe.each(CASES.map((c) => [title(c), c] as const))("%s", (_, { family, changes, dtype, length }) => {
  const config = tinyConfig(family, changes);
  const checkpoint = randomCheckpoint(config, { seed: length, dtype });
  const vocabulary = Number(config["vocab_size"]);
  const ids = (count: number, seed: number, of = vocabulary) => integers(count, { seed, low: 3, high: of - 1 });
  const target = Number(config["decoder_vocab_size"] ?? vocabulary);
  // The second row is shorter: padded on the right.
  const short = Math.max(1, length - 2);
  const inputs: ModelInputs = {
    input_ids: [ids(length, 1), [...ids(short, 2), ...Array.from({ length: length - short }, () => 0)]],
    attention_mask: [Array.from({ length }, () => 1), Array.from({ length }, (__, t) => (t < short ? 1 : 0))],
    ...(family === "marian" && { decoder_input_ids: [ids(5, 3, target), ids(5, 4, target)] }),
  };

  it("gives the reference's logits, hidden states and maps", async () => {
    model = await loadModel(checkpoint.files, { device: await getDevice() });
    const gold = forward(config, checkpoint.weights, inputs);
    const capture = length <= 65;
    const run = await model.forward(toForwardInput(inputs), { capture: capture ? "all" : undefined });
    const rows = family === "marian" ? undefined : inputs.attention_mask;
    await expectTensor(run.logits, gold.logits!, rows, "logits");
    await expectTensor(run.lastHiddenState, gold.lastHiddenState, rows, "lastHiddenState");
    if (gold.encoderLastHiddenState)
      await expectTensor(run.encoderLastHiddenState, gold.encoderLastHiddenState, inputs.attention_mask, "encoder");
    for (const kind of ["encoder", "decoder", "cross"] as const) {
      const layers = capture ? gold.attentions[kind] : undefined;
      if (layers)
        await expectMaps(
          run,
          kind,
          layers.map(({ shape, data }) => ({ shape: shape.slice(1), data: data.slice(0, data.length / shape[0]!) })),
          family,
        );
    }
    run.dispose();
  });

  it("puts left-padded rows back where they were", async () => {
    if (length < 3) return;
    const left: ModelInputs = {
      ...inputs,
      input_ids: [inputs.input_ids[0]!, [0, 0, ...inputs.input_ids[1]!.slice(0, short)]],
      attention_mask: [inputs.attention_mask![0]!, [0, 0, ...Array.from({ length: short }, () => 1)]],
    };
    model = await loadModel(checkpoint.files, { device: await getDevice() });
    const right = await model.forward(toForwardInput(inputs));
    const moved = await model.forward(toForwardInput(left));
    const pick = family === "marian" ? "encoderLastHiddenState" : "lastHiddenState";
    const [a, b] = [await right[pick]!.read(), await moved[pick]!.read()];
    const features = right[pick]!.shape[2]!;
    const row = a.length / 2;
    expectClose(b.subarray(row + 2 * features), a.subarray(row, row + short * features), { name: pick });
    expect(b.subarray(row, row + 2 * features).every((x) => x === 0)).toBe(true);
    right.dispose();
    moved.dispose();
  });

  if (family !== "albert" && length <= 17) {
    it.each([
      { num_beams: 1 },
      { num_beams: 3, length_penalty: 0.7 },
      { num_beams: 3, suppress_tokens: [4, 5, 6, 7, 8, 9, 10], renormalize_logits: true },
    ])("generates the reference's ids with %j", async (kwargs) => {
      model = await loadModel(checkpoint.files, { device: await getDevice() });
      const prompt: ModelInputs = { input_ids: inputs.input_ids, attention_mask: inputs.attention_mask };
      const settings = { max_new_tokens: 6, ...kwargs };
      // The reference runs rows alone; Hugging Face wants decoder-only prompts padded on the left.
      const each = prompt.input_ids.map((row, b) => row.filter((__, t) => prompt.attention_mask![b]![t] === 1));
      for (const row of each) {
        const { ids: gold } = generateWith(config, checkpoint.weights, { input_ids: [row] }, [checkpoint.generationConfig, settings]);
        await expectGeneration(model, { input_ids: [row] }, settings, gold, Number(checkpoint.generationConfig.pad_token_id ?? 0), family);
      }
    });
  }
});

describe("names that exports differ in", () => {
  const renamed = (family: Family, rename: (name: string) => string) => {
    const config = tinyConfig(family, {});
    const { files, weights } = randomCheckpoint(config);
    const others = new Map([...weights].map(([name, value]) => [rename(name), value]));
    return { config, weights, files: { ...files, "model.safetensors": writeSafetensors(others) } };
  };

  it.each(["model.encoder.embed_tokens.weight", "model.decoder.embed_tokens.weight", "lm_head.weight"])("Marian's %s", async (name) => {
    const { config, weights, files } = renamed("marian", (old) => (old === "model.shared.weight" ? name : old));
    model = await loadModel(files, { device: await getDevice() });
    const inputs: ModelInputs = { input_ids: [[5, 9, 0]], decoder_input_ids: [[60, 7]] };
    using run = await model.forward(toForwardInput(inputs));
    await expectTensor(run.logits, forward(config, weights, inputs).logits!, undefined, "logits");
  });

  it("the bare AlbertModel's", async () => {
    const { config, weights, files } = renamed("albert", (old) => old.replace("albert.", ""));
    model = await loadModel(files, { device: await getDevice() });
    const inputs: ModelInputs = { input_ids: [[5, 9, 3, 7]] };
    using run = await model.forward(toForwardInput(inputs), { capture: "all" });
    await expectTensor(run.lastHiddenState, forward(config, weights, inputs).lastHiddenState, undefined, "lastHiddenState");
  });
});
