// What is measured: tasks as plain data, and what a peer makes of one. Suites list tasks, peers run them, the runner times
// them in turn; a task carries its numbers, so that all peers compute the same thing and can be compared before any timing.

import type { Profile, Source } from "../src/index.ts";

/** f32 numbers with a shape, row-major. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export type WeightFormat = "f32" | "f16" | "q8" | "q4";

/** y = x·wᵀ, a linear layer: x [M, K], w [N, K], y [M, N]. */
export interface MatmulTask {
  readonly kind: "matmul";
  readonly M: number;
  readonly K: number;
  readonly N: number;
  /** How w is stored. Peers without the format leave the task out. */
  readonly weight: WeightFormat;
}

/** softmax(q·kᵀ/√d + mask)·v: q [heads, T, d], k and v [kvHeads, S, d], y [heads, T, d]. Query t stands at key S − T + t. */
export interface AttentionTask {
  readonly kind: "attention";
  readonly heads: number;
  readonly kvHeads: number;
  readonly d: number;
  readonly T: number;
  readonly S: number;
  readonly causal: boolean;
}

/** Over the last axis of x [rows, columns]. Layer norm with weight and bias [columns] and ε = 1e-5. */
export interface RowsTask {
  readonly kind: "softmax" | "layer-norm";
  readonly rows: number;
  readonly columns: number;
}

/**
 * A post-norm encoder with erf gelu and ε = 1e-12, on hidden states x [batch, T, d] → [batch, T, d]. Weights go by torch's names:
 * `layers.0.self_attn.{q,k,v}_proj.{weight,bias}`, `….self_attn.out_proj`, `….norm1`, `….linear1`, `….linear2`, `….norm2`.
 */
export interface EncoderTask {
  readonly kind: "encoder";
  readonly batch: number;
  readonly T: number;
  readonly d: number;
  readonly heads: number;
  readonly ffn: number;
  readonly layers: number;
}

/**
 * Greedy decoding of `steps` tokens from token 1, behind a KV cache that holds `past` positions of zeros, batch 1.
 * Llama shape, Hugging Face names, untied head; f32 unless said. Output: the ids, [steps].
 */
export interface DecodeTask {
  readonly kind: "decode";
  readonly layers: number;
  readonly d: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly ffn: number;
  readonly vocab: number;
  readonly past: number;
  readonly steps: number;
  readonly weight: WeightFormat;
}

/** Translating with the embedded Marian checkpoint: source ids → decoder ids, start token included. */
export interface TranslateTask {
  readonly kind: "translate";
  readonly ids: readonly number[];
  readonly beams: number;
}

export type Task = MatmulTask | AttentionTask | RowsTask | EncoderTask | DecodeTask | TranslateTask;

/** The task's numbers by name: x, w; q, k, v; weights under their names. */
export type TaskData = Readonly<Record<string, Tensor>>;

/** A checkpoint as its files are: the embedded model, for peers that build their own form of it. */
export interface CheckpointData {
  readonly config: Readonly<Record<string, unknown>>;
  readonly weights: TaskData;
}

/** What a plan says it costs. */
export interface Cost {
  readonly dispatches: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly flops: number;
}

export interface Prepared {
  /** Of one run, where the engine can tell. */
  readonly cost?: Cost;
  /**
   * One execution, from inputs that are on the device to the GPU being done: what is timed. One that has to do more than the
   * task (reading a prompt before it decodes) measures by itself and returns its milliseconds.
   */
  run(): Promise<void | number>;
  /** The result of the last run. */
  output(): Promise<Float32Array>;
  /** GPU time by dispatch of one more run, where the engine can tell. */
  profile?(): Promise<Profile>;
  /** Frees what was made for the task. */
  dispose(): void | Promise<void>;
}

export interface PeerContext {
  /** The embedded Marian checkpoint, f32, for translate tasks. */
  readonly checkpoint: () => Promise<CheckpointData>;
  /** The same as files: a URL in a page, a folder in Node. */
  readonly files: () => string | URL | Source;
}

/** Somebody's engine. Loaded when it is first asked for; an error anywhere is reported in the table, not hidden. */
export interface Peer {
  readonly name: string;
  /** Package and version, what runs where: "onnxruntime-web 1.30.0, WebGPU". */
  readonly about: string;
  /** Whether it can do such a task at all; the reason if not. */
  supports(task: Task): true | string;
  prepare(task: Task, data: TaskData, context: PeerContext): Promise<Prepared>;
}
