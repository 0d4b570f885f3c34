// Typed access to test/fixtures and to the embedded models: golden.json decoded into f64 tensors, configs, weights. FORMAT.md beside
// the packs describes them.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { GenerationConfig } from "../reference/generation-options.ts";
import type { Config, ModelInputs } from "../reference/models.ts";
import { tensor, type Tensor } from "../reference/tensor.ts";
import { readSafetensors, type StoredTensor } from "./safetensors.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const OWN = new URL("../packs/", import.meta.url);
const MODELS = new URL("../../demo/public/models/", import.meta.url);

export type ModelName = "marian-en-fr-tatoeba" | "rxnmapper-albert" | "stories260K";
export const PACKS = ["marian", "llama", "llama_gqa", "bart", "bert", "distilbert", "gpt2", "roberta", "t5", "t5_gated"] as const;
export type PackName = (typeof PACKS)[number];
export type OpsName = "functional" | "classic" | "mha" | "layers";

/** As in the files: row-major numbers, non-finite ones as strings. */
export interface EncodedTensor {
  shape: number[];
  data: (number | "NaN" | "Infinity" | "-Infinity")[];
  dtype?: "bool";
}

/** A decoded tensor; `boolean` marks a mask (1 = excluded). */
export interface GoldenTensor extends Tensor {
  readonly boolean: boolean;
}

export interface Tolerance {
  rel_to_absmax?: number;
  strict?: number;
  abs?: number;
}

export interface ForwardCase {
  name: string;
  inputs: ModelInputs;
  outputs: {
    logits?: GoldenTensor;
    start_logits?: GoldenTensor;
    end_logits?: GoldenTensor;
    last_hidden_state?: GoldenTensor;
    encoder_last_hidden_state?: GoldenTensor;
  };
  /** Batch item 0 of the first case: per layer [heads, query, key]. */
  attentions?: { self?: GoldenTensor[]; encoder_self?: GoldenTensor[]; decoder_self?: GoldenTensor[]; cross?: GoldenTensor[] };
  tolerance?: Tolerance;
  note?: string;
}

export interface GenerationCase {
  name: string;
  inputs: ModelInputs;
  kwargs: GenerationConfig;
  ids: number[][];
  options_that_matter?: string[];
}

export interface Golden {
  name: string;
  model_type: string;
  /** The engine may refuse the file, with a clear error. */
  optional?: boolean;
  kind: "enc" | "dec" | "encdec" | "vit";
  cases: ForwardCase[];
  generation?: GenerationCase[];
}

export interface CheckpointFiles {
  /** The directory's path, to load it by. */
  directory: string;
  config: Config;
  generationConfig: GenerationConfig;
  weights: Map<string, StoredTensor>;
}

export interface OpsCase {
  name: string;
  op: string;
  params: Record<string, unknown>;
  weights: Map<string, GoldenTensor>;
  inputs: Map<string, GoldenTensor>;
  expected: Map<string, GoldenTensor>;
  tolerance?: Tolerance;
  note?: string;
  optional?: boolean;
}

export function decodeTensor({ shape, data, dtype }: EncodedTensor): GoldenTensor {
  return { ...tensor(shape, Float64Array.from(data, Number)), boolean: dtype === "bool" };
}

function isEncoded(value: unknown): value is EncodedTensor {
  return (
    typeof value === "object" &&
    value !== null &&
    Array.isArray((value as EncodedTensor).shape) &&
    Array.isArray((value as EncodedTensor).data)
  );
}

/** Parsed JSON with every {shape, data} decoded. */
function decodeAll(value: unknown): unknown {
  if (isEncoded(value)) return decodeTensor(value);
  if (Array.isArray(value)) return typeof value[0] === "number" ? value : value.map(decodeAll);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, x]) => [key, decodeAll(x)]));
  return value;
}

export function readJson(url: URL): unknown {
  return JSON.parse(readFileSync(url, "utf8"));
}

function readCheckpoint(directory: URL): CheckpointFiles {
  const generation = new URL("generation_config.json", directory);
  return {
    directory: fileURLToPath(directory),
    config: readJson(new URL("config.json", directory)) as Config,
    generationConfig: existsSync(generation) ? (readJson(generation) as GenerationConfig) : {},
    weights: readSafetensors(readFileSync(new URL("model.safetensors", directory))),
  };
}

