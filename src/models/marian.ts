// Marian (Junczys-Dowmunt et al. 2018) as Hugging Face's MarianMTModel: a post-norm encoder–decoder Transformer with
// sinusoidal positions and embeddings shared by encoder, decoder and output.
import { sinusoidHalves } from "../nn/position.ts";
import type { Family } from "./architecture.ts";
import { BART_LARGE, readBart } from "./bart.ts";

export const marian: Family = {
  modelTypes: ["marian"],
  prefix: "model",
  defaults: () => ({ ...BART_LARGE, vocab_size: 58101 }),
  read(config, checkpoint) {
    config.expect("static_position_embeddings", true, "only sinusoidal positions are built");
    // Hugging Face's class has none of these norms, and leaves them out in silence where a file asks for them.
    config.expect("normalize_before", false, "Marian's layers are post-norm here");
    config.expect("normalize_embedding", false, "embeddings are not normalised here");
    config.expect("add_final_layer_norm", false, "Marian's layers are post-norm here");
    const shared = config.bool("share_encoder_decoder_embeddings", true);
    return readBart(config, checkpoint, {
      modelType: "marian",
      positions: { table: (width) => (rows) => sinusoidHalves(rows, width) },
      preNorm: false,
      embeddingNorm: false,
      ...(!shared && { targetVocabSize: config.int("decoder_vocab_size", { default: config.int("vocab_size") }) }),
    });
  },
};
