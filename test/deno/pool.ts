// A Vitest pool whose worker is a Deno process: the GPU tests as they are, on Deno's WebGPU (wgpu and naga) instead of Dawn's.
// Messages are text, because the V8 of Deno writes a newer binary format than Node's reads.
import { type ChildProcess, fork } from "node:child_process";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "devalue";
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from "vitest/node";

const WORKER = fileURLToPath(new URL("worker.ts", import.meta.url));
const FLAGS = ["run", "--no-config", "--node-modules-dir=manual", "--allow-all", "--v8-flags=--expose-gc"];
/** Milliseconds of silence, more than any test may take, after which a worker is taken to be stuck in its driver. */
const PATIENCE = 180_000;

/** @param driver the manifest of the Vulkan driver that Deno is shown */
export const denoPool = (driver: string): PoolRunnerInitializer => ({
  name: "deno",
  createPoolWorker: (options) => new DenoWorker(options, driver),
});

class DenoWorker implements PoolWorker {
  readonly name = "deno";
  readonly cacheFs = true;
  readonly #env: NodeJS.ProcessEnv;
  #child: ChildProcess | undefined;
  /** The test files under way. */
  #running: string | undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor({ env }: PoolOptions, driver: string) {
    this.#env = {
      ...env,
      VK_DRIVER_FILES: driver,
      VK_ICD_FILENAMES: driver,
      // Nearly all the time goes into LLVM, which takes a third of it to optimise less, for 128 bits instead of 256.
      GALLIVM_PERF: "nopt",
      LP_NATIVE_VECTOR_WIDTH: "128",
      DENO_NO_UPDATE_CHECK: "1",
      // The driver complains without one.
      XDG_RUNTIME_DIR: env["XDG_RUNTIME_DIR"] ?? tmpdir(),
    };
  }

  start(): Promise<void> {
    if (this.#child) return Promise.resolve();
    const stdio = ["ignore", "inherit", "inherit", "ipc"] as const;
    this.#child = fork(WORKER, [], { execPath: denoBinary(), execArgv: FLAGS, env: this.#env, stdio: [...stdio] });
    this.#child.once("exit", (code, signal) => {
      if (this.#running) console.error(`Deno ended (${signal ?? code}) while it ran ${this.#running}`);
      this.#finish();
    });
    return Promise.resolve();
  }

  /** Deno with a device open may not end by itself, or crash as it does; there is nothing left to wait for. */
  async stop(): Promise<void> {
    this.#finish();
    const child = this.#child;
    this.#child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  send(message: WorkerRequest): void {
    if (message.type === "run" || message.type === "collect") this.#begin(message.context.files.map((file) => file.filepath).join(", "));
    this.#child?.send(stringify(message));
  }

  deserialize(data: unknown): unknown {
    const message = parse(data as string) as { type?: unknown };
    if (message.type === "testfileFinished") this.#finish();
    else this.#watchdog?.refresh();
    return message;
  }

  on(event: string, callback: (arg: unknown) => void): void {
    this.#child?.on(event, callback);
  }

  off(event: string, callback: (arg: unknown) => void): void {
    this.#child?.off(event, callback);
  }

  #begin(files: string): void {
    this.#running = files;
    this.#watchdog = setTimeout(() => {
      console.error(`Deno was silent for ${PATIENCE / 1000} s and is stopped.`);
      this.#child?.kill("SIGKILL");
    }, PATIENCE);
  }

  #finish(): void {
    this.#running = undefined;
    clearTimeout(this.#watchdog);
    this.#watchdog = undefined;
  }
}

/** npm's command for Deno is a script, which would keep the channel to itself: this is what it starts. */
function denoBinary(): string {
  const installer = createRequire(import.meta.url)("deno/install_api.cjs") as { runInstall: () => string };
  return installer.runInstall();
}
