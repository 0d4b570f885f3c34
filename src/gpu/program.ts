// plan → program: pipelines, bind groups, one uniform buffer. A program is bound once to its buffers and then replayed:
// a replay writes params only when lengths changed, and creates nothing.
import { FoveaError, InputError } from "../errors.ts";
import type { SlotPool } from "./buffers.ts";
import type { Dispatch, Place, Schedule } from "./dispatch.ts";
import { type Dims, evaluate } from "./expr.ts";
import { type Pipeline, pipelineFor } from "./pipelines.ts";

/** Uniform blocks lie at the largest alignment that WebGPU may ask for. */
const PARAMS_STRIDE = 256;
/** A side of the dispatch grid; more workgroups fold into the second dimension. */
const MAX_GRID = 65_535;

export interface Resources {
  readonly weight: (name: string) => GPUBuffer;
  readonly slots: SlotPool;
  /** Inputs, outputs, state and tables by name. */
  readonly external: (name: string) => GPUBuffer;
}

/** A plan with its pipelines: what a model keeps. */
export class Program<P extends Schedule = Schedule> {
  readonly device: GPUDevice;
  readonly plan: P;
  readonly pipelines: readonly Pipeline[];

  private constructor(device: GPUDevice, plan: P, pipelines: readonly Pipeline[]) {
    this.device = device;
    this.plan = plan;
    this.pipelines = pipelines;
  }

  /** Compiles all pipelines in parallel; those that exist already cost nothing. */
  static async create<P extends Schedule>(device: GPUDevice, plan: P): Promise<Program<P>> {
    return new Program(device, plan, await Promise.all(plan.dispatches.map((d) => pipelineFor(device, d.instance))));
  }

  /** Binds buffers. What the externals are sized for bounds the lengths it may run at. */
  bind(resources: Resources, dims: Dims): BoundProgram {
    return new BoundProgram(this, resources, dims);
  }
}

/** One dispatch on its buffers, ready to be encoded, and what it costs at the lengths that are set. */
export class Step {
  readonly dispatch: Dispatch;
  readonly pipeline: GPUComputePipeline;
  readonly group: GPUBindGroup;
  x = 0;
  /** 0: there is nothing to do. */
  y = 0;
  bytes = 0;
  flops = 0;

  constructor(dispatch: Dispatch, pipeline: GPUComputePipeline, group: GPUBindGroup) {
    this.dispatch = dispatch;
    this.pipeline = pipeline;
    this.group = group;
  }

  setDims(dims: Dims): void {
    const { grid, bytesRead, bytesWritten, flops } = this.dispatch;
    const groups = evaluate(grid, dims);
    this.x = Math.min(groups, MAX_GRID);
    this.y = Math.ceil(groups / MAX_GRID);
    this.bytes = evaluate(bytesRead, dims) + evaluate(bytesWritten, dims);
    this.flops = evaluate(flops, dims);
  }

  /** Creates nothing. */
  encode(pass: GPUComputePassEncoder): void {
    if (this.y === 0) return;
    pass.setPipeline(this.pipeline);
    pass.setBindGroup(0, this.group);
    pass.dispatchWorkgroups(this.x, this.y);
  }
}

/** A program on its buffers: what a session keeps and replays. */
export class BoundProgram {
  readonly program: Program;
  readonly #resources: Resources;
  readonly #params: GPUBuffer;
  readonly #staging: ArrayBuffer;
  #steps: Step[] = [];
  #dims: Dims = {};
  #version = -1;

  constructor(program: Program, resources: Resources, dims: Dims) {
    this.program = program;
    this.#resources = resources;
    const size = Math.max(1, program.plan.dispatches.length) * PARAMS_STRIDE;
    this.#params = program.device.createBuffer({
      label: `${program.plan.name} params`,
      size,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#staging = new ArrayBuffer(size);
    try {
      this.setDims(dims);
    } catch (error) {
      this.#params.destroy();
      throw error;
    }
  }

