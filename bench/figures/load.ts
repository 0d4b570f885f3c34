// How fast a checkpoint comes onto the GPU, and how much memory of JavaScript's that takes at most.
import { loadModel, type Source } from "../../src/index.ts";
import { decoderSource } from "../checkpoint.ts";
import type { Figure } from "../result.ts";
import { samples } from "../suites.ts";
import type { FigureOptions } from "./index.ts";

export async function loadFigures(device: GPUDevice, { context, software, memory, onProgress }: FigureOptions): Promise<Figure[]> {
  const { checkpoint } = samples({ software });
  const figures: Figure[] = [];
  const load = async (name: string, source: string | URL | Source): Promise<void> => {
    onProgress(`figures: loading, ${name}`);
    memory?.collect();
    const before = memory?.bytes() ?? 0;
    let [most, bytes] = [0, 0];
    const begin = performance.now();
    using model = await loadModel(source, {
      device,
      onProgress({ total }) {
        bytes = total;
        most = Math.max(most, (memory?.bytes() ?? 0) - before);
      },
    });
    const ms = performance.now() - begin;
    const size = `${(bytes / 1e6).toFixed(0)} MB`;
    figures.push(
      { name: `${name}, ${size}: load`, value: ms, unit: "ms" },
      { name: `${name}, ${size}: load, rate`, value: bytes / 1000 / ms, unit: "MB/s" },
    );
    if (memory && most > 0)
      figures.push({ name: `${name}, ${size}: most memory above before, ${memory.what}`, value: most / 1e6, unit: "MB" });
    const { weights } = model.memory();
    figures.push({ name: `${name}, ${size}: weights on the GPU`, value: weights / 1e6, unit: "MB" });
  };
  await load("embedded Marian", context.files());
  await load("made-up Llama, f16", decoderSource(checkpoint));
  return figures;
}
