// RoBERTa (Liu et al. 2019) and its multilingual and French siblings XLM-R (Conneau et al. 2020) and CamemBERT (Martin et al. 2020):
// BERT whose positions begin behind the padding id, with heads of their own names.
import type { ConfigReader } from "../load/config.ts";
import type { Architecture, CheckpointNames, Family } from "./architecture.ts";
import { BERT_BASE, readBert } from "./bert.ts";
import type { EncoderHeadNames } from "./heads.ts";

/** Those of MPNet too. */
export const ROBERTA_HEADS: EncoderHeadNames = {
  maskedLanguage: {
    dense: "lm_head.dense",
    activation: "gelu",
    norm: "lm_head.layer_norm",
    decoder: ["lm_head.decoder.weight"],
    bias: ["lm_head.bias", "lm_head.decoder.bias"],
  },
  sequence: { dense: "classifier.dense", activation: "tanh", out: "classifier.out_proj" },
};

const read = (config: ConfigReader, checkpoint: CheckpointNames): Architecture =>
  readBert(config, checkpoint, {
    modelType: config.oneOf("model_type", ["roberta", "xlm-roberta", "camembert"]),
    prefix: "roberta",
    firstPosition: config.int("pad_token_id", { min: 0, default: 1 }) + 1,
    headNames: ROBERTA_HEADS,
  });

export const roberta: Family = {
  modelTypes: ["roberta", "xlm-roberta", "camembert"],
  generates: false,
  prefix: "roberta",
  defaults: (modelType) => ({ ...BERT_BASE, ...(modelType === "roberta" && { vocab_size: 50265 }) }),
  read,
};
