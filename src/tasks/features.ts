// Texts as vectors: each token's hidden state, or one for the whole text. Checkpoints of sentence-transformers say how theirs are made.
import { CheckpointError, InputError } from "../errors.ts";
import { MissingFileError, readBytes, readJson, readOptionalJson, type Source } from "../load/source.ts";
import { type CallOptions, forwardAll, lengthLimit, listOf, rowsOf, type TaskContext } from "./context.ts";

export type Pooling = "none" | "mean" | "cls";

/** Vectors, row-major. */
export interface Features {
  /** [texts, features]; without pooling [texts, tokens, features], rows beyond a text's own tokens being 0. */
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** Nested arrays. */
  tolist(): unknown[];
}

export interface FeatureOptions extends CallOptions {
  /** One vector a text: the mean of its tokens', or that of its first. Default: as the checkpoint's sentence-transformers files say, else "none". */
  readonly pooling?: Pooling;
  /** Vectors of length 1. Default: likewise, else false. */
  readonly normalize?: boolean;
}

export type FeatureExtraction = (texts: string | readonly string[], options?: FeatureOptions) => Promise<Features>;

interface SentenceSettings {
  readonly pooling: Pooling;
  readonly normalize: boolean;
  readonly maxLength: number;
}

export async function featureExtraction(context: TaskContext): Promise<FeatureExtraction> {
  const { model, tokenizer, source } = context;
  if (model.kind === "encoder-decoder")
    throw new InputError(`pipeline("${context.task}"): the model is an ${model.kind}; features come from encoders and decoders`, {
      field: "task",
      expected: "an encoder or a decoder",
      got: model.kind,
    });
  const settings = source ? await sentenceSettings(source) : undefined;
  return async (texts, options = {}) => {
    const { pooling = settings?.pooling ?? "none", normalize = settings?.normalize ?? false } = options;
    const { list } = listOf(texts);
    const maxLength = Math.min(lengthLimit(context), settings?.maxLength ?? Infinity);
    const encodings = list.map((text) => tokenizer.encode(text, { maxLength }));
    const width = encodings.reduce((most, { ids }) => Math.max(most, ids.length), 0);
    const rows = await forwardAll(context, encodings, options, async (run, batch) => {
      const states = await rowsOf(run.lastHiddenState, "lastHiddenState");
      const features = run.lastHiddenState!.shape.at(-1)!;
      return states.map((row, i) => {
        const own = row.subarray(0, batch.encodings[i]!.ids.length * features);
        const vectors = pooling === "none" ? own.slice() : pool(own, features, pooling);
        if (normalize) for (let at = 0; at < vectors.length; at += features) scaleToOne(vectors.subarray(at, at + features));
        return { vectors, features };
      });
    });
    const features = rows[0]?.features ?? 0;
    return collect(
      rows.map(({ vectors }) => vectors),
      pooling === "none" ? [rows.length, width, features] : [rows.length, features],
    );
  };
}

function pool(states: Float32Array, features: number, pooling: Pooling): Float32Array {
  if (pooling === "cls") return states.slice(0, features);
  if (pooling !== "mean")
    throw new InputError(`pooling must be "none", "mean" or "cls", got ${JSON.stringify(pooling)}`, {
      field: "pooling",
      expected: ["none", "mean", "cls"],
      got: pooling,
    });
  const tokens = states.length / features;
  return Float32Array.from({ length: features }, (_, j) => {
    let sum = 0;
    for (let t = 0; t < tokens; t++) sum += states[t * features + j]!;
    return sum / tokens;
  });
}

function scaleToOne(vector: Float32Array): void {
  const length = Math.hypot(...vector);
  // As torch's normalize: nothing is divided by 0.
  for (let j = 0; j < vector.length; j++) vector[j] = vector[j]! / Math.max(length, 1e-12);
}

function collect(rows: readonly Float32Array[], shape: readonly number[]): Features {
  const size = shape.slice(1).reduce((a, b) => a * b, 1);
  const data = new Float32Array(rows.length * size);
  rows.forEach((row, i) => data.set(row, i * size));
  const nested = (at: number, [count, ...rest]: readonly number[]): unknown[] => {
    const step = rest.reduce((a, b) => a * b, 1);
    return rest.length === 0 ? [...data.subarray(at, at + count!)] : Array.from({ length: count! }, (_, i) => nested(at + i * step, rest));
  };
  return { shape, data, tolist: () => nested(0, shape) };
}

/** modules.json of sentence-transformers, and what its pooling module says; undefined for other checkpoints. */
async function sentenceSettings(source: Source): Promise<SentenceSettings | undefined> {
  const modules = await optionalList(source, "modules.json");
  if (!modules) return undefined;
  const module = (type: string) => modules.find((entry) => String(entry["type"]).endsWith(`.${type}`));
  const pooling = module("Pooling");
  const [config, lengths] = await Promise.all([
    pooling ? readJson(source, `${String(pooling["path"])}/config.json`) : undefined,
    readOptionalJson(source, "sentence_bert_config.json"),
  ]);
  const others = Object.entries(config ?? {}).filter(
    ([key, on]) => key.startsWith("pooling_mode_") && on === true && !["pooling_mode_mean_tokens", "pooling_mode_cls_token"].includes(key),
  );
  if (others.length > 0)
    throw new InputError(`feature-extraction: ${others[0]![0]} is not built; ask for "mean" or "cls" with a model loaded by yourself`, {
      field: "pooling",
      expected: ["mean", "cls"],
      got: others[0]![0],
    });
  const { max_seq_length: maxLength } = lengths ?? {};
  return {
    pooling: !pooling ? "none" : config?.["pooling_mode_cls_token"] === true ? "cls" : "mean",
    normalize: module("Normalize") !== undefined,
    maxLength: typeof maxLength === "number" ? maxLength : Infinity,
  };
}

async function optionalList(source: Source, name: string): Promise<readonly Readonly<Record<string, unknown>>[] | undefined> {
  let text: string;
  try {
    text = new TextDecoder().decode(await readBytes(source, name));
  } catch (error) {
    if (error instanceof MissingFileError) return undefined;
    throw error;
  }
  try {
    const list: unknown = JSON.parse(text);
    if (Array.isArray(list) && list.every((entry) => typeof entry === "object" && entry !== null)) return list as Record<string, unknown>[];
  } catch {
    // Told below.
  }
  throw new CheckpointError(`${name}: expected a list of modules`, { file: name, expected: "a list", got: text.slice(0, 40) });
}
