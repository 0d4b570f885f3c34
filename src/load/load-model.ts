// loadModel: config → architecture → layout → weights on the GPU. Nothing half-loaded stays there.
import { Engine } from "../engine/engine.ts";
import { EngineHost } from "../engine/host.ts";
import { decodeGraph, encodeGraph, type GraphSource, KV_TYPES, type KvType } from "../engine/graphs.ts";
import { forwardDecodeGraph, forwardDims } from "../engine/forward.ts";
import { InputError, UnsupportedError } from "../errors.ts";
import { assertAlive, requestDevice } from "../gpu/device.ts";
import { learnSubgroupMatrix } from "../gpu/subgroup-matrix.ts";
import { Model } from "../model.ts";
import { familyOf } from "../models/registry.ts";
import type { Graph } from "../schedule/graph.ts";
import { readByRows, type WeightBuffer } from "../schedule/layout.ts";
import type { TuningStore } from "../tune/store.ts";
import { keptFiles } from "./cache/store.ts";
import { readConfig, readGenerationConfig, refuseQuantized, shown } from "./config.ts";
import { canonicalNames } from "./names.ts";
import { openFiles } from "./open-checkpoint.ts";
import { ggufOf, type SourceInput, type SourceOptions, toSource } from "./source.ts";
import type { LoadProgress } from "./stream.ts";
import { checkWeights, type Dtype, DTYPES, gpuType, planWeights, type UploadOptions, uploadWeights } from "./weights.ts";

export interface LoadOptions extends SourceOptions {
  /**
   * The .gguf file to load of a source that has several. Default: the checkpoint's safetensors; where there is no config.json,
   * the only .gguf file.
   */
  readonly file?: string;
  /** A device of yours; it stays yours. Default: one of our own, which `dispose()` destroys. */
  readonly device?: GPUDevice;
  /**
   * Type of the weight matrices on the GPU: "auto" (default) as the file has them, "f32" or "f16" converted, "q8" or "q4"
   * quantised there while loading, in blocks of 32 with an f16 scale (8.5 and 4.5 bits a weight, as ggml's Q8_0 and Q4_0).
   * Vectors, tables of positions and matrices that are read by columns are not quantised.
   */
  readonly dtype?: Dtype;
  /**
   * Type in which decoders keep keys and values, their own and the source's: "f32" (default), or "f16" for half the memory and
   * half the reading at long contexts (on software adapters unpacking takes longer than it saves). Logits move by about a
   * thousandth of the largest; numbers beyond ±65504 are clamped.
   */
  readonly kv?: KvType;
  /**
   * Times kernel variants on the device before their first use and takes the fastest; results differ by no more than rounding. Sizes
   * that were not met before cost about ten seconds at most for each of a model's plans, a minute for all; `warmup()` has it done
   * ahead. Answers are kept for later loads: in the browser's IndexedDB, for devices of `openDevice` (fovea/node) in a file of the
   * user's cache folder, or in a store of yours; elsewhere they last as long as the model. Default: false, variants are chosen by the
   * kind of adapter.
   */
  readonly tune?: boolean | TuningStore;
  readonly onProgress?: (progress: LoadProgress) => void;
  readonly signal?: AbortSignal;
  /** Refuse a checkpoint whose weights take more bytes on the GPU. */
  readonly maxBytes?: number;
}

/** Where tensors are missed, whatever the file is called. */
const WEIGHTS = "model.safetensors";

/**
 * Loads an unconverted Hugging Face checkpoint: config.json, model.safetensors (or its shards) and, where there is one,
 * tokenizer.json; or a GGUF file.
 * @param input the id of a model of the Hugging Face Hub ("Helsinki-NLP/opus-mt-en-fr"), the URL of a folder or a .gguf file,
 *   files by name or as a list, a folder's handle, or a Source (`directory(path)` of fovea/node)
 * @throws CheckpointError, ConfigError, UnsupportedError; the signal's reason when aborted
 */
