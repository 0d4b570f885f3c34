// A graph made to run by itself: compiled, its weights on the device, its buffers kept. What a user of fovea/nn runs an
// architecture of their own with; the models have their own sessions (KV, step state) on the same parts.
import { BLOCK, type FileBlockType, fileBlockBytes, isApart, isQuant, isQuantized } from "../../shaders/blocks.ts";
import { STORED_BYTES } from "../../shaders/weights.ts";
import { InputError } from "../errors.ts";
import { SlotPool, storageBuffer, wholeWords, withinMemory } from "../gpu/buffers.ts";
import { type Traits, traitsOf, watchDevice } from "../gpu/device.ts";
import { byteSize, ELEMENT_BYTES, rowElements, rowWords } from "../gpu/dispatch.ts";
import { floatToHalf, halfToFloat } from "../gpu/halves.ts";
import { type Dims, evaluate, product } from "../gpu/expr.ts";
import type { Profile } from "../gpu/profile.ts";
import { type BoundProgram, encodePass, Program } from "../gpu/program.ts";
import { Quantizer } from "../gpu/quantize.ts";
import { Readback } from "../gpu/readback.ts";
import { learnSubgroupMatrix } from "../gpu/subgroup-matrix.ts";
import { allLowerings } from "./lower/all.ts";
import { compile, type CompileOptions } from "./compile.ts";
import type { Graph } from "./graph.ts";
import type { WeightBuffer, WeightPlace } from "./layout.ts";
import type { Plan } from "./plan.ts";

export type TensorData = Float32Array | Int32Array | Uint32Array;

export interface ExecutableOptions extends Partial<Omit<CompileOptions, "traits">> {
  /**
   * Weights by name, row-major: f32, or the bits of the 16-bit or 8-bit type that `stored` names (matrices only; vectors are always
   * f32). Those to be quantised are f32; those of types that only files have (q4_k, q6_k…) are blocks as a GGUF file has them.
   */
  readonly weights?: Readonly<Record<string, Float32Array | Uint16Array | Uint8Array>>;
  /** Replaces traits of the device: to try the kernels chosen for another kind. */
  readonly traits?: Partial<Traits>;
}

export interface RunOptions {
  /** The symbolic lengths of this run. */
  readonly dims?: Dims;
  /** Data of inputs, tables and (optionally) state, row-major; numbers for f16 too. State not given keeps what it has, zeros at first. */
  readonly inputs: Readonly<Record<string, TensorData>>;
}

export interface RunOutput {
  readonly shape: readonly number[];
  readonly data: Float32Array;
  /** The same bytes as 32-bit integers, for outputs that are ids. */
  readonly ints: Int32Array;
}

type BlockBuffer = WeightBuffer & { readonly type: FileBlockType };

export class Executable {
  readonly plan: Plan;
  readonly #device: GPUDevice;
  readonly #program: Program<Plan>;
  readonly #weights = new Map<string, GPUBuffer>();
  readonly #externals = new Map<string, GPUBuffer>();
  /** Inputs and tables that have been written. */
  readonly #given = new Set<string>();
  readonly #slots: SlotPool;
  readonly #readback: Readback;
  #bound: BoundProgram | undefined;

  private constructor(device: GPUDevice, program: Program<Plan>) {
    this.#device = device;
    this.#program = program;
    this.plan = program.plan;
    this.#slots = new SlotPool(device, program.plan.name);
    this.#readback = new Readback(device, program.plan.name);
  }

  /** Compiles the graph and uploads its weights. */
  static async create(
    device: GPUDevice,
    graph: Graph,
    { weights = {}, name = "graph", expect = {}, traits, ...options }: ExecutableOptions = {},
  ): Promise<Executable> {
    watchDevice(device);
    await learnSubgroupMatrix(device);
    const plan = compile(graph, { name, expect, known: allLowerings, ...options, traits: { ...traitsOf(device), ...traits } });
    const program = await Program.create(device, plan);
    const executable = new Executable(device, program);
    const quantizer = new Quantizer(device);
    try {
      await withinMemory(device, `the weights of ${name}`, () => {
        for (const spec of plan.weights) executable.#weights.set(spec.name, storageBuffer(device, spec.name, spec.bytes));
      });
      for (const spec of plan.weights) await executable.#upload(spec, weights, quantizer);
    } catch (error) {
      executable.dispose();
      throw error;
    } finally {
      quantizer.dispose();
    }
    return executable;
  }

