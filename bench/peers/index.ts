// Every peer, loaded when it is asked for: an engine that does not load leaves the others alone.
import type { Peer } from "../task.ts";

export const peers: readonly (() => Promise<Peer>)[] = [
  () => import("./ort.ts").then(({ ortWebGpu }) => ortWebGpu()),
  () => import("./ort.ts").then(({ ortExported }) => ortExported()),
  () => import("./ort.ts").then(({ ortWasm }) => ortWasm()),
  () => import("./tfjs.ts").then(({ tfjs }) => tfjs()),
  () => import("./jax-js.ts").then(({ jaxJs }) => jaxJs()),
];
