// A Llama-shaped checkpoint of any size with random weights, in shards as Hugging Face saves them: written to a folder by
//   npx tsx scripts/random-checkpoint.ts <folder> [--layers 16] [--width 2048] …
// or, imported, as a Source that makes it up byte by byte and takes no room anywhere. By default 1.24 billion parameters, the shape of
// Llama 3.2 1B.
import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { floatToHalf } from "../src/gpu/halves.ts";
import { MissingFileError, type Source } from "../src/index.ts";

export interface RandomLlama {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  /** Bytes of a shard, at most, unless one tensor has more. */
  readonly shard: number;
}

export const ONE_BILLION: RandomLlama = {
  width: 2048,
  layers: 16,
  heads: 32,
  kvHeads: 8,
  feedForward: 8192,
  vocabulary: 128_256,
  shard: 1 << 30,
};

/** Halves of random numbers, given out again and again. Of an odd number of halves, so that rows differ. */
const BLOCK = (1 << 20) - 2;
const DEVIATION = 0.02;

interface File {
  readonly name: string;
  readonly head: Uint8Array<ArrayBuffer>;
  readonly size: number;
}

export interface RandomCheckpoint extends Source {
  readonly parameters: number;
  readonly names: readonly string[];
}

export function randomLlama(model: RandomLlama = ONE_BILLION, seed = 1): RandomCheckpoint {
  const shapes = shapesOf(model);
  const files = filesOf(model, shapes);
  const block = randomHalves(seed);
  return {
    parameters: shapes.reduce((sum, [, shape]) => sum + count(shape), 0),
    names: [...files.keys()],
    open(name, { offset = 0, length = Infinity } = {}) {
      const file = files.get(name);
      if (!file) return Promise.reject(new MissingFileError(`${name} is not made up`, { file: name }));
      const end = Math.min(file.size, offset + length);
      let at = offset;
      const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
        pull(controller) {
          if (at >= end) return controller.close();
          const data = at - file.head.length;
          const bytes = (data < 0 ? file.head.subarray(at) : block.subarray(data % BLOCK)).subarray(0, end - at);
          at += bytes.length;
          controller.enqueue(bytes);
        },
      });
      return Promise.resolve({ size: file.size, stream });
    },
  };
}

type Shapes = readonly (readonly [name: string, shape: readonly number[]])[];
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function shapesOf({ width, layers, heads, kvHeads, feedForward, vocabulary }: RandomLlama): Shapes {
  const keys = (width / heads) * kvHeads;
  const layer = (i: number): Shapes => {
    const path = `model.layers.${i}`;
    return [
      [`${path}.input_layernorm.weight`, [width]],
      [`${path}.self_attn.q_proj.weight`, [width, width]],
      [`${path}.self_attn.k_proj.weight`, [keys, width]],
      [`${path}.self_attn.v_proj.weight`, [keys, width]],
      [`${path}.self_attn.o_proj.weight`, [width, width]],
      [`${path}.post_attention_layernorm.weight`, [width]],
      [`${path}.mlp.gate_proj.weight`, [feedForward, width]],
      [`${path}.mlp.up_proj.weight`, [feedForward, width]],
      [`${path}.mlp.down_proj.weight`, [width, feedForward]],
    ];
  };
  return [
    ["model.embed_tokens.weight", [vocabulary, width]],
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ["model.norm.weight", [width]],
  ];
}

function filesOf(model: RandomLlama, shapes: Shapes): Map<string, File> {
  const shards: { tensors: (readonly [string, readonly number[]])[]; bytes: number }[] = [];
  for (const tensor of shapes) {
    const bytes = 2 * count(tensor[1]);
    const last = shards.at(-1);
    if (last && last.bytes + bytes <= model.shard) {
      last.tensors.push(tensor);
      last.bytes += bytes;
    } else shards.push({ tensors: [tensor], bytes });
  }
  const part = (n: number) => String(n).padStart(5, "0");
  const named = shards.map((shard, i) => ({ ...shard, name: `model-${part(i + 1)}-of-${part(shards.length)}.safetensors` }));
  const config = {
    model_type: "llama",
    architectures: ["LlamaForCausalLM"],
    hidden_size: model.width,
    num_hidden_layers: model.layers,
    num_attention_heads: model.heads,
    num_key_value_heads: model.kvHeads,
    intermediate_size: model.feedForward,
    vocab_size: model.vocabulary,
    hidden_act: "silu",
    rms_norm_eps: 1e-5,
    rope_theta: 500_000,
    max_position_embeddings: 8192,
    tie_word_embeddings: true,
    torch_dtype: "float16",
  };
  const index = {
    metadata: { total_size: shards.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(named.flatMap(({ name, tensors }) => tensors.map(([tensor]) => [tensor, name]))),
  };
  const json = (name: string, value: object): File => {
    const head = new TextEncoder().encode(JSON.stringify(value, null, 2));
    return { name, head, size: head.length };
  };
  const files = [
    json("config.json", config),
    json("model.safetensors.index.json", index),
    ...named.map(({ name, tensors, bytes }): File => {
      const head = headerOf(tensors);
      return { name, head, size: head.length + bytes };
    }),
  ];
  return new Map(files.map((file) => [file.name, file]));
}

/** Of a safetensors file. */
function headerOf(tensors: Shapes): Uint8Array<ArrayBuffer> {
  let end = 0;
  const header: Record<string, object> = { __metadata__: { format: "pt" } };
  for (const [name, shape] of tensors) header[name] = { dtype: "F16", shape, data_offsets: [end, (end += 2 * count(shape))] };
  const text = new TextEncoder().encode(JSON.stringify(header));
  const padded = Math.ceil(text.length / 8) * 8;
  const head = new Uint8Array(8 + padded).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(padded), true);
  head.set(text, 8);
  return head;
}

/** Sums of four uniform numbers, which is normal enough (mulberry32). */
function randomHalves(seed: number): Uint8Array<ArrayBuffer> {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const halves = Uint16Array.from({ length: BLOCK / 2 }, () =>
    floatToHalf((next() + next() + next() + next() - 2) * Math.sqrt(3) * DEVIATION),
  );
  return new Uint8Array(halves.buffer);
}

async function main(): Promise<void> {
  const numbers = Object.keys(ONE_BILLION) as (keyof RandomLlama)[];
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: Object.fromEntries([...numbers, "seed"].map((name) => [name, { type: "string" as const }])),
  });
  const [folder] = positionals;
  if (!folder)
    throw new Error(
      `usage: random-checkpoint.ts <folder> ${numbers.map((name) => `[--${name} ${ONE_BILLION[name]}]`).join(" ")} [--seed 1]`,
    );
  const given = Object.fromEntries(numbers.flatMap((name) => (values[name] === undefined ? [] : [[name, Number(values[name])]])));
  const checkpoint = randomLlama({ ...ONE_BILLION, ...given }, Number(values["seed"] ?? 1));
  await mkdir(folder, { recursive: true });
  for (const name of checkpoint.names) {
    const { stream } = await checkpoint.open(name);
    await pipeline(Readable.fromWeb(stream as never), createWriteStream(join(folder, name)));
  }
  console.log(`${checkpoint.parameters} parameters in ${folder}: ${checkpoint.names.join(", ")}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main();
