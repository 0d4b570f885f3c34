// Query and key rows of checkpoints whose rotary positions turn neighbours, in the order of those that turn halves.
import type { Family } from "../models/architecture.ts";
import type { ConfigReader } from "./config.ts";
import { headsFromPairs } from "./gguf/rearrange.ts";
import type { Checkpoint, TensorInfo } from "./safetensors.ts";

/** The checkpoint with the tensors that the family names put in order as they come. */
export function parted({ tensors }: Checkpoint, neighbours: NonNullable<Family["neighbours"]>, config: ConfigReader): Checkpoint {
  const size = neighbours.headSize(config);
  const arranged = (tensor: TensorInfo): TensorInfo => {
    const [rows] = tensor.shape;
    // Of another size than the config's: refused where shapes are compared.
    if (rows === undefined || rows % size !== 0 || size % 2 !== 0) return tensor;
    const bytes = tensor.end - tensor.begin;
    return { ...tensor, rearrange: headsFromPairs(size, bytes / rows, bytes) };
  };
  return { tensors: new Map([...tensors].map(([name, tensor]) => [name, neighbours.tensors.test(name) ? arranged(tensor) : tensor])) };
}
