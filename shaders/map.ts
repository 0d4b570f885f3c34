// Element by element over one or two values: activate(a), activate(a) · b, a · b, a · factor. A thread per element.
import { entryPoint, type Kernel } from "./kernel.ts";
import { type Activation, activationFunction } from "./snippets.ts";
import { wgsl } from "./wgsl.ts";

export interface MapOptions {
  readonly activation: Activation | "none";
  /** Multiply with b. */
  readonly multiply: boolean;
}

const WORKGROUP = 64;

export const mapKernel: Kernel<MapOptions> = {
  name: "map",
  params: { count: "u32", columns: "u32", aOffset: "u32", aStride: "u32", bOffset: "u32", bStride: "u32", factor: "f32" },
  workgroupSize: () => WORKGROUP,
  bindings: ({ multiply }) => [
    { name: "a", index: 1, type: "array<f32>", access: "read" },
    ...(multiply ? [{ name: "b", index: 2, type: "array<f32>", access: "read" } as const] : []),
    { name: "out", index: 3, type: "array<f32>", access: "read_write" },
  ],
  code({ activation, multiply }) {
    const active = activation !== "none";
    return wgsl`
#if ${active}
${active ? activationFunction(activation) : ""}
#else
fn activate(x: f32) -> f32 { return x; }
#endif
${entryPoint(WORKGROUP)}
  let i = group * ${WORKGROUP}u + thread;
  if (i >= params.count) { return; }
  let row = i / params.columns;
  let column = i % params.columns;
  var y = activate(a[params.aOffset + row * params.aStride + column]) * params.factor;
  #if ${multiply}
  y *= b[params.bOffset + row * params.bStride + column];
  #endif
  out[i] = y;
}
`;
  },
};
