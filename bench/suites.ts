// What is measured by default: shapes of real layers and models. Software adapters get what ends within ten minutes there, all
// engines together.
import type { AttentionTask, DecodeTask, EncoderTask, MatmulTask, RowsTask, Task, TranslateTask, WeightFormat } from "./task.ts";

export interface Suite {
  readonly name: string;
  readonly about: string;
  readonly tasks: readonly Task[];
}

const matmul = (M: number, K: number, N: number, weight: WeightFormat = "f32"): MatmulTask => ({ kind: "matmul", M, K, N, weight });
const attention = (T: number, S: number, heads = 12, kvHeads = heads, d = 64): AttentionTask => ({
  kind: "attention",
  heads,
  kvHeads,
  d,
  T,
  S,
  causal: true,
});
const rows = (kind: RowsTask["kind"], count: number, columns: number): RowsTask => ({ kind, rows: count, columns });
const miniLM = (batch: number, T = 128): EncoderTask => ({ kind: "encoder", batch, T, d: 384, heads: 12, ffn: 1536, layers: 6 });
type Decoder = Omit<DecodeTask, "past" | "steps" | "weight">;
/** A Llama of GPT-2's size, one of 1B, and one that a software adapter runs in milliseconds. */
const small: Decoder = {
  kind: "decode",
  layers: 12,
  d: 768,
  heads: 12,
  kvHeads: 12,
  ffn: 2048,
  vocab: 50257,
};
const billion: Decoder = { kind: "decode", layers: 16, d: 2048, heads: 32, kvHeads: 8, ffn: 8192, vocab: 128256 };
const tiny: Decoder = { kind: "decode", layers: 4, d: 256, heads: 8, kvHeads: 4, ffn: 688, vocab: 4096 };
const decode = (model: Decoder, past: number, weight: WeightFormat = "f32", steps = 32): DecodeTask => ({
  ...model,
  past,
  steps,
  weight,
});

/** "I have never seen a black cat in this house." of the embedded model. */
const SENTENCE: readonly number[] = [6, 59, 279, 859, 8, 2201, 890, 43, 76, 380, 2, 0];
const translate = (beams: number): TranslateTask => ({ kind: "translate", ids: SENTENCE, beams });

/** What profiles and figures are taken of. */
export const samples = ({ software }: { software: boolean }) => ({
  encoder: miniLM(1),
  // Behind so many tokens that a profile's runs all follow one prompt, which is then no part of them.
  decode: software ? decode(tiny, 512, "f32", 8) : decode(billion, 2048, "f16"),
  /** For capture, whose cost a small model shows most. */
  decoder: software ? decode(tiny, 0) : decode(small, 0),
  /** To be loaded: some hundred megabytes, or a real model. */
  checkpoint: software ? decode({ ...small, vocab: 8192 }, 0, "f16") : decode(billion, 0, "f16"),
  translate: translate(1),
});

export function suites({ software }: { software: boolean }): readonly Suite[] {
  const gpu = <T>(...tasks: T[]): T[] => (software ? [] : tasks);
  return [
    {
      name: "matmul",
      about: "x·wᵀ at the shapes of real layers",
      tasks: [
        matmul(1, 768, 768),
        matmul(1, 768, 3072),
        matmul(8, 768, software ? 8192 : 50257),
        matmul(128, 384, 1536),
        matmul(512, 768, 3072),
        ...gpu(matmul(1024, 1024, 1024), matmul(2048, 2048, 2048), matmul(4096, 4096, 4096)),
        ...gpu(matmul(1, 2048, 8192, "f16"), matmul(512, 2048, 8192, "f16"), matmul(1, 2048, 8192, "q4"), matmul(1, 2048, 8192, "q8")),
      ],
    },
    {
      name: "attention",
      about: "prefill over T tokens, and one query over a long cache",
      tasks: [
        attention(128, 128),
        ...(software ? [attention(512, 512, 4)] : [1024, 4096, 16384].map((T) => attention(T, T))),
        ...gpu(...[128, 1024, 4096, 16384].map((T) => attention(T, T, 32, 8, 128))),
        attention(1, 128),
        attention(1, 2048),
        ...gpu(attention(1, 8192), attention(1, 32768), ...[128, 2048, 8192, 32768].map((S) => attention(1, S, 32, 8, 128))),
      ],
    },
    {
      name: "rows",
      about: "softmax and layer norm",
      tasks: [rows("softmax", 1536, 128), rows("softmax", 8, 50257), rows("layer-norm", 128, 384), rows("layer-norm", 512, 768)],
    },
    {
      name: "encoder",
      about: "an encoder of MiniLM-L6's shape",
      // Eight whole rows would take some engines a minute a run on two cores.
      tasks: [miniLM(1), software ? miniLM(8, 16) : miniLM(8)],
    },
    {
      name: "decode",
      about: "greedy decoding over the length of the context",
      tasks: software
        ? [0, 128, 512, 1024].map((past) => decode(tiny, past, "f32", 8))
        : [
            ...[0, 1024, 4096].map((past) => decode(small, past)),
            ...[0, 128, 1024, 4096, 16384, 32768].map((past) => decode(billion, past, "f16")),
            ...[0, 4096].map((past) => decode(billion, past, "q4")),
          ],
    },
    { name: "translate", about: "the embedded Marian model, one sentence", tasks: [translate(1), translate(4)] },
  ];
}

/** What a task is called in tables. */
export function nameOf(task: Task): string {
  switch (task.kind) {
    case "matmul":
      return `matmul ${task.M}×${task.K}×${task.N}${task.weight === "f32" ? "" : ` ${task.weight}`}`;
    case "attention": {
      const heads = task.heads === task.kvHeads ? `${task.heads}×${task.d}` : `${task.heads}/${task.kvHeads}×${task.d}`;
      return task.T === 1 ? `attention, 1 query over ${task.S}, ${heads}` : `attention, ${task.T} tokens, ${heads}`;
    }
    case "softmax":
    case "layer-norm":
      return `${task.kind.replace("-", " ")} ${task.rows}×${task.columns}`;
    case "encoder":
      return `encoder, ${task.layers} layers of ${task.d}, ${task.batch} × ${task.T} tokens`;
    case "decode":
      return `decode ${task.steps} tokens, ${task.layers} layers of ${task.d}, ${task.weight}, behind ${task.past}`;
    case "translate":
      return `translate ${task.ids.length} tokens, ${task.beams === 1 ? "greedy" : `${task.beams} beams`}`;
  }
}
