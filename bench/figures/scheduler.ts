// What our own code costs the CPU: a decoding step replayed on Dawn's null backend, which validates and runs nothing, against a
// bare loop that sets as many pipelines and bind groups of four buffers and dispatches as often.
import { attention, encoderBlock, Executable, Graph } from "../../src/nn.ts";
import type { Figure } from "../result.ts";
import { median } from "./median.ts";

const LAYERS = 12;
const ROUNDS = 41;
const REPLAYS = 40;

export async function schedulerCost(device: GPUDevice): Promise<Figure[]> {
  const g = new Graph();
  const d = 64;
  let x = g.input("x", [1, 1, d]);
  const block = { preNorm: true, size: 128, activation: "relu", attention: { heads: 4 } } as const;
  for (let i = 0; i < LAYERS; i++) x = encoderBlock(g, x, `layers.${i}`, block);
  g.output("y", attention(g, x, x, x, { heads: 4 }));
  const weights = new Proxy<Record<string, Float32Array>>({}, { get: (_, name) => new Float32Array(sizeOf(String(name), d, 128)) });
  const executable = await Executable.create(device, g, { weights });
  const dispatches = executable.plan.dispatches.length;
  executable.submit({ inputs: { x: new Float32Array(d) } });

  const bare = await bareLoop(device, dispatches);
  const [ours, loop]: [number[], number[]] = [[], []];
  const time = (run: () => void): number => {
    const begin = performance.now();
    for (let i = 0; i < REPLAYS; i++) run();
    return ((performance.now() - begin) / REPLAYS / dispatches) * 1000;
  };
  for (let round = 0; round < ROUNDS; round++) {
    ours.push(time(() => executable.submit()));
    loop.push(time(bare));
  }
  executable.dispose();
  return [
    { name: "null backend: CPU time of a dispatch", value: median(ours), unit: "µs" },
    { name: "null backend: of a bare loop's", value: median(ours) / median(loop), unit: "×" },
  ];
}

function sizeOf(name: string, d: number, ffn: number): number {
  if (name.endsWith("linear1.weight") || name.endsWith("linear2.weight")) return d * ffn;
  if (name.endsWith("linear1.bias")) return ffn;
  return name.endsWith("proj.weight") ? d * d : d;
}

/**
 * The least that a step of so many dispatches takes: one encoder, one pass, one submit, a bind group each, with params, two inputs
 * and an output.
 */
async function bareLoop(device: GPUDevice, dispatches: number): Promise<() => void> {
  const code = `
@group(0) @binding(0) var<uniform> params: vec4<u32>;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { y[i] = a[i] + b[i] + f32(params.x); }`;
  const pipelines: GPUComputePipeline[] = [];
  for (let i = 0; i < 4; i++) {
    const module = device.createShaderModule({ label: "bare", code });
    pipelines.push(await device.createComputePipelineAsync({ label: "bare", layout: "auto", compute: { module, entryPoint: "main" } }));
  }
  const { STORAGE, UNIFORM } = GPUBufferUsage;
  const buffers = Array.from({ length: 8 }, () => device.createBuffer({ label: "bare", size: 256, usage: STORAGE | UNIFORM }));
  const groups = Array.from({ length: dispatches }, (_, i) =>
    device.createBindGroup({
      label: "bare",
      layout: pipelines[i % 4]!.getBindGroupLayout(0),
      entries: [0, 1, 2, 3].map((binding) => ({ binding, resource: { buffer: buffers[(i + binding) % 8]! } })),
    }),
  );
  return () => {
    const encoder = device.createCommandEncoder({ label: "bare" });
    const pass = encoder.beginComputePass({ label: "bare" });
    for (let i = 0; i < dispatches; i++) {
      pass.setPipeline(pipelines[i % 4]!);
      pass.setBindGroup(0, groups[i]!);
      pass.dispatchWorkgroups(1);
    }
    pass.end();
    device.queue.submit([encoder.finish()]);
  };
}
