// ONNX Runtime in a page, on WebGPU or on wasm: sessions, and tensors that lie where the sessions run.
import { expandGraph } from "../onnx/graphs.ts";
import type { Data, DataType, Ort, Session, Tensor } from "./api.ts";

export interface Runtime {
  readonly about: string;
  /** On a GPU, where inputs and outputs stay: its device, once there is a session. */
  readonly device?: () => GPUDevice | undefined;
  readonly ort: Ort;
  /**
   * One at a time: ONNX Runtime does not make two at once. `capture`: runs after the first replay its commands, on a GPU, with
   * the tensors of the first.
   */
  session(model: Uint8Array, options?: { readonly capture?: boolean }): Promise<Session>;
  /** After the first session. */
  upload(data: Data, dims: readonly number[]): Promise<Tensor>;
  /** Frees an uploaded tensor; results have their own dispose(). */
  free(tensor: Tensor): void;
  /** Until what was submitted is done. */
  done(): Promise<void>;
}

/** A tensor of the page. */
export function hostTensor(runtime: Runtime, data: Data, dims: readonly number[]): Tensor {
  return new runtime.ort.Tensor(typeOf(data), data, dims);
}

let gpu: Promise<Runtime> | undefined;

/** The GPU package's runtime: the WebGPU execution provider in C++, compiled with asyncify. One for all peers: it has one device. */
export const gpuRuntime = (): Promise<Runtime> => (gpu ??= loadGpu());

async function loadGpu(): Promise<Runtime> {
  const [module, { default: mjs }, { default: wasm }] = await Promise.all([
    import("onnxruntime-web/webgpu"),
    import("onnxruntime-web/ort-wasm-simd-threaded.asyncify.mjs?url"),
    import("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm?url"),
  ]);
  const ort = module as unknown as Ort;
  configure(ort, mjs, wasm);
  let device: GPUDevice | undefined;
  /** Kept: the device goes with the last session. */
  let anchor: Session | undefined;
  return {
    about: `onnxruntime-web ${ort.env.versions.web ?? ""}, WebGPU`,
    device: () => device,
    ort,
    session: async (model, { capture = false } = {}) => {
      const gpu = [{ name: "webgpu" as const }];
      anchor ??= await ort.InferenceSession.create(expandGraph([1], false), { executionProviders: gpu });
      const session = await ort.InferenceSession.create(model, {
        executionProviders: gpu,
        preferredOutputLocation: "gpu-buffer",
        enableGraphCapture: capture,
        logSeverityLevel: 3,
      });
      device = await ort.env.webgpu.device;
      return session;
    },
    upload: async (data, dims) => {
      if (!device) throw new Error("ONNX Runtime has its device with the first session");
      // Kernels bind whole vec4s.
      const size = Math.max(16, Math.ceil(data.byteLength / 16) * 16);
      const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
      const buffer = device.createBuffer({ size, usage, mappedAtCreation: true });
      new Uint8Array(buffer.getMappedRange()).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      buffer.unmap();
      return ort.Tensor.fromGpuBuffer(buffer, { dataType: typeOf(data), dims });
    },
    free: (tensor) => tensor.gpuBuffer.destroy(),
    done: async () => device?.queue.onSubmittedWorkDone(),
  };
}

/** The CPU package's runtime: as many threads as the page may have, one where it is not cross-origin isolated. */
export async function wasmRuntime(): Promise<Runtime> {
  const [module, { default: mjs }, { default: wasm }] = await Promise.all([
    import("onnxruntime-web/wasm"),
    import("onnxruntime-web/ort-wasm-simd-threaded.mjs?url"),
    import("onnxruntime-web/ort-wasm-simd-threaded.wasm?url"),
  ]);
  const ort = module as unknown as Ort;
  const threads = configure(ort, mjs, wasm);
  return {
    about: `onnxruntime-web ${ort.env.versions.web ?? ""}, wasm SIMD, ${threads} thread${threads > 1 ? "s" : ""}`,
    ort,
    session: (model) => ort.InferenceSession.create(model, { executionProviders: ["wasm"], logSeverityLevel: 3 }),
    upload: async (data, dims) => new ort.Tensor(typeOf(data), data, dims),
    free: (tensor) => tensor.dispose(),
    done: async () => {},
  };
}

/** The runtime's files come from the page's own host. Returns the number of threads. */
function configure({ env }: Ort, mjs: string, wasm: string): number {
  const threads = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  env.wasm.numThreads = threads;
  env.wasm.wasmPaths = { mjs: new URL(mjs, location.href).href, wasm: new URL(wasm, location.href).href };
  env.logLevel = "error";
  return threads;
}

function typeOf(data: Data): DataType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Int32Array) return "int32";
  return data instanceof BigInt64Array ? "int64" : "float16";
}
