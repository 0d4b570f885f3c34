// Blenderbot (Roller et al. 2020): BART with norms before the sublayers and a short encoder, for conversations. Blenderbot-small has them after
// the sublayers, and normalises what its decoder is given before it adds the positions.
import type { Family } from "./architecture.ts";
import { readBart } from "./bart.ts";

export const blenderbot: Family = {
  modelTypes: ["blenderbot"],
  prefix: "model",
  // Sizes of Blenderbot 3B.
  defaults: () => ({
    vocab_size: 8008,
    d_model: 2560,
    encoder_layers: 2,
    encoder_attention_heads: 32,
    encoder_ffn_dim: 10240,
    decoder_layers: 24,
    decoder_attention_heads: 32,
    decoder_ffn_dim: 10240,
    activation_function: "gelu",
    max_position_embeddings: 128,
  }),
  read: (config, checkpoint) =>
    readBart(config, checkpoint, { modelType: "blenderbot", positions: { offset: 0 }, preNorm: true, embeddingNorm: false }),
};

export const blenderbotSmall: Family = {
  modelTypes: ["blenderbot-small"],
  prefix: "model",
  defaults: () => ({
    vocab_size: 50265,
    d_model: 512,
    encoder_layers: 8,
    encoder_attention_heads: 16,
    encoder_ffn_dim: 2048,
    decoder_layers: 8,
    decoder_attention_heads: 16,
    decoder_ffn_dim: 2048,
    activation_function: "gelu",
    max_position_embeddings: 512,
  }),
  read: (config, checkpoint) =>
    readBart(config, checkpoint, { modelType: "blenderbot-small", positions: { offset: 0 }, preNorm: false, embeddingNorm: "tokens" }),
};
