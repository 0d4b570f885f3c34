// As much of onnxruntime-web's types as the peers use.
export type Data = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer> | Uint16Array<ArrayBuffer>;
export type DataType = "float32" | "int32" | "int64" | "float16";

export interface Tensor {
  readonly type: DataType;
  readonly dims: readonly number[];
  readonly location: "cpu" | "gpu-buffer";
  /** Throws where the location is another. */
  readonly gpuBuffer: GPUBuffer;
  getData(): Promise<Data>;
  dispose(): void;
}

export interface SessionOptions {
  executionProviders: ("wasm" | { name: "webgpu" })[];
  preferredOutputLocation?: "gpu-buffer" | "cpu" | Record<string, "gpu-buffer" | "cpu">;
  enableGraphCapture?: boolean;
  /** 3: errors. */
  logSeverityLevel?: 0 | 1 | 2 | 3 | 4;
}

export interface Session {
  readonly outputNames: readonly string[];
  /** `null` in `fetches`: an output to allocate. */
  run(feeds: Readonly<Record<string, Tensor>>, fetches?: Readonly<Record<string, Tensor | null>>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}

/** The package. */
export interface Ort {
  readonly Tensor: {
    new (type: DataType, data: Data, dims: readonly number[]): Tensor;
    fromGpuBuffer(buffer: GPUBuffer, options: { dataType: DataType; dims: readonly number[] }): Tensor;
  };
  readonly InferenceSession: { create(model: Uint8Array, options: SessionOptions): Promise<Session> };
  readonly env: {
    readonly versions: { readonly web?: string };
    readonly wasm: { numThreads?: number; wasmPaths?: { mjs: string; wasm: string } };
    readonly webgpu: { readonly device: Promise<GPUDevice> };
    logLevel?: "verbose" | "info" | "warning" | "error" | "fatal";
  };
}
