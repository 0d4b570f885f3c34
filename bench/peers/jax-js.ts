// jax-js on WebGPU. Chosen: one jit a task, where scale, mask, bias and gelu join the products' kernels; weights as [in, out], whose
// columns neighbours read together; grouped heads as rows of one product per key/value head, which its own attention repeats.
import type { AttentionTask, EncoderTask, Peer, Prepared, Task } from "../task.ts";

type Jax = Foreign;
type A = Foreign;
/** By its reference counting, a function uses up its arguments: each is used once, or by `.ref`. */
type Compute = (data: Record<string, A>) => A;

export const jaxJs = async (): Promise<Peer> => {
  const jax = await import("@jax-js/jax");
  if (!(await jax.init("webgpu")).includes("webgpu")) throw new Error("jax-js: its WebGPU backend did not start");
  jax.defaultDevice("webgpu");
  const { queue } = jax.getWebGPUDevice();

  return {
    name: "jax-js",
    about: "@jax-js/jax 0.1.25, WebGPU, jit",
    supports,
    async prepare(task, data): Promise<Prepared> {
      const kept: Record<string, A> = {};
      for (const [name, { data: values, shape }] of Object.entries(data)) {
        const array = jax.numpy.array(values, { shape: [...shape] });
        kept[name] = /^w$|weight$/.test(name) ? jax.numpy.transpose(array) : array;
      }
      if (task.kind === "attention" && task.causal) kept["mask"] = causalMask(jax, task);
      const compute = jax.jit(build(jax, task));
      const last: { result?: A } = {};
      const run = async (): Promise<void> => {
        last.result?.dispose(); // first, so that its buffer serves this run
        delete last.result;
        const given = Object.fromEntries(Object.entries(kept).map(([name, array]) => [name, array.ref]));
        last.result = compute(given) as A;
        await last.result.ref.gpuBuffer(); // dispatches, but unlike blockUntilReady reads nothing back
        await queue.onSubmittedWorkDone();
      };
      await run(); // compiles; also lays out what was transposed
      return {
        run,
        output: async () => (await last.result!.ref.data()) as Float32Array,
        dispose() {
          for (const array of Object.values(kept)) array.dispose();
          last.result?.dispose();
          compute.dispose();
        },
      };
    },
  };
};

function supports(task: Task): true | string {
  if (task.kind === "decode" || task.kind === "translate") return "no such model in jax-js";
  return task.kind === "matmul" && task.weight !== "f32" ? `no ${task.weight} weights in jax-js` : true;
}

/** 0 where a query sees a key, -1e9 where not; for all the heads that share keys. */
function causalMask(jax: Jax, { heads, kvHeads, T, S }: AttentionTask): A {
  const rows = (heads / kvHeads) * T;
  const future = Float32Array.from({ length: rows * S }, (_, i) => ((i % S) - (Math.floor(i / S) % T) > S - T ? -1e9 : 0));
  return jax.numpy.array(future, { shape: [rows, S] });
}

function build({ numpy: np, nn }: Jax, task: Task): Compute {
  switch (task.kind) {
    case "matmul":
      return ({ x, w }) => np.matmul(x!, w!);
    case "attention": {
      const { heads, kvHeads, d, T } = task;
      return ({ q, k, v, mask }) => {
        const queries = q!.reshape([kvHeads, (heads / kvHeads) * T, d]);
        const scores = np.einsum("htd,hsd->hts", queries, k!).mul(1 / Math.sqrt(d));
        const weights = softmax(np, mask ? scores.add(mask) : scores);
        return np.matmul(weights, v!).reshape([heads, T, d]);
      };
    }
    case "softmax":
      return ({ x }) => softmax(np, x!);
    case "layer-norm":
      return ({ x, weight, bias }) => layerNorm(np, x!, weight!, bias!, 1e-5);
    case "encoder":
      return encoder(np, nn, task);
    default:
      throw new Error(`jax-js: ${task.kind}`);
  }
}

// Here and in the layer norm, what is written twice is computed twice: what two kernels share becomes a kernel and a buffer of its
// own, as the exponentials of nn.softmax do.
function softmax(np: Jax["numpy"], x: A): A {
  const max = x.ref.max(-1, { keepdims: true });
  const sum = np.exp(x.ref.sub(max.ref)).sum(-1, { keepdims: true });
  return np.exp(x.sub(max)).div(sum);
}

function layerNorm(np: Jax["numpy"], x: A, weight: A, bias: A, epsilon: number): A {
  const mean = x.ref.mean(-1, { keepdims: true });
  const variance = np.square(x.ref.sub(mean.ref)).mean(-1, { keepdims: true });
  return x
    .sub(mean)
    .div(np.sqrt(variance.add(epsilon)))
    .mul(weight)
    .add(bias);
}

function encoder(np: Jax["numpy"], nn: Jax["nn"], { batch, T, d, heads, layers }: EncoderTask): Compute {
  return (data) => {
    const linear = (x: A, name: string): A => np.matmul(x, data[`${name}.weight`]!).add(data[`${name}.bias`]!);
    const norm = (x: A, name: string): A => layerNorm(np, x, data[`${name}.weight`]!, data[`${name}.bias`]!, 1e-12);
    let x = data["x"]!.reshape([batch * T, d]);
    for (let n = 0; n < layers; n++) {
      const at = `layers.${n}.self_attn`;
      const split = (part: string): A => linear(x.ref, `${at}.${part}_proj`).reshape([batch, T, heads, d / heads]);
      const mixed = nn.dotProductAttention(split("q"), split("k"), split("v")).reshape([batch * T, d]);
      const y = norm(x.add(linear(mixed, `${at}.out_proj`)), `layers.${n}.norm1`);
      const active = nn.gelu(linear(y.ref, `layers.${n}.linear1`), { approximate: false });
      x = norm(y.add(linear(active, `layers.${n}.linear2`)), `layers.${n}.norm2`);
    }
    return x.reshape([batch, T, d]);
  };
}
