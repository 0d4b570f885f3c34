// The embedded checkpoint as plain f32 numbers, for engines that build a model of their own from it.
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
  const bytes = await (await get("model.safetensors")).arrayBuffer();
  const size = Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, size))) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >;
  delete header["__metadata__"];
  const weights: Record<string, Tensor> = {};
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(header)) {
    const part = bytes.slice(8 + size + from, 8 + size + to);
    weights[name] = { shape, data: dtype === "F32" ? new Float32Array(part) : Float32Array.from(new Uint16Array(part), fromHalf) };
  }
  return { config, weights };
}

function fromHalf(bits: number): number {
  const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
