// Whose engine a model runs on, and another one when its device is lost: weights are loaded again from their source. A
// device of our own is replaced without asking; one of the caller's by `rebuild(device)`.
import { DeviceLostError, FoveaError } from "../errors.ts";
import type { Engine } from "./engine.ts";

export interface HostOptions {
  readonly ownsDevice: boolean;
  /** Loads the weights anew, onto the device given or onto one of our own. */
  readonly load: (device?: GPUDevice) => Promise<Engine>;
}

const DISPOSED = "This model was disposed; load it again.";

export class EngineHost {
  #engine: Engine;
  #ownsDevice: boolean;
  readonly #load: HostOptions["load"];
  #rebuilding: Promise<void> | undefined;
  #disposed = false;

  constructor(engine: Engine, { ownsDevice, load }: HostOptions) {
    this.#engine = engine;
    this.#ownsDevice = ownsDevice;
    this.#load = load;
  }

  get engine(): Engine {
    return this.#engine;
  }

  /**
   * The engine, on a device that is there.
   * @throws DeviceLostError where the device is lost and the caller's
   */
  async ready(): Promise<Engine> {
    if (!this.#disposed && this.#ownsDevice && this.#engine.lost) await this.rebuild();
    this.#engine.assertUsable();
    return this.#engine;
  }

  /** Runs a task; if a device of our own is lost meanwhile, runs it once more on the next. */
  async run<T>(task: (engine: Engine) => Promise<T>): Promise<T> {
    try {
      return await task(await this.ready());
    } catch (error) {
      if (!this.recovers(error)) throw this.reason(error);
      return task(await this.ready());
    }
  }

  /** Whether `ready()` can mend what this error tells of. */
  recovers(error: unknown): boolean {
    return error instanceof DeviceLostError && this.#ownsDevice && !this.#disposed;
  }

  /** What to tell of an error: with the model disposed meanwhile that is the reason, whatever broke first. */
  reason(error: unknown): unknown {
    const own = error instanceof FoveaError && !(error instanceof DeviceLostError);
    return this.#disposed && !own ? new FoveaError(DISPOSED, { cause: error }) : error;
  }

  /** Moves the model to another device: what ran on the old one is gone. Several calls at once are one. */
  async rebuild(device?: GPUDevice): Promise<void> {
    // Somebody's own device is never dropped for a rebuild that is under way.
    if (device && this.#rebuilding) await this.#rebuilding.catch(() => undefined);
    if (this.#disposed) throw new FoveaError(DISPOSED);
    this.#rebuilding ??= this.#replace(device).finally(() => (this.#rebuilding = undefined));
    return this.#rebuilding;
  }

  dispose(): void {
    this.#disposed = true;
    this.#release();
  }

  async #replace(device: GPUDevice | undefined): Promise<void> {
    const engine = await this.#load(device);
    if (this.#disposed) {
      engine.dispose();
      if (!device) engine.device.destroy();
      throw new FoveaError("This model was disposed while it was being rebuilt.");
    }
    this.#release();
    this.#engine = engine;
    this.#ownsDevice = device === undefined;
  }

  #release(): void {
    this.#engine.dispose();
    if (this.#ownsDevice) this.#engine.device.destroy();
  }
}
