// TensorFlow.js on WebGPU. Chosen: weights as [in, out] and keys turned, since only then its matmul loads vec4; bias fused into the
// matmul; the constants of scores and gelu folded into weights; grouped heads as rows of one product per key/value head, no repeats.
import type { AttentionTask, EncoderTask, Peer, Prepared, Task, TaskData } from "../task.ts";

type Tf = Foreign;
type Tensor = Foreign;
type Compute = () => Tensor;

export const tfjs = async (): Promise<Peer> => {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-webgpu");
  tf.enableProdMode();
  if (!(await tf.setBackend("webgpu"))) throw new Error("tfjs: its WebGPU backend did not start");
  tf.env().set("WEBGPU_CPU_FORWARD", false); // small tensors too are the GPU's
  const backend = tf.backend();

  const finish = (): Promise<undefined> => {
    // It submits every 15 dispatches; what is left over waits for a read unless it is sent by hand.
    backend.ensureCommandEncoderReady();
    backend.endComputePassEncoder();
    backend.submitQueue();
    return backend.queue.onSubmittedWorkDone();
  };

  return {
    name: "TensorFlow.js",
    about: `@tensorflow/tfjs-backend-webgpu ${tf.version_core}, WebGPU, ops one by one`,
    supports,
    async prepare(task, data): Promise<Prepared> {
      const kept: Tensor[] = [];
      const keep: Keep = (make) => {
        const tensor = tf.tidy(make);
        backend.uploadToGPU(tensor.dataId);
        kept.push(tensor);
        return tensor;
      };
      const compute = build(tf, task, data, keep);
      const last: { result?: Tensor } = {};
      const run = async (): Promise<void> => {
        last.result?.dispose(); // first, so that its buffer serves this run
        last.result = tf.tidy(compute);
        await finish();
      };
      await run(); // compiles
      return {
        run,
        output: async () => (await last.result!.data()) as Float32Array,
        dispose() {
          tf.dispose([...kept, last.result!]);
          // Its pool of buffers only grows, and would hold the largest of every task.
          if (tf.memory().numTensors === 0) backend.bufferManager.dispose();
        },
      };
    },
  };
};

function supports(task: Task): true | string {
  if (task.kind === "decode" || task.kind === "translate") return "no such model in TensorFlow.js";
  return task.kind === "matmul" && task.weight !== "f32" ? `no ${task.weight} weights in TensorFlow.js` : true;
}

type Keep = (make: () => Tensor) => Tensor;

function build(tf: Tf, task: Task, data: TaskData, keep: Keep): Compute {
  const tensor = (name: string, factor = 1): Tensor => {
    const { data: values, shape } = data[name]!;
    return tf.tensor(factor === 1 ? values : values.map((value) => value * factor), [...shape]);
  };
  const plain = (name: string, factor?: number): Tensor => keep(() => tensor(name, factor));
  const turned = (name: string, factor?: number): Tensor => keep(() => tf.transpose(tensor(name, factor)));
  const row = (name: string): Tensor => keep(() => tf.expandDims(tensor(name), 0));
  switch (task.kind) {
    case "matmul": {
      const [x, w] = [plain("x"), turned("w")];
      return () => tf.matMul(x, w);
    }
    case "attention":
      return attention(tf, task, [plain("q"), plain("k"), plain("v")], keep);
    case "softmax": {
      const x = plain("x");
      return () => tf.softmax(x);
    }
    case "layer-norm": {
      const [x, weight, bias] = [plain("x"), row("weight"), row("bias")];
      return () => layerNorm(tf, x, weight, bias, 1e-5);
    }
    case "encoder":
      return encoder(tf, task, { plain, turned, row });
    default:
      throw new Error(`tfjs: ${task.kind}`);
  }
}

