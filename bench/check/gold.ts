// What the tasks come to, in f64.
import { attention } from "../../test/reference/attention.ts";
import { embedding } from "../../test/reference/embedding.ts";
import { linear } from "../../test/reference/matmul.ts";
import { Checkpoint, heads } from "../../test/reference/models/common.ts";
import { layerNorm, rmsNorm } from "../../test/reference/norms.ts";
import { rotary } from "../../test/reference/positions.ts";
import { softmax } from "../../test/reference/softmax.ts";
import { add, mergeHeads, multiply, reshape, splitHeads, tensor, type Tensor, zeros } from "../../test/reference/tensor.ts";
import { argmax } from "../../test/reference/topk.ts";
import { readModelGolden } from "../../test/support/conformance.ts";
import type { DecodeTask, EncoderTask, Task, TaskData } from "../task.ts";

export function gold(task: Task, data: TaskData): ArrayLike<number> {
  const model = new Checkpoint({}, new Map(Object.entries(data).map(([name, { shape, data: values }]) => [name, tensor(shape, values)])));
  const get = (name: string) => model.get(name);
  switch (task.kind) {
    case "matmul":
      return linear(get("x"), get("w")).data;
    case "softmax":
      return softmax(get("x")).data;
    case "layer-norm":
      return layerNorm(get("x"), get("weight"), get("bias"), 1e-5).data;
    case "attention": {
      const [q, k, v] = ["q", "k", "v"].map((name) => reshape(get(name), [1, ...get(name).shape])) as [Tensor, Tensor, Tensor];
      return attention(q, k, v, { causal: task.causal, queryOffset: task.S - task.T }).output.data;
    }
    case "encoder":
      return encode(model, task).data;
    case "decode":
      return decode(model, task);
    case "translate":
      return translate(task.ids, task.beams);
  }
}

function encode(model: Checkpoint, task: EncoderTask): Tensor {
  let x = model.get("x");
  for (let i = 0; i < task.layers; i++) {
    const path = `layers.${i}`;
    const self = heads(model, `${path}.self_attn`, x, x, { heads: task.heads, names: ["q_proj", "k_proj", "v_proj", "out_proj"] });
    x = model.layerNorm(add(x, self.output), `${path}.norm1`, 1e-12);
    const hidden = model.linear(x, `${path}.linear1`, "gelu");
    x = model.layerNorm(add(x, model.linear(hidden, `${path}.linear2`)), `${path}.norm2`, 1e-12);
  }
  return x;
}

/** Everything again at each step, behind `past` keys and values of zero. */
function decode(model: Checkpoint, task: DecodeTask): number[] {
  const { past, layers, steps } = task;
  const ids = [1];
  const behind = (x: Tensor): Tensor => {
    const [, count, length, d] = x.shape as [number, number, number, number];
    const out = zeros([1, count, past + length, d]);
    for (let h = 0; h < count; h++) out.data.set(x.data.subarray(h * length * d, (h + 1) * length * d), (h * (past + length) + past) * d);
    return out;
  };
  while (ids.length <= steps) {
    const positions = [ids.map((_, t) => past + t)];
    let x = embedding([ids], model.get("model.embed_tokens.weight"));
    for (let i = 0; i < layers; i++) {
      const path = `model.layers.${i}`;
      const normed = model.rmsNorm(x, `${path}.input_layernorm`, 1e-6);
      const project = (name: string, count: number) => splitHeads(model.linear(normed, `${path}.self_attn.${name}_proj`), count);
      const { output } = attention(
        rotary(project("q", task.heads), positions),
        behind(rotary(project("k", task.kvHeads), positions)),
        behind(project("v", task.kvHeads)),
        { causal: true, queryOffset: past },
      );
      x = add(x, model.linear(mergeHeads(output), `${path}.self_attn.o_proj`));
      const inner = model.rmsNorm(x, `${path}.post_attention_layernorm`, 1e-6);
      const gated = multiply(model.linear(inner, `${path}.mlp.gate_proj`, "silu"), model.linear(inner, `${path}.mlp.up_proj`));
      x = add(x, model.linear(gated, `${path}.mlp.down_proj`));
    }
    const logits = linear(rmsNorm(x, model.get("model.norm.weight"), 1e-6), model.get("lm_head.weight")).data;
    ids.push(argmax(logits.subarray(logits.length - task.vocab)));
  }
  return ids.slice(1);
}

/** Hugging Face's own ids, which come with the checkpoint. */
function translate(ids: readonly number[], beams: number): readonly number[] {
  const sentence = readModelGolden("marian-en-fr-tatoeba").sentences.find(({ input_ids }) => input_ids.join() === ids.join());
  if (!sentence || (beams !== 1 && beams !== 4)) throw new Error("no golden translation of these ids");
  return beams === 1 ? sentence.greedy_ids : sentence.beam4[0]!.ids;
}
