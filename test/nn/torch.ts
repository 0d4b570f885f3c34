// The packs of torch's modules, in the terms of fovea/nn: weights under its names, masks as it takes them.
import type { MultiHeadOptions } from "../../src/nn/attention.ts";
import type { TensorData } from "../../src/schedule/executable.ts";
import type { Graph } from "../../src/schedule/graph.ts";
import { dim, slice, tensor, type Tensor } from "../reference/tensor.ts";
import { swapBatch } from "../reference/torch.ts";
import type { GoldenTensor, OpsCase } from "../support/conformance.ts";

const MASKED = -1e30;

/** torch stacks q, k, v in `in_proj_weight` and `in_proj_bias`; here each projection is a layer of its own. */
export function splitProjections(weights: ReadonlyMap<string, Tensor>): Record<string, Float32Array> {
  const out: Record<string, Float32Array> = {};
  for (const [name, x] of weights) {
    const joint = /^(.*?)in_proj_(weight|bias)$/.exec(name);
    const single = /^(.*?)([qkv])_proj_weight$/.exec(name);
    const d = dim(x, 0) / 3;
    if (joint) {
      for (const [i, part] of ["q", "k", "v"].entries())
        out[`${joint[1]}${part}_proj.${joint[2]}`] = Float32Array.from(slice(x, i * d, (i + 1) * d).data);
    } else out[single ? `${single[1]}${single[2]}_proj.weight` : name] = Float32Array.from(x.data);
  }
  return out;
}

/** Collects the inputs of a graph while it is built. */
export class Inputs {
  readonly data: Record<string, TensorData> = {};
  readonly #g: Graph;
  readonly #case: OpsCase;

  constructor(g: Graph, c: OpsCase) {
    this.#g = g;
    this.#case = c;
  }

  get seqFirst(): boolean {
    return this.#case.params["batch_first"] === false;
  }

  has(name: string): boolean {
    return this.#case.inputs.has(name);
  }

  /** States, batch first. */
  states(name: string) {
    const stored = this.#case.inputs.get(name)!;
    const x = this.seqFirst ? swapBatch(stored) : stored;
    this.data[name] = Float32Array.from(x.data);
    return this.#g.input(name, x.shape);
  }

  /** attn_mask and key_padding_mask as one additive mask, [1 or B, 1 or heads, 1 or T, S]. */
  masks(attn: string, padding: string, heads: number): Pick<MultiHeadOptions, "mask"> {
    const [a, p] = [this.#case.inputs.get(attn), this.#case.inputs.get(padding)];
    if (!a && !p) return {};
    const from = a && additive(a);
    const [T, S] = a ? [dim(a, -2), dim(a, -1)] : [1, dim(p!, 1)];
    const perHead = a?.shape.length === 3;
    const batch = p ? dim(p, 0) : perHead ? dim(a, 0) / heads : 1;
    const groups = perHead ? heads : 1;
    const data = Float32Array.from({ length: batch * groups * T * S }, (_, n) => {
      const [s, t, h, b] = [n % S, Math.floor(n / S) % T, Math.floor(n / S / T) % groups, Math.floor(n / S / T / groups)];
      const added = from ? from[((perHead ? b * heads + h : 0) * T + t) * S + s]! : 0;
      return p?.data[b * S + s] ? MASKED : added;
    });
    const name = `${attn}+${padding}`;
    this.data[name] = data;
    return { mask: this.#g.input(name, [batch, groups, T, S]) };
  }
}

function additive({ data, boolean }: GoldenTensor): Float64Array {
  return data.map((x) => (boolean ? (x ? MASKED : 0) : Math.max(x, MASKED)));
}

/** An output, batch first, as torch gave it. */
export function asTorch(c: OpsCase, shape: readonly number[], data: ArrayLike<number>): Tensor {
  const x = tensor(shape, data);
  return c.params["batch_first"] === false ? swapBatch(x) : x;
}
