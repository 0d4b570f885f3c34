// What a family's page gives the engine: sizes read from the config, and functions that write its forward pass into a
// graph. No GPU type appears here or in any page.
import type { ConfigReader, RawConfig } from "../load/config.ts";
import type { Dim, Graph, Value } from "../schedule/graph.ts";
import type { Lowering } from "../schedule/lowering.ts";
import type { SequenceLengths } from "../nn/rotary.ts";

export type AttentionKind = "encoder" | "decoder" | "cross";

/** What stands on the last hidden state, by Hugging Face's class names. */
export type Head =
  | "none"
  | "masked-lm"
  | "causal-lm"
  | "seq2seq-lm"
  | "sequence-classification"
  | "token-classification"
  | "question-answering"
  | "replaced-token-detection";

/** The attention modules of one kind, by application order. */
export interface AttentionModules {
  /** Module paths, one per layer as applied (ALBERT applies one module many times). */
  readonly paths: readonly string[];
  readonly heads: number;
}

export interface EncoderInputs {
  /** i32 [batch, source] */
  readonly ids: Value;
  /** i32 [batch]: tokens of each row; rows are padded on the right. */
  readonly lengths: Value;
  /** i32 [batch, source]: segment of each token. */
  readonly types: Value;
}

export interface DecoderInputs {
  /** i32 [rows, query] */
  readonly ids: Value;
  /** i32 [rows]: tokens of the row that the KV cache holds already. */
  readonly past: Value;
  /** i32 [rows]: tokens of the row in this run; rows are padded on the right. */
  readonly lengths: Value;
  /** The layer's key and value cache, [cacheRows, capacity, features] each. */
  readonly cache: (path: string, keyFeatures: number, valueFeatures: number) => LayerCache;
  /** Cross-attention's keys and values, [batch, source, features] each, made by `cross` from the encoder's output. */
  readonly crossCache: (path: string, keyFeatures: number, valueFeatures: number) => { readonly k: Value; readonly v: Value };
  /** i32 [batch]: tokens of each source row. */
  readonly sourceLengths: Value;
  /** Query rows per source row: the beams. */
  readonly share: Dim;
}

export interface LayerCache {
  readonly k: Value;
  readonly v: Value;
  /** Cache rows per query row: 1, or the beams while a prompt shared by them is read. */
  readonly rowStep: Dim;
  /** u32 [rows, capacity]: which cache row holds position j of a row (beams). */
  readonly table?: Value;
}

export interface Outputs {
  readonly lastHiddenState: Value;
  /** Of the head: [batch, tokens, n], or [batch, labels] of a whole sequence. */
  readonly logits?: Value;
}

/** A model with its config read: what the engine builds plans from. */
export interface Architecture {
  readonly modelType: string;
  readonly kind: "encoder" | "decoder" | "encoder-decoder";
  readonly head: Head;
  readonly vocabSize: number;
  /** Of encoder–decoders with two vocabularies: the encoder's. Default: vocabSize. */
  readonly sourceVocabSize?: number;
  /** Longest sequence the model was made for, of the encoder and of the decoder. */
  readonly maxPositions: number;
  readonly typeVocabSize?: number;
  /** Encoder–decoders: where a forward pass is given no decoder input, it is the source shifted right behind this token. */
  readonly shiftedStart?: number;
  readonly attention: Readonly<Partial<Record<AttentionKind, AttentionModules>>>;
  /** Of operations that not all families have, so that they come with the page. Default: none. */
  readonly lowerings?: Readonly<Record<string, Lowering>>;
  /** Host tables by the name the graph declares them with: rows → numbers, whose sines and cosines are taken in f64. */
  readonly tables: Readonly<Record<string, HostTable>>;
  /** Whether the tables of a run of these lengths are its own: rotary scalings by length. Default: all runs share them. */
  tablesOf?(lengths: SequenceLengths): boolean;
  encode?(g: Graph, inputs: EncoderInputs): Outputs;
  /** Encoder–decoders: keys and values of every cross-attention, from the encoder's output, by module path. */
  cross?(g: Graph, encoded: Value): readonly { readonly path: string; readonly k: Value; readonly v: Value }[];
  decode?(g: Graph, inputs: DecoderInputs): Outputs;
}

export type HostTable = (rows: number, lengths: SequenceLengths) => Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;

/** One page of `models/`. */
export interface Family {
  /** `model_type` values of config.json it answers to. */
  readonly modelTypes: readonly string[];
  /** Default true. Encoders write nothing: generation_config.json, which their checkpoints lack, is not asked for. */
  readonly generates?: boolean;
  /**
   * Name of the base model's module, with which all its tensors begin; a file saved from the bare model lacks it. Pages name tensors
   * with it. Default: none.
   */
  readonly prefix?: string;
  /**
   * What Hugging Face's configuration class fills in where config.json is silent: files of old versions, and some written by hand, lean
   * on it. Only what decides the architecture; token ids and lengths of generation are the file's. Default: nothing.
   */
  defaults?(modelType: string): RawConfig;
  /**
   * Of families whose rotary positions turn neighbours, features 2j and 2j + 1 of a head: the tensors with these features as rows. While they
   * are loaded they are put as `rotary` has them, the first of all pairs before the second. Default: none.
   */
  readonly neighbours?: { readonly tensors: RegExp; headSize(config: ConfigReader): number };
  read(config: ConfigReader, checkpoint: CheckpointNames): Architecture;
}

/** What a page may ask of the checkpoint before it writes a graph: names differ between exports of one family. */
export interface CheckpointNames {
  has(tensor: string): boolean;
}

/** Whether it can generate: of the decoders those that score the vocabulary. */
export const writes = ({ kind, head }: Architecture): boolean => kind !== "encoder" && (head === "causal-lm" || head === "seq2seq-lm");
