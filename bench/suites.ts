// What is measured by default: shapes of real layers and models. Software adapters get what ends within minutes there.
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
/** A Llama of GPT-2's size, and one of 1B. */
const small: Omit<DecodeTask, "past" | "steps" | "weight"> = {
  kind: "decode",
  layers: 12,
  d: 768,
  heads: 12,
  kvHeads: 12,
  ffn: 2048,
  vocab: 50257,
};
const billion: typeof small = { kind: "decode", layers: 16, d: 2048, heads: 32, kvHeads: 8, ffn: 8192, vocab: 128256 };
const tiny: typeof small = { kind: "decode", layers: 4, d: 256, heads: 8, kvHeads: 4, ffn: 688, vocab: 4096 };
const decode = (model: typeof small, past: number, weight: WeightFormat = "f32", steps = 32): DecodeTask => ({
  ...model,
  past,
  steps,
  weight,
});

/** "I have never seen a black cat in this house." of the embedded model. */
const SENTENCE: readonly number[] = [6, 59, 279, 859, 8, 2201, 890, 43, 76, 380, 2, 0];
const translate = (beams: number): TranslateTask => ({ kind: "translate", ids: SENTENCE, beams });

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
        ...(software
          ? [attention(512, 512, 4)]
          : [attention(1024, 1024), attention(4096, 4096), attention(4096, 4096, 32, 8, 128), attention(16384, 16384)]),
        attention(1, 128),
        attention(1, 2048),
        ...gpu(attention(1, 32768), attention(1, 8192, 32, 8, 128), attention(1, 32768, 32, 8, 128)),
      ],
    },
    {
      name: "rows",
      about: "softmax and layer norm",
      tasks: [rows("softmax", 1536, 128), rows("softmax", 8, 50257), rows("layer-norm", 128, 384), rows("layer-norm", 512, 768)],
    },
    {
      name: "encoder",
      about: "an encoder of MiniLM-L6's shape, 128 tokens",
      tasks: [miniLM(1), ...(software ? [] : [miniLM(8)])],
    },
    {
      name: "decode",
      about: "greedy decoding, time of 32 steps",
      tasks: [
        decode(tiny, 0),
        decode(tiny, 256),
        ...gpu(decode(small, 0), decode(small, 1024), decode(billion, 0, "f16"), decode(billion, 2048, "f16"), decode(billion, 0, "q4")),
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