export async function loadModel(input: SourceInput, options: LoadOptions = {}): Promise<Model> {
  const { dtype = "auto", kv = "f32", tune = false, signal, onProgress, maxBytes = Infinity } = options;
  const known = (field: string, types: readonly string[], got: string) => {
    if (!types.includes(got)) throw new InputError(`loadModel: ${field} "${String(got)}" is not known`, { field, expected: types, got });
  };
  known("dtype", DTYPES, dtype);
  known("kv", KV_TYPES, kv);
  signal?.throwIfAborted();
  const given = toSource(input, options, keptFiles(options.device));
  const { source, checkpoint: tensors } = await openFiles(given, { file: options.file ?? ggufOf(input), signal });
  const config = await readConfig(source, signal);
  refuseQuantized(config);
  config.expect("pruned_heads", {}, "layers that have lost heads are not built");
  const modelType = config.raw["model_type"];
  if (typeof modelType !== "string")
    throw new UnsupportedError(`config.json: model_type is ${shown(modelType)}`, { feature: "model_type" });
  const family = await familyOf(modelType);
  const { loadTokenizer } = await import("../text/load.ts");
  const complete = config.withDefaults(family.defaults?.(modelType));
  const [checkpoint, generation, tokenizer] = await Promise.all([
    tensors().then(async (opened) => {
      const named = canonicalNames(opened, family.prefix);
      return family.neighbours ? (await import("./neighbours.ts")).parted(named, family.neighbours, complete) : named;
    }),
    family.generates === false ? {} : readGenerationConfig(source, config.raw, signal),
    loadTokenizer(source, config.raw, signal),
  ]);
  const architecture = family.read(complete, { has: (name) => checkpoint.tensors.has(name) });
  const graphs: GraphSource = { architecture, kv };
  const written = graphsOf(graphs);
  checkWeights(written, checkpoint, WEIGHTS);
  const stored = gpuType(checkpoint, dtype, readByRows(written));

  const load = async (given: GPUDevice | undefined, upload: UploadOptions = {}): Promise<Engine> => {
    const device = given ?? (await requestDevice());
    let engine: Engine | undefined;
    try {
      await learnSubgroupMatrix(device);
      const tuner = tune ? await (await import("../tune/tuner.ts")).Tuner.open(device, tune) : undefined;
      engine = new Engine(device, graphs, { stored, tuner });
      const specs = layoutOf(engine);
      const bytes = specs.reduce((n, s) => n + s.bytes, 0);
      if (bytes > maxBytes)
        throw new UnsupportedError(`The weights take ${bytes} bytes on the GPU, more than maxBytes = ${maxBytes}`, { feature: "maxBytes" });
      const targets = planWeights(specs, checkpoint, WEIGHTS);
      for (const [name, buffer] of await uploadWeights(device, source, specs, targets, upload)) engine.addWeight(name, buffer);
      await source.finish?.(upload.signal);
      upload.signal?.throwIfAborted();
      await device.queue.onSubmittedWorkDone();
      assertAlive(device);
      return engine;
    } catch (error) {
      engine?.dispose();
      if (!given) device.destroy();
      throw error;
    }
  };
  const engine = await load(options.device, { signal, onProgress });
  const host = new EngineHost(engine, { ownsDevice: options.device === undefined, load });
  return new Model({ host, config: config.raw, generation, tokenizer });
}

/** All of the model as it is written; every plan is made of parts of these. */
const graphsOf = (source: GraphSource): readonly Graph[] => [
  ...(source.architecture.encode ? [encodeGraph(source)] : []),
  ...(source.architecture.decode ? [decodeGraph(source, { rows: "rows", query: "query" }).g] : []),
];

/** The buffers of all weights: what the model's plans, together, read. */
function layoutOf(engine: Engine): readonly WeightBuffer[] {
  const { architecture } = engine;
  const dims = forwardDims(engine, undefined, undefined);
  const plans = [
    ...(architecture.encode ? [engine.compile("encode", encodeGraph(engine), dims)] : []),
    ...(architecture.decode ? [engine.compile("decode", forwardDecodeGraph(engine), dims)] : []),
  ];
  return [...new Map(plans.flatMap((plan) => plan.weights.map((w) => [w.name, w] as const))).values()];
}
