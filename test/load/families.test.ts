// What the families' pages make of configs as they are found: silent ones, with nulls, of other versions of transformers.
import { describe, expect, test } from "vitest";
import { decodeGraph, encodeGraph } from "../../src/engine/graphs.ts";
import { ConfigError, UnsupportedError } from "../../src/errors.ts";
import { ConfigReader } from "../../src/load/config.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { familyOf, MODEL_TYPES } from "../../src/models/registry.ts";
import { attentionOp } from "../../src/ops/attention.ts";
import { mapOp } from "../../src/ops/map.ts";
import type { Graph } from "../../src/schedule/graph.ts";

/** A config as loadModel reads it, and a file that has these tensors. */
async function read(config: Record<string, unknown>, tensors: readonly string[] = []): Promise<Architecture> {
  const modelType = String(config["model_type"]);
  const family = await familyOf(modelType);
  return family.read(new ConfigReader(config).withDefaults(family.defaults?.(modelType)), { has: (name) => tensors.includes(name) });
}

const encoderOf = (architecture: Architecture) => encodeGraph({ architecture, kv: "f32" });
const decoderOf = (architecture: Architecture): Graph => {
  const { g, logits } = decodeGraph({ architecture, kv: "f32" }, { rows: "rows", query: "query" });
  if (logits) g.output("logits", logits);
  return g;
};
const weightsOf = (g: Graph) =>
  new Set(
    g.nodes.flatMap((node) =>
      Object.values(node.inputs).flatMap((v) => (v?.origin.kind === "weight" ? v.origin.parts.map((p) => p.tensor) : [])),
    ),
  );
const attentionsOf = (g: Graph) => g.nodes.filter((node) => attentionOp.is(node));

/** Hugging Face's configuration classes without arguments: vocabulary, positions, layers and heads, of the encoder and of the decoder. */
const SILENT: Readonly<Record<string, readonly [number, number, number, number, number?, number?]>> = {
  albert: [30000, 512, 12, 64],
  bart: [50265, 1024, 12, 16, 12, 16],
  bert: [30522, 512, 12, 12],
  blenderbot: [8008, 128, 2, 32, 24, 32],
  "blenderbot-small": [50265, 512, 8, 16, 8, 16],
  bloom: [250880, 65536, 2, 8],
  camembert: [30522, 510, 12, 12],
  cohere: [256000, 8192, 40, 64],
  cohere2: [256000, 8192, 40, 64],
  distilbert: [30522, 512, 6, 12],
  electra: [30522, 512, 12, 4],
  gemma: [256000, 8192, 28, 16],
  gemma2: [256000, 8192, 26, 8],
  gemma3_text: [262208, 131072, 26, 8],
  gpt2: [50257, 1024, 12, 12],
  gpt_neox: [50432, 2048, 44, 64],
  granite: [32000, 2048, 32, 32],
  llama: [32000, 2048, 32, 32],
  m2m_100: [128112, 1024, 12, 16, 12, 16],
  marian: [58101, 1024, 12, 16, 12, 16],
  mbart: [50265, 1024, 12, 16, 12, 16],
  mistral: [32000, 131072, 32, 32],
  modernbert: [50368, 8192, 22, 12],
  mpnet: [30527, 510, 12, 12],
  mt5: [250112, 65536, 8, 6, 8, 6],
  olmo2: [50304, 2048, 32, 32],
  opt: [50272, 2048, 12, 12],
  pegasus: [50265, 1024, 12, 16, 12, 16],
  phi3: [32064, 4096, 32, 32],
  qwen2: [151936, 32768, 32, 32],
  qwen3: [151936, 32768, 32, 32],
  roberta: [50265, 510, 12, 12],
  smollm3: [128256, 32768, 36, 16],
  stablelm: [50304, 4096, 32, 32],
  starcoder2: [49152, 4096, 30, 24],
  t5: [32128, 65536, 6, 8, 6, 8],
  umt5: [250112, 65536, 8, 6, 8, 6],
  "xlm-roberta": [30522, 510, 12, 12],
};

