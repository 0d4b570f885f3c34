// onnxruntime-web as a peer, on WebGPU and on wasm. Models are built here, of the operators that ONNX Runtime fuses an exported
// model to, in the forms that are fastest there; weights are initialisers, as in a model file. Beside these the encoder as an
// exporter writes it, with the options that a session has by itself: what its users have who do not tune.
import { fitsHost } from "../data.ts";
import type { Peer, Task } from "../task.ts";
import { prepareDecode } from "./ort/decode.ts";
import { gpuRuntime, type Runtime, wasmRuntime } from "./ort/runtime.ts";
import { prepareExported, prepareSingle } from "./ort/single.ts";
import { prepareTranslate } from "./ort/translate.ts";

export async function ortWebGpu(): Promise<Peer> {
  const adapter = await navigator.gpu.requestAdapter();
  const half = adapter?.features.has("shader-f16") ? true : "the adapter has no shader-f16";
  return peer("ORT WebGPU", await gpuRuntime(), half);
}

export async function ortExported(): Promise<Peer> {
  const runtime = await gpuRuntime();
  return {
    name: "ORT WebGPU as exported",
    about: `${runtime.about}, model as PyTorch exports it, default options`,
    supports: (task) => task.kind === "encoder" || "of models only the encoder is written out as an export",
    prepare(task, data) {
      if (task.kind !== "encoder") throw new Error(`no export of a task of kind ${task.kind}`);
      return prepareExported(runtime, task, data);
    },
  };
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
  if (task.kind === "decode" && !fitsHost(task)) return "a model file in memory ends at 2 GB";
  return "weight" in task && task.weight === "f16" ? half : true;
}
