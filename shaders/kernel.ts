// What a kernel is: typed options → WGSL. This file declares the shape every kernel has and puts the text together;
// it knows nothing of devices. Run-time sizes are uniforms (`params`), compile-time choices are options.
import { wgsl } from "./wgsl.ts";

export type ScalarType = "u32" | "i32" | "f32";

/** Features of WebGPU that WGSL must enable, and how it calls them. */
const ENABLES = {
  "shader-f16": "f16",
  subgroups: "subgroups",
  "chromium-experimental-subgroup-matrix": "chromium_experimental_subgroup_matrix",
} as const;
export type KernelFeature = keyof typeof ENABLES;

/** One storage buffer of a kernel. `index` never moves with options; a buffer an option does not need is left out. */
export interface Binding {
  readonly name: string;
  readonly index: number;
  /** WGSL type of the whole buffer, `array<vec4<f32>>` say. */
  readonly type: string;
  readonly access: "read" | "read_write";
}

export interface Kernel<Options extends object = object> {
  readonly name: string;
  /** Fields of the uniform block at binding 0, in order. */
  readonly params: Readonly<Record<string, ScalarType>>;
  /** Threads of a workgroup (one-dimensional: kernels unfold it themselves), shared by host and shader. */
  workgroupSize(options: Options): number;
  bindings(options: Options): readonly Binding[];
  /** Declarations and the entry point, without the header (params, bindings, enables) that `shaderCode` writes. */
  code(options: Options): string;
  /** Device features that the text needs, `shader-f16` say. */
  features?(options: Options): readonly KernelFeature[];
}

/** A kernel with its options chosen. Pure data: two instances with equal keys are the same pipeline. */
export interface KernelInstance {
  // Options are checked where the instance is made; after that only the text depends on them.
  readonly kernel: Kernel;
  readonly options: object;
  readonly key: string;
}

export function instantiate<O extends object>(kernel: Kernel<O>, options: O): KernelInstance {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined) continue;
    // Only validated numbers, flags and enum members are ever interpolated into WGSL.
    const plain =
      typeof value === "boolean" ||
      (typeof value === "number" && Number.isFinite(value)) ||
      (typeof value === "string" && /^[a-z0-9_-]+$/.test(value));
    if (!plain) throw new TypeError(`${kernel.name}: option ${name} is ${String(value)}`);
  }
  return { kernel: kernel as unknown as Kernel, options, key: keyOf(kernel.name, options) };
}

/** A name with options: flags that are set, and values. */
export function keyOf(name: string, options: object): string {
  const entries = Object.entries(options).filter(([, v]) => v !== undefined && v !== false);
  return `${name}(${entries.map(([k, v]) => (v === true ? k : `${k}=${String(v)}`)).join(",")})`;
}

/** The whole text of a kernel instance. Group 0: binding 0 is the uniform block, 1… are storage buffers. */
export function shaderCode({ kernel, options }: KernelInstance): string {
  const enables = [...new Set(kernel.features?.(options))].map((feature) => `enable ${ENABLES[feature]};`).join("\n");
  const fields = Object.entries(kernel.params)
    .map(([name, type]) => `  ${name}: ${type},`)
    .join("\n");
  const buffers = kernel
    .bindings(options)
    .map((b) => `@group(0) @binding(${b.index}) var<storage, ${b.access}> ${b.name}: ${b.type};`)
    .join("\n");
  return wgsl`${enables}
struct Params {
${fields}
}
@group(0) @binding(0) var<uniform> params: Params;
${buffers}
${kernel.code(options)}`;
}

/**
 * Head of every entry point. Grids are flat and folded into two dimensions beyond 65,535 workgroups, so a kernel sees
 * `group`, its flat workgroup index, and `thread`, its index in the workgroup; what lies past the end returns by its own check.
 * @param more another parameter of the entry point: `@builtin(subgroup_id) subgroup: u32`, say
 */
export function entryPoint(workgroupSize: number, more = ""): string {
  return wgsl`@compute @workgroup_size(${workgroupSize})
fn main(@builtin(workgroup_id) workgroup_id: vec3<u32>, @builtin(num_workgroups) num_workgroups: vec3<u32>,
        @builtin(local_invocation_index) thread: u32${more && `, ${more}`}) {
  let group = workgroup_id.x + workgroup_id.y * num_workgroups.x;`;
}
