// The embedded checkpoint as plain f32 numbers, for engines that build a model of their own from it.
import { readSafetensors } from "../test/support/safetensors.ts";
import type { CheckpointData, Tensor } from "./task.ts";

let kept: Promise<CheckpointData> | undefined;

export const readCheckpoint = (folder: URL): Promise<CheckpointData> => (kept ??= read(folder));

async function read(folder: URL): Promise<CheckpointData> {
  const get = async (name: string) => {
    const response = await fetch(new URL(name, folder));
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return response;
  };
  const config = (await (await get("config.json")).json()) as Record<string, unknown>;
  const tensors = readSafetensors(new Uint8Array(await (await get("model.safetensors")).arrayBuffer()));
  const weights = [...tensors].map(([name, { shape, data }]): [string, Tensor] => [name, { shape, data: Float32Array.from(data) }]);
  return { config, weights: Object.fromEntries(weights) };
}
