// What stands on the last hidden state, as Hugging Face's class names say: language models, classifiers, question answering.
import type { Activation } from "../../shaders/snippets.ts";
import type { ConfigReader } from "../load/config.ts";
import { linear } from "../nn/linear.ts";
import { layerNorm } from "../nn/norm.ts";
import { activation } from "../ops/map.ts";
import { matmul } from "../ops/matmul.ts";
import { pickToken } from "../ops/pick-token.ts";
import { features, type Graph, type Value } from "../schedule/graph.ts";
import type { CheckpointNames, Head } from "./architecture.ts";

/** Ends of class names. Others are loaded as their base model, whose hidden states are all they give. */
const CLASSES: readonly (readonly [string, Head])[] = [
  ["ForMaskedLM", "masked-lm"],
  ["ForCausalLM", "causal-lm"],
  ["LMHeadModel", "causal-lm"],
  ["ForConditionalGeneration", "seq2seq-lm"],
  ["MTModel", "seq2seq-lm"],
  ["ForSequenceClassification", "sequence-classification"],
  ["ForTokenClassification", "token-classification"],
  ["ForQuestionAnswering", "question-answering"],
  ["ForPreTraining", "masked-lm"],
];

/**
 * The head that config.json's `architectures` names.
 * @param fallback where it names none
 */
export function headOf(config: ConfigReader, fallback: Head): Head {
  const [name] = config.strings("architectures");
  if (name === undefined) return fallback;
  return CLASSES.find(([end]) => name.endsWith(end))?.[1] ?? "none";
}

/** Labels of a classifier. */
export function labelsOf(config: ConfigReader): number {
  const named = Object.keys(config.object("id2label")?.raw ?? {}).length;
  return named > 0 ? named : config.int("num_labels", { default: 2 });
}

export interface MaskedLanguageNames {
  readonly dense: string;
  readonly activation: Activation;
  readonly norm: string;
  /** Names of the output matrix and of its bias: files keep one of several, or none of a matrix tied to the embeddings. */
  readonly decoder: readonly string[];
  readonly bias: readonly string[];
}

/**
 * Scores of the vocabulary at every token (Devlin et al. 2018): dense, activation, layer norm, embeddings.
 * @param x [batch, tokens, features]
 * @returns [batch, tokens, vocabulary]
 */
function maskedLanguageHead(g: Graph, x: Value, { config, names, checkpoint, embeddings, eps }: EncoderHeads): Value {
  const { dense, activation: kind, norm, decoder, bias } = names.maskedLanguage;
  const [vocabulary, size] = embeddings.shape as [number, number];
  const hidden = layerNorm(g, activation(g, linear(g, x, dense, { out: size }), kind, { path: dense }), norm, { eps });
  // A tied matrix that is in the file once more is not loaded twice.
  const own = config.bool("tie_word_embeddings", true) ? undefined : decoder.find((name) => checkpoint.has(name));
  const matrix = own === undefined ? embeddings : g.weight(own, [vocabulary, size]);
  const added = bias.find((name) => checkpoint.has(name)) ?? bias[0]!;
  return matmul(g, hidden, matrix, { path: decoder[0]!.replace(/\.weight$/, ""), bias: g.weight(added, [vocabulary]) });
}

export interface SequenceHead {
  /** The dense layer between token and classifier, and its activation; none: the token is classified as it is. */
  readonly dense?: string;
  readonly activation?: Activation;
  readonly out: string;
  /** Default true. */
  readonly bias?: boolean;
  readonly labels: number;
  /** i32 [batch]: then the last token is taken. Default: the first. */
  readonly lengths?: Value;
}

/**
 * Scores of a whole sequence, from its first token (BERT's [CLS]) or its last.
 * @param x [batch, tokens, features]
 * @returns [batch, labels]
 */
export function sequenceHead(g: Graph, x: Value, { dense, activation: kind, out, bias, labels, lengths }: SequenceHead): Value {
  const token = pickToken(g, x, { path: out, lengths });
  const hidden = dense === undefined ? token : linear(g, token, dense, { out: features(x) });
  return linear(g, kind ? activation(g, hidden, kind, { path: out }) : hidden, out, { out: labels, bias });
}

/** What the heads of an encoder are called; those that classify tokens have the same names in all of them. */
export interface EncoderHeadNames {
  readonly maskedLanguage: MaskedLanguageNames;
  readonly sequence: Pick<SequenceHead, "dense" | "activation" | "out">;
}

/**
 * The head of an encoder: where config.json names none, the masked language model's if the file has it. Sentence encoders name a masked
 * language model's class whose head their file has not; BertLMHeadModel and its like, where they are no decoders, are masked language models.
 */
export function encoderHeadOf(
  config: ConfigReader,
  checkpoint: CheckpointNames,
  { maskedLanguage }: { readonly maskedLanguage: Pick<MaskedLanguageNames, "dense"> },
): Head {
  const head = headOf(config, "masked-lm");
  if (head !== "masked-lm" && head !== "causal-lm") return head;
  return checkpoint.has(`${maskedLanguage.dense}.weight`) ? "masked-lm" : "none";
}

export interface EncoderHeads {
  readonly config: ConfigReader;
  readonly checkpoint: CheckpointNames;
  readonly head: Head;
  readonly names: EncoderHeadNames;
  /** Tied to the output matrix of masked language models. */
  readonly embeddings: Value;
  readonly eps: number;
}

/** Heads that take every token by itself; undefined of others. `layer` classifies tokens. */
export function tokenHead(g: Graph, x: Value, head: Head, config: ConfigReader, layer = "classifier"): Value | undefined {
  switch (head) {
    case "token-classification":
      return linear(g, x, layer, { out: labelsOf(config) });
    case "question-answering":
      return linear(g, x, "qa_outputs", { out: 2 });
    default:
      return undefined;
  }
}

/** Any head of an encoder. */
export function encoderHead(g: Graph, x: Value, heads: EncoderHeads): Value | undefined {
  const { config, head, names } = heads;
  switch (head) {
    case "masked-lm":
      return maskedLanguageHead(g, x, heads);
    case "sequence-classification":
      return sequenceHead(g, x, { ...names.sequence, labels: labelsOf(config) });
    default:
      return tokenHead(g, x, head, config);
  }
}

export interface DecoderHeads {
  readonly config: ConfigReader;
  readonly head: Head;
  readonly lengths: Value;
  /** Scores of the vocabulary. */
  readonly scores: () => Value;
  /** Name of the layer that classifies tokens. Default "score", which classifies sequences. */
  readonly tokens?: string;
}

/** Any head of a decoder: sequences are classified by their last token. */
export function decoderHead(g: Graph, x: Value, { config, head, lengths, scores, tokens = "score" }: DecoderHeads): Value | undefined {
  switch (head) {
    case "causal-lm":
      return scores();
    case "sequence-classification":
      return sequenceHead(g, x, { out: "score", bias: false, labels: labelsOf(config), lengths });
    default:
      return tokenHead(g, x, head, config, tokens);
  }
}
