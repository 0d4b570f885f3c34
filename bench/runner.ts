// Times tasks: every peer computes the result once, is compared with the first, warms up, and then they take turns, so that
// whatever drifts (clocks, heat, other programs) hits all of them alike. Medians and quartiles.
import { dataOf } from "./data.ts";
import { nameOf, type Suite } from "./suites.ts";
import type { Cost, Peer, PeerContext, Prepared, Task } from "./task.ts";

export interface PeerResult {
  readonly peer: string;
  readonly about: string;
  readonly status: "ok" | "wrong" | "failed" | "unsupported";
  /** Why it is not ok. */
  readonly reason?: string;
  /** Milliseconds: median and quartiles over so many rounds. */
  readonly median?: number;
  readonly low?: number;
  readonly high?: number;
  readonly rounds?: number;
  /** From nothing to the first result: compiling, uploading. */
  readonly first?: number;
  /** Largest difference from the first peer's result, of its largest magnitude. */
  readonly difference?: number;
  readonly cost?: Cost;
}

export interface TaskResult {
  readonly suite: string;
  readonly name: string;
  readonly task: Task;
  readonly results: readonly PeerResult[];
}

export interface RunOptions {
  readonly peers: readonly Peer[];
  readonly context: PeerContext;
  /** Milliseconds that the timing of one task may take, all peers together. Default 8000. */
  readonly budget?: number;
  readonly onProgress?: (what: string) => void;
  readonly onResult?: (result: TaskResult) => void;
  readonly signal?: AbortSignal;
}

const WARMUP = 2;
const ROUNDS = { least: 3, most: 25 };
/** f32 in other orders, approximations of erf and exp: far more than they differ by, far less than a mistake. */
const TOLERANCE = 1e-2;

interface Entry {
  readonly peer: Peer;
  prepared?: Prepared;
  result: PeerResult;
  times: number[];
}

export async function runSuites(suites: readonly Suite[], options: RunOptions): Promise<TaskResult[]> {
  const results: TaskResult[] = [];
  for (const suite of suites) {
    for (const task of suite.tasks) {
      options.signal?.throwIfAborted();
      const name = nameOf(task);
      const result = { suite: suite.name, name, task, results: await runTask(task, name, options) };
      results.push(result);
      options.onResult?.(result);
    }
  }
  return results;
}

async function runTask(task: Task, name: string, options: RunOptions): Promise<PeerResult[]> {
  const { peers, context, budget = 8000, onProgress, signal } = options;
  const data = dataOf(task);
  const entries = peers.map((peer): Entry => ({ peer, times: [], result: { peer: peer.name, about: peer.about, status: "failed" } }));
  let gold: Float32Array | undefined;
  let firsts = 0;
  for (const entry of entries) {
    onProgress?.(`${name}: ${entry.peer.name} prepares`);
    const supported = entry.peer.supports(task);
    if (supported !== true) {
      entry.result = { ...entry.result, status: "unsupported", reason: supported };
      continue;
    }
    try {
      const begin = performance.now();
      const prepared = (entry.prepared = await entry.peer.prepare(task, data, context));
      const started = performance.now();
      await prepared.run();
      firsts += performance.now() - started;
      const output = await prepared.output();
      const first = performance.now() - begin;
      gold ??= output;
      const difference = differenceOf(output, gold, task);
      const wrong = !(difference <= TOLERANCE);
      entry.result = {
        ...entry.result,
        status: wrong ? "wrong" : "ok",
        ...(wrong && {
          reason: `differs from ${entries.find((e) => e.result.status === "ok")?.peer.name ?? "the first"} by ${difference.toExponential(1)}`,
        }),
        first,
        difference,
        ...(prepared.cost && { cost: prepared.cost }),
      };
    } catch (error) {
      entry.result = { ...entry.result, status: "failed", reason: String(error).slice(0, 300) };
    }
  }
  const able = entries.filter((entry) => entry.result.status === "ok");
  const round = async (keep: boolean) => {
    for (const entry of able) {
      if (entry.result.status !== "ok") continue;
      signal?.throwIfAborted();
      try {
        const begin = performance.now();
        const own = await entry.prepared!.run();
        if (keep) entry.times.push(own ?? performance.now() - begin);
      } catch (error) {
        entry.result = { ...entry.result, status: "failed", reason: String(error).slice(0, 300) };
      }
    }
  };
  onProgress?.(`${name}: warming up`);
  // The first runs have compiled everything; where they took long, one more turn of all engines would only cost time.
  const begin = performance.now();
  for (let i = 0; i < WARMUP && (i === 0 ? firsts < 4 * budget : performance.now() - begin < budget / 2); i++) await round(false);
  const start = performance.now();
  for (let i = 0; i < ROUNDS.most && (i < ROUNDS.least || performance.now() - start < budget); i++) {
    onProgress?.(`${name}: round ${i + 1}`);
    await round(true);
  }
  for (const { prepared } of entries) await prepared?.dispose();
  return entries.map(({ result, times }) => (result.status === "ok" ? { ...result, ...summary(times) } : result));
}

function summary(times: readonly number[]): Pick<PeerResult, "median" | "low" | "high" | "rounds"> {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { median: at(0.5), low: at(0.25), high: at(0.75), rounds: sorted.length };
}

/** Numbers by the largest magnitude; ids by the share that differs. Behind a prompt the caches hold what each peer likes. */
function differenceOf(output: Float32Array, gold: Float32Array, task: Task): number {
  if (output === gold || (task.kind === "decode" && task.past > 0)) return 0;
  if (output.length !== gold.length) return Infinity;
  if (task.kind === "decode" || task.kind === "translate") return output.filter((id, i) => id !== gold[i]).length / gold.length;
  let [worst, largest] = [0, 0];
  gold.forEach((value, i) => {
    worst = Math.max(worst, Math.abs(value - output[i]!));
    largest = Math.max(largest, Math.abs(value));
    if (Number.isNaN(output[i]!)) worst = Infinity;
  });
  return worst / (largest || 1);
}