  async #upload(spec: WeightBuffer, weights: NonNullable<ExecutableOptions["weights"]>, quantizer: Quantizer): Promise<void> {
    const buffer = this.#weights.get(spec.name)!;
    const given = isQuant(spec.type) ? "f32" : spec.type;
    for (const part of spec.parts) {
      const data = weights[part.tensor];
      const expected = part.shape.reduce((a, b) => a * b, 1);
      if (isQuantized(given)) {
        await this.#uploadBlocks({ ...spec, type: given }, part, data, quantizer);
        continue;
      }
      if (data?.length !== expected || data.BYTES_PER_ELEMENT !== STORED_BYTES[given])
        throw new InputError(
          `weight "${part.tensor}": expected ${expected} numbers of shape [${part.shape.join(", ")}] as ${given}, got ${data ? `${data.length} in a ${data.constructor.name}` : "none"}`,
          { field: part.tensor, expected: part.shape, got: data?.length },
        );
      const own = data.subarray(part.from, part.to);
      if (isQuant(spec.type)) {
        const [columns, rows] = [spec.shape[1]!, own.length / spec.shape[1]!];
        const target = { buffer, type: spec.type, row: part.row, from: 0, to: rows };
        await quantizer.write({ type: "f32", rows, columns }, [target], 0, new Uint8Array(own.buffer, own.byteOffset, own.byteLength));
      } else this.#device.queue.writeBuffer(buffer, part.byteOffset, wholeWords(own));
    }
  }

  /** Blocks as a GGUF file has them. */
  async #uploadBlocks(spec: BlockBuffer, part: WeightPlace, data: TensorData | Uint16Array | Uint8Array | undefined, quantizer: Quantizer) {
    const [type, columns] = [spec.type, spec.shape[1]!];
    const rowBytes = (columns / BLOCK[type]) * fileBlockBytes(type);
    const expected = part.shape[0]! * rowBytes;
    if (!(data instanceof Uint8Array) || data.length !== expected)
      throw new InputError(
        `weight "${part.tensor}": expected ${expected} bytes of blocks as ${type}, got ${data ? data.byteLength : "none"}`,
        {
          field: part.tensor,
          expected,
          got: data?.byteLength,
        },
      );
    const own = data.slice((part.from / columns) * rowBytes, (part.to / columns) * rowBytes);
    const buffer = this.#weights.get(spec.name)!;
    if (!isApart(type)) return this.#device.queue.writeBuffer(buffer, part.byteOffset, own);
    const rows = (part.to - part.from) / columns;
    await quantizer.write({ type, rows, columns }, [{ buffer, type, row: part.row, from: 0, to: rows }], 0, own);
  }

  /** Runs once and reads all outputs. */
  async run(options: RunOptions): Promise<Record<string, RunOutput>> {
    this.submit(options);
    return this.read(options.dims);
  }

  /**
   * Runs without waiting: several may follow one another on the GPU.
   * @param inputs those not given keep what an earlier run at the same lengths was given
   */
  submit(options: Partial<RunOptions> = {}): void {
    const { steps } = this.#prepare(options);
    const encoder = this.#device.createCommandEncoder({ label: this.plan.name });
    encodePass(encoder, this.plan.name, steps);
    this.#device.queue.submit([encoder.finish()]);
  }

  /**
   * Runs once, each dispatch in a compute pass of its own, and gives the GPU time of each. Takes what `submit` takes.
   * @throws UnsupportedError where the device has no timestamp-query
   */
  async profile(options: Partial<RunOptions> = {}): Promise<Profile> {
    const { Timing } = await import("../gpu/timing.ts");
    const timing = new Timing(this.#device);
    try {
      const { steps } = this.#prepare(options);
      const encoder = this.#device.createCommandEncoder({ label: this.plan.name });
      timing.encode(encoder, this.plan.name, steps);
      this.#device.queue.submit([encoder.finish()]);
      return await timing.read();
    } finally {
      timing.dispose();
    }
  }

  /** Writes the inputs and sets the lengths. */
  #prepare({ dims = {}, inputs = {} }: Partial<RunOptions>): BoundProgram {
    this.#reserve(dims);
    for (const spec of this.plan.externals) {
      const data = inputs[spec.name];
      const kept = spec.role === "output" || spec.role === "state" || this.#given.has(spec.name);
      if (data === undefined && kept) continue;
      const expected = evaluate(product(...spec.shape), dims);
      if (data?.length !== expected)
        throw new InputError(`input "${spec.name}": expected ${expected} numbers, got ${data?.length ?? "none"}`, {
          field: spec.name,
          expected,
          got: data?.length,
        });
      const stored = spec.dtype === "f16" ? halvesOf(data, evaluate(spec.shape.at(-1) ?? 1, dims)) : data;
      this.#device.queue.writeBuffer(this.#externals.get(spec.name)!, 0, stored as Float32Array<ArrayBuffer>);
      this.#given.add(spec.name);
    }
    this.#bound ??= this.#program.bind(
      { weight: (n) => this.#weights.get(n)!, slots: this.#slots, external: (n) => this.#externals.get(n)! },
      dims,
    );
    this.#bound.setDims(dims);
    return this.#bound;
  }

  /** All outputs of the last run. */
  async read(dims: Dims = {}): Promise<Record<string, RunOutput>> {
    const outputs: Record<string, RunOutput> = {};
    await Promise.all(
      Object.entries(this.plan.outputs).map(async ([name, output]) => {
        const shape = output.shape.map((d) => evaluate(d, dims));
        const columns = shape.at(-1) ?? 1;
        const rows = shape.slice(0, -1).reduce((a, b) => a * b, 1);
        const stride = output.rowStride || columns;
        const count = rows === 0 ? 0 : (rows - 1) * stride + columns;
        const data = await this.#elements(output.external, output.offset, count);
        const ints = withoutGaps(data, rows, columns, stride);
        outputs[name] = { shape, data: new Float32Array(ints.buffer), ints };
      }),
    );
    return outputs;
  }

  /** `count` elements of a buffer from one on; of halves the f32 that they stand for. */
  async #elements(external: string, from: number, count: number): Promise<Int32Array<ArrayBuffer>> {
    const buffer = this.#externals.get(external)!;
    const { dtype } = this.plan.externals.find(({ name }) => name === external)!;
    if (dtype !== "f16") return new Int32Array(await this.#readback.read(buffer, from * ELEMENT_BYTES, count * ELEMENT_BYTES));
    const words = rowWords(dtype, from + count);
    const halves = new Uint16Array(await this.#readback.read(buffer, 0, words * ELEMENT_BYTES)).subarray(from, from + count);
    return new Int32Array(Float32Array.from(halves, halfToFloat).buffer);
  }

  /** Makes the external buffers large enough for these lengths. What a buffer held is gone when it grows. */
  #reserve(dims: Dims): void {
    for (const spec of this.plan.externals) {
      const bytes = evaluate(byteSize(spec), dims);
      const held = this.#externals.get(spec.name);
      if (held && held.size >= bytes) continue;
      // A buffer that cannot be made leaves none behind that is destroyed.
      this.#externals.delete(spec.name);
      this.#given.delete(spec.name);
      held?.destroy();
      this.#forget();
      this.#externals.set(spec.name, storageBuffer(this.#device, `${this.plan.name} ${spec.name}`, bytes));
    }
  }

  #forget(): void {
    this.#bound?.dispose();
    this.#bound = undefined;
  }

  /** Frees every buffer. Idempotent. */
  dispose(): void {
    this.#forget();
    for (const buffer of [...this.#weights.values(), ...this.#externals.values()]) buffer.destroy();
    this.#weights.clear();
    this.#externals.clear();
    this.#slots.dispose();
    this.#readback.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** Rows of numbers as f16. */
function halvesOf(data: TensorData, columns: number): Uint16Array<ArrayBuffer> {
  const halves = new Uint16Array((data.length / columns) * rowElements("f16", columns));
  data.forEach((x, i) => (halves[Math.floor(i / columns) * rowElements("f16", columns) + (i % columns)] = floatToHalf(x)));
  return halves;
}

/** Rows that lie `stride` apart, one after another: what a rule left of an output that may be a view. */
function withoutGaps(data: Int32Array<ArrayBuffer>, rows: number, columns: number, stride: number): Int32Array<ArrayBuffer> {
  if (stride === columns) return data;
  const packed = new Int32Array(rows * columns);
  for (let row = 0; row < rows; row++) packed.set(data.subarray(row * stride, row * stride + columns), row * columns);
  return packed;
}
