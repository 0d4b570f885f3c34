// What the device can do at best: bytes copied and multiply–adds done per second, each by a kernel that does nothing else.
// Our own kernels' bytes and FLOPs, which their plans state, are held against these.

export interface Roofline {
  /** GB/s, read and written bytes together, of a copy that fits no cache. */
  readonly copy: number;
  /** GFLOP/s of independent f32 multiply–adds in registers. */
  readonly fma: number;
  /** Microseconds between two dispatches of which one waits for the other. */
  readonly dispatch: number;
}

const COPY = `
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  for (var i = id.x; i < arrayLength(&x); i += groups.x * 64u) { y[i] = x[i]; }
}`;

const TOUCH = `
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(local_invocation_index) i: u32) { y[i] += x[i]; }`;

const CHAINS = 8;
const STEPS = 256;
const FMA = `
@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>) {
  let a = x[id.x % arrayLength(&x)];
  ${Array.from({ length: CHAINS }, (_, i) => `var s${i} = a + ${i}.0;`).join(" ")}
  for (var i = 0u; i < ${STEPS}u; i++) { ${Array.from({ length: CHAINS }, (_, i) => `s${i} = fma(s${i}, a, a);`).join(" ")} }
  y[id.x % arrayLength(&y)] = ${Array.from({ length: CHAINS }, (_, i) => `s${i}`).join(" + ")};
}`;

export async function measureRoofline(device: GPUDevice, software: boolean): Promise<Roofline> {
  const bytes = software ? 16 << 20 : Math.min(256 << 20, device.limits.maxStorageBufferBindingSize);
  const groups = software ? 64 : 16384;
  const buffer = (size: number) => device.createBuffer({ label: "roofline", size, usage: GPUBufferUsage.STORAGE });
  const [x, y] = [buffer(bytes), buffer(bytes)];
  const runner = async (code: string) => {
    const module = device.createShaderModule({ label: "roofline", code });
    const pipeline = await device.createComputePipelineAsync({
      label: "roofline",
      layout: "auto",
      compute: { module, entryPoint: "main" },
    });
    const group = device.createBindGroup({
      label: "roofline",
      layout: pipeline.getBindGroupLayout(0),
      entries: [x, y].map((resource, binding) => ({ binding, resource: { buffer: resource } })),
    });
    return async (workgroups: number, dispatches: number): Promise<number> => {
      const encoder = device.createCommandEncoder({ label: "roofline" });
      const pass = encoder.beginComputePass({ label: "roofline" });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      for (let i = 0; i < dispatches; i++) pass.dispatchWorkgroups(workgroups);
      pass.end();
      const begin = performance.now();
      device.queue.submit([encoder.finish()]);
      await device.queue.onSubmittedWorkDone();
      return performance.now() - begin;
    };
  };
  const best = async (run: () => Promise<number>): Promise<number> => {
    let least = Infinity;
    for (let i = 0; i < 6; i++) least = Math.min(least, await run());
    return least;
  };
  const [copy, fma] = [await runner(COPY), await runner(FMA)];
  const copies = software ? 4 : 20;
  const copyMs = await best(() => copy(groups, copies));
  const fmaMs = await best(() => fma(groups, software ? 1 : 20));
  // Every dispatch writes what the next writes too: WebGPU lets none of them overlap.
  const touch = await runner(TOUCH);
  const [few, many] = [await best(() => touch(1, 20)), await best(() => touch(1, 220))];
  for (const b of [x, y]) b.destroy();
  const flops = groups * 64 * 4 * CHAINS * STEPS * 2 * (software ? 1 : 20);
  return {
    copy: (2 * bytes * copies) / copyMs / 1e6,
    fma: flops / fmaMs / 1e6,
    dispatch: Math.max(0, ((many - few) / 200) * 1000),
  };
}
