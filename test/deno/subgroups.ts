// Deno's WebGPU has subgroups, but does not say so: naga knows the functions and not yet the directive that enables them
// (gfx-rs/wgpu#5555), and adapters grant the feature without listing it.

/** Has devices made from now on take shaders that use subgroups. */
export function allowSubgroups(): void {
  changeArgument(GPUAdapter.prototype, "requestDevice", ({ requiredFeatures = [], ...rest }: GPUDeviceDescriptor = {}) => ({
    ...rest,
    requiredFeatures: [...requiredFeatures, "subgroups"],
  }));
  changeArgument(GPUDevice.prototype, "createShaderModule", ({ code, ...rest }: GPUShaderModuleDescriptor) => ({
    ...rest,
    code: code.replace("enable subgroups;", ""),
  }));
}

function changeArgument<A>(prototype: object, method: string, change: (argument: A) => object): void {
  const original = Reflect.get(prototype, method) as (argument: object) => unknown;
  Reflect.set(prototype, method, function (this: unknown, argument: A) {
    return original.call(this, change(argument));
  });
}
