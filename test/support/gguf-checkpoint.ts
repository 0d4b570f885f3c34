// A Llama checkpoint as llama.cpp's conversion would write it: GGUF's names, query and key rows turned, any types; and the
// same numbers as those types keep them, by Hugging Face's names, for a checkpoint to compare with.
import { type Tensor, tensor } from "../reference/tensor.ts";
import { type BlockName, decode, encode, GGML, type GgmlType, type GgufTensor, type MetaValue, writeGguf } from "./ggml.ts";
import { numberToHalf, roundTo } from "./safetensors.ts";

/** Hugging Face's name → GGUF's. */
const NAMES: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens\.weight$/, "token_embd.weight"],
  [/^model\.norm\.weight$/, "output_norm.weight"],
  [/^lm_head\.weight$/, "output.weight"],
  [/^model\.layers\.(\d+)\.input_layernorm\./, "blk.$1.attn_norm."],
  [/^model\.layers\.(\d+)\.post_attention_layernorm\./, "blk.$1.ffn_norm."],
  [/^model\.layers\.(\d+)\.self_attn\.([qkv])_proj\./, "blk.$1.attn_$2."],
  [/^model\.layers\.(\d+)\.self_attn\.o_proj\./, "blk.$1.attn_output."],
  [/^model\.layers\.(\d+)\.mlp\.(gate|up|down)_proj\./, "blk.$1.ffn_$2."],
];

export interface GgufCheckpoint {
  readonly file: Uint8Array<ArrayBuffer>;
  /** What the file's numbers are, by Hugging Face's names and in its order. */
  readonly weights: Map<string, Tensor>;
}

interface Options {
  readonly config: Readonly<Record<string, unknown>>;
  /** The type of each matrix; vectors are F32. */
  readonly typeOf: (name: string) => GgmlType;
  readonly metadata?: Readonly<Record<string, MetaValue>>;
}

export function ggufCheckpoint(weights: ReadonlyMap<string, Tensor>, { config, typeOf, metadata = {} }: Options): GgufCheckpoint {
  const n = (key: string) => config[key] as number;
  const [heads, kvHeads] = [n("num_attention_heads"), n("num_key_value_heads")];
  const kept = new Map<string, Tensor>();
  const tensors = [...weights].map(([name, { shape, data }]): GgufTensor => {
    const type = shape.length === 1 ? "F32" : typeOf(name);
    const bytes = encodeAs(type, data);
    kept.set(name, tensor(shape, decodeAs(type, bytes, data)));
    const [, letter] = /\.([qk])_proj\./.exec(name) ?? [];
    const count = letter === "q" ? heads : kvHeads;
    const renamed = NAMES.find(([pattern]) => pattern.test(name))!;
    return { name: name.replace(...renamed), shape, type, bytes: letter ? permuted(bytes, shape[0]!, count) : bytes };
  });
  return {
    weights: kept,
    file: writeGguf(
      {
        "general.architecture": "llama",
        "llama.block_count": n("num_hidden_layers"),
        "llama.embedding_length": n("hidden_size"),
        "llama.feed_forward_length": n("intermediate_size"),
        "llama.attention.head_count": heads,
        "llama.attention.head_count_kv": kvHeads,
        "llama.context_length": n("max_position_embeddings"),
        "llama.attention.layer_norm_rms_epsilon": n("rms_norm_eps"),
        "llama.rope.freq_base": n("rope_theta"),
        ...metadata,
      },
      tensors,
    ),
  };
}

/** LlamaModel.permute of convert_hf_to_gguf.py: reshape(heads, 2, half, …).swapaxes(1, 2). */
function permuted(bytes: Uint8Array, rows: number, heads: number): Uint8Array {
  const [rowBytes, dk] = [bytes.length / rows, rows / heads];
  const out = new Uint8Array(bytes.length);
  for (let h = 0; h < heads; h++)
    for (let s = 0; s < 2; s++)
      for (let j = 0; j < dk / 2; j++) {
        const from = h * dk + s * (dk / 2) + j;
        out.set(bytes.subarray(from * rowBytes, (from + 1) * rowBytes), (h * dk + 2 * j + s) * rowBytes);
      }
  return out;
}

const isBlocks = (type: GgmlType): type is BlockName => GGML[type].elements > 1;

function encodeAs(type: GgmlType, data: ArrayLike<number>): Uint8Array {
  if (isBlocks(type)) return encode(type, data);
  if (type === "F32") return new Uint8Array(Float32Array.from(data).buffer);
  if (type === "F16") return new Uint8Array(Uint16Array.from(data, numberToHalf).buffer);
  const words = new Uint32Array(Float32Array.from(data, (x) => roundTo("BF16", x)).buffer);
  return new Uint8Array(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

function decodeAs(type: GgmlType, bytes: Uint8Array, data: ArrayLike<number>): Float64Array {
  if (isBlocks(type)) return decode(type, bytes);
  return Float64Array.from(data, (x) => roundTo(type as "F32" | "F16" | "BF16", x));
}
