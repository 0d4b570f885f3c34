// Checkpoints that are made up: a Llama of a task's shape as a Source, from the task's own numbers, or, where those would
// not fit in memory, of one block of random halves again and again.
import { MissingFileError, type Source } from "../src/index.ts";
import { decoderShapes, normals, toHalf } from "./data.ts";
import type { DecodeTask, TaskData } from "./task.ts";

const BLOCK = 1 << 20;

export function decoderSource(task: DecodeTask, data: TaskData): Source {
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
    max_position_embeddings: past + steps + 8,
    tie_word_embeddings: false,
  };
  const given = "model.embed_tokens.weight" in data;
  const bytesOf = given ? 4 : 2;
  const tensors: { name: string; begin: number; end: number }[] = [];
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const [name, shape] of Object.entries(decoderShapes(task))) {
    const end = at + shape.reduce((a, b) => a * b, 1) * bytesOf;
    header[name] = { dtype: given ? "F32" : "F16", shape, data_offsets: [at, end] };
    tensors.push({ name, begin: at, end });
    at = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(8 + json.length);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(json.length), true);
  prefix.set(json, 8);
  const random = given ? undefined : new Uint8Array(toHalf(normals([BLOCK / 2], 7, 1 / Math.sqrt(d)).data).buffer);

  /** Bytes of the file from a position on, some of them. */
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
          const bytes = whole ? whole.slice(next, end) : chunk(next).slice(0, end - next);
          next += bytes.length;
          controller.enqueue(bytes);
        },
      });
      return { size, stream };
    },
  };
}
