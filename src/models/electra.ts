// ELECTRA (Clark et al. 2020): BERT with narrower embeddings, trained as a discriminator that tells replaced tokens from real ones;
// its small generator is a masked language model.
import type { ConfigReader } from "../load/config.ts";
import { linear } from "../nn/linear.ts";
import { activation } from "../ops/map.ts";
import type { Graph, Value } from "../schedule/graph.ts";
import type { Architecture, CheckpointNames, Family } from "./architecture.ts";
import { BERT_BASE, readBert } from "./bert.ts";
import { type EncoderHeadNames, encoderHeadOf } from "./heads.ts";

const DISCRIMINATOR = "discriminator_predictions";

const HEADS: EncoderHeadNames = {
  maskedLanguage: {
    dense: "generator_predictions.dense",
    activation: "gelu",
    norm: "generator_predictions.LayerNorm",
    decoder: ["generator_lm_head.weight"],
    bias: ["generator_lm_head.bias"],
  },
  sequence: { dense: "classifier.dense", activation: "gelu", out: "classifier.out_proj" },
};

function read(config: ConfigReader, checkpoint: CheckpointNames): Architecture {
  const discriminates = config.strings("architectures")[0]?.endsWith("ForPreTraining") ?? false;
  return readBert(config, checkpoint, {
    modelType: "electra",
    prefix: "electra",
    embeddingSize: config.int("embedding_size"),
    head: discriminates ? "replaced-token-detection" : encoderHeadOf(config, checkpoint, HEADS),
    headNames: HEADS,
    ownHead(g: Graph, x: Value, head) {
      if (head !== "replaced-token-detection") return undefined;
      const hidden = linear(g, x, `${DISCRIMINATOR}.dense`, { out: config.int("hidden_size") });
      return linear(
        g,
        activation(g, hidden, config.activation("hidden_act"), { path: DISCRIMINATOR }),
        `${DISCRIMINATOR}.dense_prediction`,
        {
          out: 1,
        },
      );
    },
  });
}

export const electra: Family = {
  modelTypes: ["electra"],
  generates: false,
  prefix: "electra",
  defaults: () => ({ ...BERT_BASE, embedding_size: 128, hidden_size: 256, num_attention_heads: 4, intermediate_size: 1024 }),
  read,
};
