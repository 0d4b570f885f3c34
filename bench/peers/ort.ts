// onnxruntime-web as a peer, on WebGPU and on wasm. Models are built here, of the operators that ONNX Runtime fuses an exported
// model to; weights are initialisers, as in a model file.
import type { Peer, Task } from "../task.ts";
import { gpuRuntime, type Runtime, wasmRuntime } from "./ort/runtime.ts";
import { prepareSingle } from "./ort/single.ts";

export async function ortWebGpu(): Promise<Peer> {
  const adapter = await navigator.gpu.requestAdapter();
  const half = adapter?.features.has("shader-f16") ? true : "the adapter has no shader-f16";
  return peer("ORT WebGPU", await gpuRuntime(), half);
}

export async function ortWasm(): Promise<Peer> {
  return peer("ORT wasm", await wasmRuntime(), "the CPU has no half floats");
}

function peer(name: string, runtime: Runtime, half: true | string): Peer {
  return {
    name,
    about: runtime.about,
    supports: (task) => supports(task, half),
    prepare(task, data) {
      switch (task.kind) {
        case "decode":
        case "translate":
          throw new Error("later");
        default:
          return prepareSingle(runtime, task, data);
      }
    },
  };
}

function supports(task: Task, half: true | string): true | string {
  if (task.kind === "decode") return "later";
  if (task.kind === "translate") return task.beams === 1 ? "later" : "ONNX Runtime Web has no beam search";
  if (task.kind === "matmul" && task.weight === "f16") return half;
  return true;
}
