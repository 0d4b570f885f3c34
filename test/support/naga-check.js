// Runs under Deno, whose WebGPU compiles WGSL with naga. The first argument is a JSON file of [{ key, code }]; prints one of
// [{ key, message }] for those that do not compile.
const modules = JSON.parse(await Deno.readTextFile(Deno.args[0]));
const adapter = await navigator.gpu.requestAdapter();
if (!adapter) throw new Error("Deno found no WebGPU adapter");
// Deno grants subgroups where the driver has them, and does not list them among the adapter's features.
const f16 = adapter.features.has("shader-f16") ? ["shader-f16"] : [];
const device = await adapter.requestDevice({ requiredFeatures: ["subgroups", ...f16] });
const errors = [];
for (const { key, code, f16 } of modules) {
  if (f16 && !device.features.has("shader-f16")) continue;
  device.pushErrorScope("validation");
  device.createShaderModule({ label: key, code });
  const error = await device.popErrorScope();
  if (error) errors.push({ key, message: error.message });
}
console.log(JSON.stringify({ checked: modules.length, f16: device.features.has("shader-f16"), errors }));
device.destroy();
