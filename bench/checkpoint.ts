// Checkpoints that are made up: models of a task's shape as a Source, from the task's own numbers, or, where those would not fit
// in memory or nobody compares results, of one block of random halves again and again.
import { MissingFileError, type Source } from "../src/index.ts";
import { decoderShapes, normals, toHalf } from "./data.ts";
import type { DecodeTask, EncoderTask, TaskData } from "./task.ts";

type Shapes = Readonly<Record<string, readonly number[]>>;

const BLOCK = 1 << 20;

/** A Llama. Without data its numbers are random halves. */
export function decoderSource(task: DecodeTask, data: TaskData = {}): Source {
  const { d, heads, kvHeads, ffn, layers, vocab, past, steps } = task;
  const config = {
    model_type: "llama",
    hidden_size: d,
    num_attention_heads: heads,
    num_key_value_heads: kvHeads,
    intermediate_size: ffn,
    num_hidden_layers: layers,
    vocab_size: vocab,
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    rope_theta: 10_000,
    max_position_embeddings: 2 * (past + steps) + 32,
    tie_word_embeddings: false,
  };
  return sourceOf(config, decoderShapes(task), data);
}

/** An encoder of a task's shape as a model: ALBERT, whose layers share their weights. */
export function encoderSource({ T, d, heads, ffn, layers }: EncoderTask): Source {
  const vocab = 1024;
  const config = {
    model_type: "albert",
    vocab_size: vocab,
    embedding_size: d,
    hidden_size: d,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: ffn,
    hidden_act: "gelu",
    max_position_embeddings: T,
    type_vocab_size: 2,
  };
  const shapes: Record<string, readonly number[]> = {
    "embeddings.word_embeddings.weight": [vocab, d],
    "embeddings.position_embeddings.weight": [T, d],
    "embeddings.token_type_embeddings.weight": [2, d],
  };
  const norm = (name: string) => (shapes[`${name}.weight`] = shapes[`${name}.bias`] = [d]);
  const linear = (name: string, out: number, inputs: number) => {
    shapes[`${name}.weight`] = [out, inputs];
    shapes[`${name}.bias`] = [out];
  };
  norm("embeddings.LayerNorm");
  linear("encoder.embedding_hidden_mapping_in", d, d);
  const layer = "encoder.albert_layer_groups.0.albert_layers.0";
  for (const name of ["query", "key", "value", "dense"]) linear(`${layer}.attention.${name}`, d, d);
  norm(`${layer}.attention.LayerNorm`);
  linear(`${layer}.ffn`, ffn, d);
  linear(`${layer}.ffn_output`, d, ffn);
  norm(`${layer}.full_layer_layer_norm`);
  return sourceOf(config, shapes, {});
}

function sourceOf(config: Readonly<Record<string, unknown>>, shapes: Shapes, data: TaskData): Source {
  const given = Object.keys(data).length > 0;
  const bytesOf = given ? 4 : 2;
  const tensors: { name: string; begin: number; end: number }[] = [];
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, shape] of Object.entries(shapes)) {
    const end = at + shape.reduce((a, b) => a * b, 1) * bytesOf;
    header[name] = { dtype: given ? "F32" : "F16", shape, data_offsets: [at, end] };
    tensors.push({ name, begin: at, end });
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8 + json.length);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(json.length), true);
  prefix.set(json, 8);
  const random = given ? undefined : new Uint8Array(toHalf(normals([BLOCK / 2], 7, 0.02).data).buffer);

  /** Bytes of the file from a position on, some of them: never copies, so that what grows while loading is the loader's. */
  const chunk = (from: number): Uint8Array<ArrayBuffer> => {
    if (from < prefix.length) return prefix.subarray(from);
    const position = from - prefix.length;
    if (random) return random.subarray(0, Math.min(BLOCK, at - position));
    const { name, begin } = tensors.find((t) => position < t.end)!;
    return new Uint8Array(data[name]!.data.buffer).subarray(position - begin);
  };
  return {
    async open(name, { offset = 0, length } = {}) {
      const whole = name === "config.json" ? new TextEncoder().encode(JSON.stringify(config)) : undefined;
      if (!whole && name !== "model.safetensors") throw new MissingFileError(`${name} is not made up`, { file: name });
      const size = whole?.length ?? prefix.length + at;
      const end = Math.min(size, offset + (length ?? size));
      let next = offset;
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          if (next >= end) return controller.close();
          const bytes = (whole ? whole.subarray(next) : chunk(next)).subarray(0, end - next);
          next += bytes.length;
          controller.enqueue(bytes);
        },
      });
      return { size, stream };
    },
  };
}