describe("where config.json is silent", () => {
  test("every family is known", () => expect(Object.keys(SILENT)).toEqual([...MODEL_TYPES]));

  test.each(Object.entries(SILENT))("%s has the sizes of Hugging Face's class", async (modelType, expected) => {
    const { vocabSize, maxPositions, attention, kind } = await read({ model_type: modelType });
    const sizes = (["encoder", "decoder"] as const).flatMap((side) => {
      const modules = attention[side];
      return modules ? [modules.paths.length, modules.heads] : [];
    });
    expect([vocabSize, maxPositions, ...sizes]).toEqual(expected);
    expect(sizes.length).toBe(kind === "encoder-decoder" ? 4 : 2);
  });

  test("a null is something said", async () => {
    const mistral = async (config: object) => attentionsOf(decoderOf(await read({ model_type: "mistral", ...config })))[0]!.attrs;
    expect(await mistral({})).toMatchObject({ window: 4096, kvHeads: 8 });
    expect(await mistral({ sliding_window: null, num_key_value_heads: null })).toMatchObject({ window: undefined, kvHeads: 32 });
    await expect(read({ model_type: "bert", hidden_size: null })).rejects.toThrow(ConfigError);
  });

  test("BLOOM's sizes by the names of its first checkpoints", async () => {
    const config = { model_type: "bloom", n_embed: 48, num_hidden_layers: 3, num_attention_heads: 6 };
    const g = decoderOf(await read(config));
    expect(attentionsOf(g).map(({ attrs }) => attrs)).toMatchObject(
      Array.from({ length: 3 }, () => ({ heads: 6, kvHeads: 6, scale: 8 ** -0.5 })),
    );
  });

  test("M2M-100 scales its embeddings, BART has three labels", async () => {
    const scales = async (modelType: string) =>
      encoderOf(await read({ model_type: modelType })).nodes.find((n) => n.op === "embedding")!.attrs as { scale?: number };
    expect(await scales("m2m_100")).toMatchObject({ scale: 32 });
    expect(await scales("mbart")).toMatchObject({ scale: 1 });
    const bart = decoderOf(await read({ model_type: "bart", architectures: ["BartForSequenceClassification"], id2label: {} }));
    expect(bart.outputs.find((o) => o.name === "logits")!.value.shape.at(-1)).toBe(3);
  });
});

describe("heads", () => {
  const heads = [
    "cls.predictions.transform.dense.weight",
    "cls.predictions.transform.LayerNorm.weight",
    "cls.predictions.decoder.weight",
    "cls.predictions.bias",
  ];

  test.each([null, [], ["BertForMaskedLM"], ["BertForPreTraining"], ["BertLMHeadModel"]])(
    "architectures %j: the file's own",
    async (names) => {
      expect((await read({ model_type: "bert", architectures: names }, heads)).head).toBe("masked-lm");
      expect((await read({ model_type: "bert", architectures: names })).head).toBe("none");
    },
  );

  test("a tied output matrix is not loaded twice, one that is not is", async () => {
    const weights = async (config: object) =>
      weightsOf(encoderOf(await read({ model_type: "bert", architectures: ["BertForMaskedLM"], ...config }, heads)));
    expect(await weights({})).not.toContain("cls.predictions.decoder.weight");
    expect(await weights({ tie_word_embeddings: false })).toContain("cls.predictions.decoder.weight");
  });

  test("Marian with two vocabularies: the decoder's embeddings by the name that the file kept", async () => {
    const config = { model_type: "marian", share_encoder_decoder_embeddings: false };
    const weights = async (...tensors: string[]) => weightsOf(decoderOf(await read(config, tensors)));
    expect(await weights("model.encoder.embed_tokens.weight", "lm_head.weight")).toContain("lm_head.weight");
    expect(await weights("model.decoder.embed_tokens.weight")).toContain("model.decoder.embed_tokens.weight");
  });
});

test("stacks that are not tied have embeddings of their own where the file has them", async () => {
  const [shared, own] = ["model.shared.weight", "model.encoder.embed_tokens.weight"] as const;
  const weights = async (tied: boolean, ...tensors: string[]) =>
    weightsOf(encoderOf(await read({ model_type: "bart", tie_word_embeddings: tied }, [...tensors, "lm_head.weight"])));
  expect(await weights(false, shared, own)).toContain(own);
  expect(await weights(false, shared)).toContain(shared);
  // One matrix under two names is not loaded twice.
  expect(await weights(true, shared, own)).not.toContain(own);
});

