// fovea/worker: models off the page's thread, with the interface that they have on it.
export {
  loadModel,
  type WorkerAttentions,
  WorkerConversation,
  type WorkerGeneration,
  type WorkerLoadOptions,
  type WorkerMaps,
  WorkerModel,
  type WorkerPiece,
  type WorkerRun,
} from "./worker/client.ts";
export { WorkerTokenizer } from "./worker/tokenizer.ts";
