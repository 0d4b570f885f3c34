// A checkpoint as llama.cpp's conversion would write it: GGUF's names, Llama's query and key rows turned, Gemma's norms with one added, any
// types; and the same numbers as those types keep them, by Hugging Face's names, for a checkpoint to compare with.
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
  [/^bert\.embeddings\.word_embeddings\./, "token_embd."],
  [/^bert\.embeddings\.position_embeddings\./, "position_embd."],
  [/^bert\.embeddings\.token_type_embeddings\./, "token_types."],
  [/^bert\.embeddings\.LayerNorm\./, "token_embd_norm."],
  [/^bert\.encoder\.layer\.(\d+)\.attention\.self\.([qkv])\w+\./, "blk.$1.attn_$2."],
  [/^bert\.encoder\.layer\.(\d+)\.attention\.output\.dense\./, "blk.$1.attn_output."],
  [/^bert\.encoder\.layer\.(\d+)\.attention\.output\.LayerNorm\./, "blk.$1.attn_output_norm."],
  [/^bert\.encoder\.layer\.(\d+)\.intermediate\.dense\./, "blk.$1.ffn_up."],
  [/^bert\.encoder\.layer\.(\d+)\.output\.dense\./, "blk.$1.ffn_down."],
  [/^bert\.encoder\.layer\.(\d+)\.output\.LayerNorm\./, "blk.$1.layer_output_norm."],
];

export type GgufArchitecture = "llama" | "qwen2" | "gemma" | "bert";

export interface GgufCheckpoint {
  readonly file: Uint8Array<ArrayBuffer>;
  /** What the file's numbers are, by Hugging Face's names and in its order. */
  readonly weights: Map<string, Tensor>;
}

interface Options {
  /** Default llama. */
  readonly architecture?: GgufArchitecture;
  readonly config: Readonly<Record<string, unknown>>;
  /** The type of each matrix; vectors are F32. */
  readonly typeOf: (name: string) => GgmlType;
  readonly metadata?: Readonly<Record<string, MetaValue>>;
}

export function ggufCheckpoint(
  weights: ReadonlyMap<string, Tensor>,
  { architecture = "llama", config, typeOf, metadata = {} }: Options,
): GgufCheckpoint {
  const n = (key: string) => config[key] as number;
  const heads = n("num_attention_heads");
  const kvHeads = n("num_key_value_heads") ?? heads;
  const kept = new Map<string, Tensor>();
  const tensors = [...weights].flatMap(([name, { shape, data }]): GgufTensor[] => {
    const renamed = NAMES.find(([pattern]) => pattern.test(name));
    // BERT's heads and pooler are left out.
    if (!renamed) return [];
    const type = shape.length === 1 ? "F32" : typeOf(name);
    const shift = architecture === "gemma" && name.endsWith("norm.weight") ? 1 : 0;
    const bytes = encodeAs(
      type,
      Array.from(data, (x) => x + shift),
    );
    kept.set(name, tensor(shape, decodeAs(type, bytes, data)));
    const [, letter] = (architecture === "llama" && /\.([qk])_proj\./.exec(name)) || [];
    const count = letter === "q" ? heads : kvHeads;
    return [{ name: name.replace(...renamed), shape, type, bytes: letter ? permuted(bytes, shape[0]!, count) : bytes }];
  });
  return {
    weights: kept,
    file: writeGguf(
      {
        "general.architecture": architecture,
        ...Object.fromEntries(
          Object.entries({
            block_count: n("num_hidden_layers"),
            embedding_length: n("hidden_size"),
            feed_forward_length: n("intermediate_size"),
            "attention.head_count": heads,
            "attention.head_count_kv": kvHeads,
            "attention.key_length": config["head_dim"],
            context_length: n("max_position_embeddings"),
            "attention.layer_norm_rms_epsilon": config["rms_norm_eps"],
            "attention.layer_norm_epsilon": config["layer_norm_eps"],
            "rope.freq_base": config["rope_theta"],
          }).flatMap(([key, value]) => (value === undefined ? [] : [[`${architecture}.${key}`, value as number]])),
        ),
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