describe("T5", () => {
  const decoder = async (config: object, ...tensors: string[]) => {
    const g = decoderOf(await read({ model_type: "t5", ...config }, tensors));
    const scaled = g.nodes.some((node) => mapOp.is(node) && node.path === "lm_head" && node.attrs.factor !== 1);
    return { scaled, own: weightsOf(g).has("lm_head.weight") };
  };

  test("output matrix and its scale, as transformers 4 and 5 say them", async () => {
    expect(await decoder({}, "lm_head.weight")).toEqual({ scaled: true, own: false });
    expect(await decoder({ tie_word_embeddings: false }, "lm_head.weight")).toEqual({ scaled: false, own: true });
    expect(await decoder({ tie_word_embeddings: false })).toEqual({ scaled: false, own: false });
    expect(await decoder({ scale_decoder_outputs: false }, "lm_head.weight")).toEqual({ scaled: false, own: true });
    expect(await decoder({ scale_decoder_outputs: true })).toEqual({ scaled: true, own: false });
    expect(await decoder({ model_type: "mt5" }, "lm_head.weight")).toEqual({ scaled: false, own: true });
    expect(await decoder({ model_type: "mt5", tie_word_embeddings: true }, "lm_head.weight")).toEqual({ scaled: false, own: true });
    expect(await decoder({ model_type: "umt5", tie_word_embeddings: true }, "lm_head.weight")).toEqual({ scaled: true, own: false });
  });

  test("classifiers hold the model as a module of theirs, and what reads questions does not", async () => {
    const ofDecoder = { kind: "encoder-decoder", shiftedStart: 0 };
    const classes = [
      ["transformer.", "T5ForSequenceClassification", { head: "sequence-classification", ...ofDecoder }, ["rows", 3]],
      ["transformer.", "T5ForTokenClassification", { head: "token-classification", kind: "encoder" }, ["batch", "source", 3]],
      ["", "T5ForQuestionAnswering", { head: "question-answering", ...ofDecoder }, ["rows", "query", 2]],
    ] as const;
    for (const [root, name, expected, shape] of classes) {
      const file = [`${root}shared.weight`, `${root}encoder.final_layer_norm.weight`];
      const architecture = await read({ model_type: "t5", num_labels: 3, architectures: [name] }, file);
      expect(architecture).toMatchObject(expected);
      const g = expected.kind === "encoder" ? encoderOf(architecture) : decoderOf(architecture);
      const stack = expected.kind === "encoder" ? "encoder" : "decoder";
      expect(weightsOf(g)).toContain(`${root}${stack}.block.0.layer.0.SelfAttention.q.weight`);
      expect(g.outputs.find((o) => o.name === "logits")!.value.shape).toEqual(shape);
    }
  });

  test("the class of the first files writes", async () => {
    expect((await read({ model_type: "t5", architectures: ["T5WithLMHeadModel"] })).head).toBe("seq2seq-lm");
  });

  test.each([
    ["relu", "relu", false],
    ["gelu_new", "gelu_new", false],
    ["gated-gelu", "gelu_new", true],
    ["gated-relu", "relu", true],
    ["gated-silu", "silu", true],
    ["gated-swish", "silu", true],
  ])("feed_forward_proj %s", async (name, activation, gated) => {
    const g = encoderOf(await read({ model_type: "t5", feed_forward_proj: name }));
    expect(g.nodes.some((node) => mapOp.is(node) && node.attrs.activation === activation)).toBe(true);
    expect(weightsOf(g).has("encoder.block.0.layer.1.DenseReluDense.wi_1.weight")).toBe(gated);
  });

  test.each(["gated", "gated-", "gated-nonesuch", 3, "constructor"])("feed_forward_proj %j is refused", async (name) => {
    await expect(read({ model_type: "t5", feed_forward_proj: name })).rejects.toMatchObject({
      name: "ConfigError",
      field: "feed_forward_proj",
    });
  });
});

test("ALBERT's groups fall as in the reference, which rounds", async () => {
  const { nodes } = encoderOf(await read({ model_type: "albert", num_hidden_layers: 18, num_hidden_groups: 14 }));
  const groups = nodes.flatMap((node) =>
    node.op === "matmul" ? (/layer_groups\.(\d+)\.albert_layers\.0\.ffn$/.exec(node.path)?.[1] ?? []) : [],
  );
  expect(groups.map(Number)).toEqual(Array.from({ length: 18 }, (_, i) => Math.trunc(i / (18 / 14))));
  // 9 / (18 / 14) is 6.999…
  expect(groups[9]).toBe("6");
});

test.each([
  [{}, "gelu_new"],
  [{ hidden_act: "gelu" }, "gelu_new"],
  [{ hidden_act: "silu" }, "silu"],
  [{ hidden_act: "gelu", hidden_activation: "relu" }, "relu"],
])("Gemma's activation by %j", async (config, activation) => {
  const g = decoderOf(await read({ model_type: "gemma", ...config }));
  expect(g.nodes.find((node) => mapOp.is(node) && node.attrs.activation)?.attrs).toMatchObject({ activation });
});