function attention(tf: Tf, { heads, kvHeads, d, T, S, causal }: AttentionTask, [q, k, v]: Tensor[], keep: Keep): Compute {
  const rows = (heads / kvHeads) * T;
  const future = Float32Array.from({ length: rows * S }, (_, i) => ((i % S) - (Math.floor(i / S) % T) > S - T ? -1e9 : 0));
  const mask = causal && keep(() => tf.tensor(future, [rows, S]));
  return () => {
    const queries = tf.reshape(tf.mul(q!, 1 / Math.sqrt(d)), [kvHeads, rows, d]);
    // With few queries, turning the keys would cost more than vec4 loads save.
    const scores = T > 16 ? tf.matMul(queries, tf.transpose(k!, [0, 2, 1])) : tf.matMul(queries, k!, false, true);
    const weights = tf.softmax(mask ? tf.add(scores, mask) : scores);
    return tf.reshape(tf.matMul(weights, v!), [heads, T, d]);
  };
}

/** As its LayerNormalization layer, moments and a batch norm by them, with the deviations squared in one step. */
function layerNorm(tf: Tf, x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const mean = tf.mean(x, -1, true);
  const variance = tf.mean(tf.squaredDifference(x, mean), -1, true);
  return tf.batchNorm(x, mean, variance, bias, weight, epsilon);
}

type Get = (name: string, factor?: number) => Tensor;
type Weights = Readonly<Record<"plain" | "turned" | "row", Get>>;

function encoder(tf: Tf, { batch, T, d, heads, layers }: EncoderTask, { plain, turned, row }: Weights): Compute {
  const x = plain("x");
  const width = d / heads;
  const linear = (name: string, factor?: number): ((x: Tensor) => Tensor) => {
    const [w, b] = [turned(`${name}.weight`, factor), plain(`${name}.bias`, factor)];
    return (x) => tf.fused.matMul({ a: x, b: w, bias: b });
  };
  const norm = (name: string): ((x: Tensor) => Tensor) => {
    const [weight, bias] = [row(`${name}.weight`), row(`${name}.bias`)];
    return (x) => layerNorm(tf, x, weight, bias, 1e-12);
  };
  const split = (x: Tensor, order: number[]): Tensor => tf.transpose(tf.reshape(x, [batch, T, heads, width]), order);
  const stack = Array.from({ length: layers }, (_, n) => {
    const name = `layers.${n}`;
    const [q, k, v] = [
      linear(`${name}.self_attn.q_proj`, 1 / Math.sqrt(width)),
      linear(`${name}.self_attn.k_proj`),
      linear(`${name}.self_attn.v_proj`),
    ];
    const out = linear(`${name}.self_attn.out_proj`);
    // gelu(h) = h/2 · (1 + erf(h/√2)) = (z + z·erf(z)) / √2 for z = h/√2: one factor goes into each of the two weights.
    const up = linear(`${name}.linear1`, Math.SQRT1_2);
    const down = { w: turned(`${name}.linear2.weight`, Math.SQRT1_2), b: plain(`${name}.linear2.bias`) };
    const [norm1, norm2] = [norm(`${name}.norm1`), norm(`${name}.norm2`)];
    return (x: Tensor): Tensor => {
      const weights = tf.softmax(tf.matMul(split(q(x), [0, 2, 1, 3]), split(k(x), [0, 2, 3, 1])));
      const mixed = tf.reshape(tf.transpose(tf.matMul(weights, split(v(x), [0, 2, 1, 3])), [0, 2, 1, 3]), [batch * T, d]);
      const y = norm1(tf.add(x, out(mixed)));
      const z = up(y);
      const active = tf.add(z, tf.mul(z, tf.erf(z)));
      return norm2(tf.add(y, tf.fused.matMul({ a: active, b: down.w, bias: down.b })));
    };
  });
  // One scope a layer: what a layer leaves behind serves the next.
  const forward = (): Tensor => stack.reduce((x, layer) => tf.tidy(() => layer(x)), tf.reshape(x, [batch * T, d]));
  return () => tf.reshape(forward(), [batch, T, d]);
}
