// onnxruntime-web as a peer, on WebGPU and on wasm. Models are built here, of the operators that ONNX Runtime fuses an exported
// model to; weights are initialisers, as in a model file.
import type { Peer, Task } from "../task.ts";
import { prepareDecode } from "./ort/decode.ts";
import { gpuRuntime, type Runtime, wasmRuntime } from "./ort/runtime.ts";
import { prepareSingle } from "./ort/single.ts";
import { prepareTranslate } from "./ort/translate.ts";

export async function ortWebGpu(): Promise<Peer> {
  const adapter = await navigator.gpu.requestAdapter();
  const half = adapter?.features.has("shader-f16") ? true : "the adapter has no shader-f16";
  return peer("ORT WebGPU", await gpuRuntime(), half);
}

export async function ortWasm(): Promise<Peer> {
  return peer("ORT wasm", await wasmRuntime(), "wasm has no half floats");
}

function peer(name: string, runtime: Runtime, half: true | string): Peer {
  return {
    name,
    about: runtime.about,
    supports: (task) => supports(task, half),
    prepare(task, data, context) {
      switch (task.kind) {
        case "decode":
          return prepareDecode(runtime, task, data);
        case "translate":
          return prepareTranslate(runtime, task, context);
        default:
          return prepareSingle(runtime, task, data);
      }
    },
  };
}

function supports(task: Task, half: true | string): true | string {
  if (task.kind === "translate" && task.beams > 1) return "no beam search on WebGPU, and none written here";
  return "weight" in task && task.weight === "f16" ? half : true;
}
