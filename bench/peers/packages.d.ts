// The engines' packages, which the root install does not have: any type. Each peer states what it uses, and so the checks are the
// same with bench/node_modules and without.
declare module "onnxruntime-web/webgpu";
declare module "onnxruntime-web/wasm";
declare module "@observablehq/plot";
declare module "@tensorflow/tfjs-core";
declare module "@tensorflow/tfjs-backend-webgpu";
declare module "@jax-js/jax";

declare module "onnxruntime-web/*?url" {
  const url: string;
  export default url;
}

/** Somebody's tensor, which only their own functions look into. */
// oxlint-disable-next-line no-explicit-any
type Foreign = any;
