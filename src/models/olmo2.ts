// OLMo 2 (Walsh et al. 2024): Llama whose norms stand behind the sublayers, and over all queries and all keys of a token.
import type { Family } from "./architecture.ts";
import { LLAMA_7B, readLlama } from "./llama.ts";

export const olmo2: Family = {
  modelTypes: ["olmo2"],
  prefix: "model",
  defaults: () => ({ ...LLAMA_7B, vocab_size: 50304, rms_norm_eps: 1e-5 }),
  read: (config, checkpoint) =>
    readLlama(config, checkpoint, {
      modelType: "olmo2",
      bias: config.bool("attention_bias", false),
      norms: "after",
      attention: { headNorm: { q: "q_norm", k: "k_norm", eps: config.float("rms_norm_eps", { min: 0 }), whole: true } },
    }),
};
