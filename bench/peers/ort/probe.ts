// Which of two ways to write a linear layer the device runs faster: neither is always the better one.
import { matmulGraph } from "../onnx/graphs.ts";
import type { LinearForm } from "../onnx/layers.ts";
import type { Runtime } from "./runtime.ts";

const FORMS: readonly LinearForm[] = ["matmul", "gemm"];
const WIDTH = 512;
const ROUNDS = 5;

const found = new WeakMap<Runtime, Map<number, LinearForm>>();

/** Measured once for single rows and once for many. */
export async function fasterForm(runtime: Runtime, rows: number): Promise<LinearForm> {
  const M = rows === 1 ? 1 : 64;
  const known = found.get(runtime) ?? new Map<number, LinearForm>();
  found.set(runtime, known);
  if (!known.has(M)) known.set(M, await measure(runtime, M));
  return known.get(M)!;
}

async function measure(runtime: Runtime, M: number): Promise<LinearForm> {
  const zeros = (rows: number) => ({ shape: [rows, WIDTH], data: new Float32Array(rows * WIDTH) });
  const rivals = [];
  for (const form of FORMS) {
    const model = matmulGraph({ kind: "matmul", M, K: WIDTH, N: WIDTH, weight: "f32" }, { w: zeros(WIDTH) }, form);
    const session = await runtime.session(model);
    rivals.push({ form, session, x: await runtime.upload(zeros(M).data, [M, WIDTH]), best: Infinity });
  }
  for (let round = 0; round <= ROUNDS; round++) {
    for (const rival of rivals) {
      const start = performance.now();
      const outputs = await rival.session.run({ x: rival.x });
      await runtime.done();
      // The first round compiles.
      if (round > 0) rival.best = Math.min(rival.best, performance.now() - start);
      for (const output of Object.values(outputs)) output.dispose();
    }
  }
  for (const { session, x } of rivals) {
    await session.release();
    runtime.free(x);
  }
  return rivals.reduce((a, b) => (b.best < a.best ? b : a)).form;
}