/** One of the tiny random checkpoints with its golden numbers. */
export const readPack = (name: PackName): CheckpointFiles & { golden: Golden } => readGolden(new URL(`conformance/${name}/`, FIXTURES));

/** Our own of the families and heads that those lack; test/packs/README.md says how they were made. */
export const OWN_PACKS: readonly string[] = readdirSync(OWN, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
export const readOwnPack = (name: string): CheckpointFiles & { golden: Golden } => readGolden(new URL(`${name}/`, OWN));

function readGolden(directory: URL): CheckpointFiles & { golden: Golden } {
  return { ...readCheckpoint(directory), golden: decodeAll(readJson(new URL("golden.json", directory))) as Golden };
}

/** One of the trained models that the demo ships. */
export function readModel(name: ModelName): CheckpointFiles {
  return readCheckpoint(new URL(`${name}/`, MODELS));
}

/** The cases of ops/<name>.json. */
export function readOps(name: OpsName): OpsCase[] {
  const { cases } = decodeAll(readJson(new URL(`conformance/ops/${name}.json`, FIXTURES))) as { cases: Record<string, unknown>[] };
  const mapOf = (x: unknown): Map<string, GoldenTensor> => new Map(Object.entries(x as Record<string, GoldenTensor>));
  return cases.map((c) => ({
    ...(c as unknown as OpsCase),
    weights: mapOf(c.weights),
    inputs: mapOf(c.inputs),
    expected: mapOf(c.expected),
  }));
}

export interface MarianGolden {
  sentences: {
    text: string;
    input_ids: number[];
    pieces: string[];
    encoder_last_hidden_state: { shape: number[]; first8: number[]; last8: number[]; mean: number; absmax: number };
    first_step_logits_top10: [number, number][];
    greedy_ids: number[];
    greedy_text: string;
    beam4: { ids: number[]; text: string; score: number }[];
    greedy_min_top2_margin: number;
    decoder_input_ids?: number[];
    /** [layer][head][target][source], of the first sentences only. */
    cross_attention?: number[][][][];
    encoder_self_attention?: number[][][][];
    logits_argmax?: number[];
  }[];
}

export interface RxnmapperGolden {
  cases: {
    name: string;
    reaction: string;
    tokens: string[];
    input_ids: number[];
    last_hidden_state: { shape: number[]; first_token_first8: number[]; last_token_first8: number[]; mean: number; absmax: number };
    logits: { shape: number[]; argmax: number[]; first_token_first8: number[]; last_token_first8: number[] };
    /** All 12 layers [query, key] of head 5, in two cases; layer 10 alone in the others. */
    attention_head5?: GoldenTensor[];
    attention_head5_layer10?: GoldenTensor;
    atom_map: {
      token_index_of_atom: number[];
      atomic_number: number[];
      bonds: [number, number][];
      n_reactant_atoms: number;
      product_to_reactant: number[];
      confidence: number;
    };
  }[];
  padded_batch: {
    input_ids: number[][];
    attention_mask: number[][];
    /** The first 32 of 256 features. */
    last_hidden_state: GoldenTensor;
    attention_layer10_head5: GoldenTensor;
  };
  tokenizer: { text: string; ids: number[] }[];
}

export interface StoriesGolden {
  cases: {
    prompt: string;
    input_ids: number[];
    logits_last: { top10_ids: number[]; top10: number[]; first8: number[]; mean: number; absmax: number };
    logits_rows_argmax: number[];
    greedy_new_ids: number[];
    min_top1_top2_gap: number;
    greedy_text_full: string;
    /** Per layer [heads, query, key]. */
    attentions?: GoldenTensor[];
    logits_all?: GoldenTensor;
  }[];
  beam4_new32_ids_prompt1: number[];
  tokenizer: { text: string; ids: number[]; decoded: string }[];
}

interface ModelGoldens {
  "marian-en-fr-tatoeba": MarianGolden;
  "rxnmapper-albert": RxnmapperGolden;
  stories260K: StoriesGolden;
}

/** The golden numbers of a trained model. */
export function readModelGolden<N extends ModelName>(name: N): ModelGoldens[N] {
  return decodeAll(readJson(new URL(`models/${name}.golden.json`, FIXTURES))) as ModelGoldens[N];
}
