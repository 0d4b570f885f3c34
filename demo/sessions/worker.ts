// Models of the page run in workers: typing, scrolling and drawing never wait for a tokenizer, a plan or a shader that compiles.
import type { Load } from "./loaded.ts";

/** Loads a model in a worker of its own. */
export const loadInWorker: Load = async (source, { onProgress, signal }) => {
  const [{ loadModel }, { default: script }] = await Promise.all([
    import("../../src/worker.ts"),
    import("../../src/worker-script.ts?worker&url"),
  ]);
  return loadModel(source, { onProgress, signal, worker: () => start(script) });
};

/**
 * A worker under the page's own content security policy: one whose script is fetched goes by the headers of that answer, which static
 * hosts do not send; one of a blob goes by the page's (https://www.w3.org/TR/CSP3/#initialize-global-object-csp).
 */
function start(script: string): Worker {
  const url = URL.createObjectURL(
    new Blob([`import ${JSON.stringify(new URL(script, document.baseURI).href)};`], { type: "text/javascript" }),
  );
  return new Worker(url, { type: "module" });
}