test("classes for question answering call a Llama transformer", async () => {
  const weights = async (...tensors: string[]) =>
    weightsOf(decoderOf(await read({ model_type: "llama", num_hidden_layers: 1, architectures: ["LlamaForQuestionAnswering"] }, tensors)));
  const old = ["transformer.embed_tokens.weight", "transformer.layers.0.self_attn.q_proj.weight", "transformer.norm.weight"];
  expect([...(await weights(...old))]).toEqual(expect.arrayContaining(old));
  expect(await weights()).toContain("model.layers.0.self_attn.q_proj.weight");
});

test("scores are capped in Gemma 2 alone, whatever the config says", async () => {
  const capped = async (modelType: string) =>
    attentionsOf(decoderOf(await read({ model_type: modelType, attn_logit_softcapping: 20, final_logit_softcapping: 10 })))[0]!.attrs;
  expect(await capped("gemma2")).toMatchObject({ softcap: 20 });
  expect(await capped("gemma3_text")).toMatchObject({ softcap: undefined });
});

test("Phi-3's long angles begin where the config says it beside them", async () => {
  const factors = (x: number) => Array.from({ length: 48 }, () => x);
  const long = (rope: object) => ({
    model_type: "phi3",
    rope_scaling: { type: "longrope", short_factor: factors(1), long_factor: factors(2), ...rope },
  });
  const own = async (config: object, total: number) => (await read({ model_type: "phi3", ...config })).tablesOf!({ prompt: 1, total });
  expect(await own(long({ original_max_position_embeddings: 16 }), 4096)).toBe(false);
  expect(await own(long({}), 4097)).toBe(true);
  expect(await own({ ...long({}), original_max_position_embeddings: 32 }, 33)).toBe(true);
});

test("MPNet's first position and buckets are constants of the reference", async () => {
  const config = { model_type: "mpnet", pad_token_id: 0, relative_attention_num_buckets: 40, max_position_embeddings: 20 };
  const architecture = await read(config);
  expect(architecture.maxPositions).toBe(18);
  const buckets = architecture.tables["buckets"]!(400, { prompt: 1, total: 1 });
  expect(Math.max(...buckets)).toBe(31);
});

describe("what is not built is refused", () => {
  test("windows of another kind, or of some layers only", async () => {
    const qwen = (types: readonly string[]) => read({ model_type: "qwen2", num_hidden_layers: 2, layer_types: types });
    await expect(qwen(["full_attention", "linear_attention"])).rejects.toThrow(UnsupportedError);
    await expect(qwen(["full_attention"])).rejects.toThrow(/1 entries/);
    await expect(qwen(["full_attention", "sliding_attention"])).resolves.toBeDefined();
  });

  test("more layers than any model has, by whatever name", async () => {
    const albert = (inner: number) => read({ model_type: "albert", num_hidden_layers: 512, inner_group_num: inner });
    await expect(albert(2)).rejects.toMatchObject({ name: "ConfigError", field: "inner_group_num" });
    await expect(albert(1)).resolves.toBeDefined();
  });

  test("norms without weights, or of every head its own", async () => {
    await expect(read({ model_type: "opt", layer_norm_elementwise_affine: false })).rejects.toThrow(UnsupportedError);
    await expect(read({ model_type: "stablelm", qk_layernorm: true })).rejects.toThrow(/qk_layernorm/);
    await expect(read({ model_type: "cohere", use_qk_norm: true })).rejects.toThrow(/use_qk_norm/);
  });

  test("half of a pair of features to turn", async () => {
    const neox = (rotary_pct: number) => read({ model_type: "gpt_neox", hidden_size: 36, num_attention_heads: 3, rotary_pct });
    await expect(neox(0.3)).rejects.toMatchObject({ name: "ConfigError", field: "rotary_pct", got: 3 });
    await expect(neox(0)).rejects.toThrow(ConfigError);
    await expect(neox(0.5)).resolves.toBeDefined();
  });

  test("the decoder of an encoder–decoder alone", async () => {
    await expect(read({ model_type: "mbart", architectures: ["MBartForCausalLM"], is_encoder_decoder: false })).rejects.toThrow(
      UnsupportedError,
    );
  });

  test("Gemma that looks ahead", async () => {
    await expect(read({ model_type: "gemma3_text", use_bidirectional_attention: true })).rejects.toThrow(/use_bidirectional_attention/);
    await expect(read({ model_type: "gemma3_text", use_bidirectional_attention: null })).resolves.toBeDefined();
  });
});
