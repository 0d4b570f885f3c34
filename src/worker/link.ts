// The page's line to a worker: what is asked over it is answered, or refused when the line ends. A worker that has been terminated
// answers nothing, and its promises would never settle.
import type { Remote } from "comlink";
import { FoveaError } from "../errors.ts";
import type { Served } from "./serve.ts";
import type { Id } from "./wire.ts";

export const noWait = () => undefined;
const disposed = () => new FoveaError("This model was disposed; load it again.");

export class Link {
  readonly #served: Remote<Served>;
  /** What ends the waiting of those who have no answer yet. */
  readonly #waiting = new Set<(reason: unknown) => void>();
  readonly #terminate: () => void;
  #ended = false;

  /** @param terminate ends the worker, where that is ours */
  constructor(served: Remote<Served>, terminate: () => void) {
    this.#served = served;
    this.#terminate = terminate;
  }

  /** @throws FoveaError where the line has ended, or ends before the answer comes */
  ask<T>(question: (served: Remote<Served>) => Promise<T>): Promise<T> {
    if (this.#ended) return Promise.reject(disposed());
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const settled = () => this.#waiting.delete(reject);
      question(this.#served).then(resolve, reject).then(settled, settled);
    });
  }

  /** What frees a thing in the worker: sent once, and not waited for. What fails then is freed already. */
  releasing(id: Id): () => void {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.ask((served) => served.release(id)).then(noWait, noWait);
    };
  }

  /** Disposes the model, then ends the worker. Whoever waits is refused, and so is whoever asks from now on. Idempotent. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const refuse of this.#waiting) refuse(disposed());
    this.#waiting.clear();
    this.#served.dispose().then(this.#terminate, this.#terminate);
  }
}