  /** Sets the lengths of the next encodes. Nothing happens when they are those of the last. */
  setDims(dims: Dims): void {
    const { plan, device } = this.program;
    const names = Object.keys(dims);
    if (this.#steps.length > 0 && names.length === Object.keys(this.#dims).length && names.every((n) => dims[n] === this.#dims[n])) return;
    this.#resources.slots.reserve(plan.slots.map((s) => evaluate(s, dims)));
    // Only now: a failure before leaves the lengths as unset as the params.
    this.#dims = { ...dims };
    const view = new DataView(this.#staging);
    plan.dispatches.forEach((dispatch, i) => {
      let at = i * PARAMS_STRIDE;
      for (const [name, type] of Object.entries(dispatch.instance.kernel.params)) {
        const expr = dispatch.params[name];
        if (expr === undefined) throw new FoveaError(`${dispatch.path}: ${dispatch.instance.key} got no param "${name}"`);
        const value = evaluate(expr, dims);
        if (type === "u32" && !(value >= 0 && value <= 0xffffffff))
          throw new InputError(`${dispatch.path}: ${name} = ${value} is more than a shader can count`, {
            field: name,
            expected: "at most 4294967295",
            got: value,
          });
        if (type === "f32") view.setFloat32(at, value, true);
        else if (type === "i32") view.setInt32(at, value, true);
        else view.setUint32(at, value, true);
        at += 4;
      }
    });
    device.queue.writeBuffer(this.#params, 0, this.#staging);
    if (this.#version !== this.#resources.slots.version) this.#rebind();
    else for (const step of this.#steps) step.setDims(dims);
  }

  /** All dispatches, in order. */
  get steps(): readonly Step[] {
    if (this.#version !== this.#resources.slots.version) this.#rebind();
    return this.#steps;
  }

  /** Dispatches in runs of at most `budget` work each, FLOPs or bytes, for submits that stay below what watchdogs allow. */
  *chunks(budget: number): Generator<readonly Step[]> {
    const { steps } = this;
    const work = (step: Step) => Math.max(step.flops, step.bytes);
    for (let from = 0; from < steps.length;) {
      let to = from;
      for (let sum = 0; to < steps.length && (to === from || sum + work(steps[to]!) <= budget); to++) sum += work(steps[to]!);
      yield steps.slice(from, to);
      from = to;
    }
  }

  dispose(): void {
    this.#params.destroy();
    this.#steps = [];
  }

  #rebind(): void {
    const { plan, device, pipelines } = this.program;
    // The pool may have given all slots up.
    this.#resources.slots.reserve(plan.slots.map((s) => evaluate(s, this.#dims)));
    this.#steps = plan.dispatches.map((dispatch, i): Step => {
      const { pipeline, layout } = pipelines[i]!;
      const entries: GPUBindGroupEntry[] = [
        { binding: 0, resource: { buffer: this.#params, offset: i * PARAMS_STRIDE, size: PARAMS_STRIDE } },
      ];
      for (const binding of dispatch.instance.kernel.bindings(dispatch.instance.options)) {
        const place = dispatch.bindings[binding.name];
        if (!place) throw new FoveaError(`${dispatch.path}: ${dispatch.instance.key} got no buffer "${binding.name}"`);
        entries.push({ binding: binding.index, resource: { buffer: this.#buffer(place) } });
      }
      const step = new Step(dispatch, pipeline, device.createBindGroup({ label: dispatch.path, layout, entries }));
      step.setDims(this.#dims);
      return step;
    });
    this.#version = this.#resources.slots.version;
  }

  #buffer(place: Place): GPUBuffer {
    switch (place.kind) {
      case "slot":
        return this.#resources.slots.get(place.slot);
      case "weight":
        return this.#resources.weight(place.name);
      case "external":
        return this.#resources.external(place.name);
    }
  }
}

/** One compute pass of these dispatches; creates nothing else. */
export function encodePass(encoder: GPUCommandEncoder, label: string, steps: readonly Step[]): void {
  const pass = encoder.beginComputePass({ label });
  for (const step of steps) step.encode(pass);
  pass.end();
}
