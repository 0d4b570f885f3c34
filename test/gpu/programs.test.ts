// A model keeps the programs it uses and forgets those it used long ago, so that a page that lives long does not grow without end.
import { afterEach, expect, test, vi } from "vitest";
import { Engine } from "../../src/engine/engine.ts";
import { Program } from "../../src/gpu/program.ts";
import { loadModel } from "../../src/index.ts";
import { scaleBy } from "../../src/ops/map.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { architectureOf } from "../support/model-graphs.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";
import { getNullDevice } from "../setup/gpu.ts";

afterEach(() => vi.restoreAllMocks());

const DISPATCHES = 512;

/** As many dispatches as asked for, one after another. */
function chain(): Graph {
  const g = new Graph();
  let x = g.input("x", [4]);
  for (let i = 0; i < DISPATCHES; i++) x = scaleBy(g, x, 2);
  g.output("y", x);
  return g;
}

async function emptyEngine(): Promise<Engine> {
  const { architecture } = await architectureOf("stories260K");
  return new Engine(await getNullDevice(), { architecture, kv: "f32" }, { stored: () => "f32" });
}

test("those used longest ago are forgotten, those in use are not", async () => {
  const engine = await emptyEngine();
  const program = (key: string) => engine.program(key, chain, {});
  const [old, used] = [await program("old"), await program("used")];
  for (let i = 0; i < 100; i++) {
    await program(`other ${i}`);
    expect(await program("used")).toBe(used);
  }
  const made = vi.spyOn(Program, "create");
  // About as many dispatches as are kept, those of the last.
  for (let i = 99; i > 100 - 30; i--) await program(`other ${i}`);
  expect(made).not.toHaveBeenCalled();
  expect(await program("old")).not.toBe(old);
  expect(made).toHaveBeenCalledTimes(1);
  engine.dispose();
});

test("one that comes to nothing is not kept", async () => {
  const engine = await emptyEngine();
  vi.spyOn(Program, "create").mockRejectedValueOnce(new Error("no"));
  await expect(engine.program("key", chain, {})).rejects.toThrow("no");
  expect((await engine.program("key", chain, {})).plan.dispatches).toHaveLength(DISPATCHES);
  engine.dispose();
});

test("ever new options cost neither pipelines nor memory of the GPU", async () => {
  const device = await getNullDevice();
  const { files } = randomCheckpoint(tinyConfig("llama"));
  using model = await loadModel(files as Record<string, Uint8Array<ArrayBuffer>>, { device });
  const sample = (temperature: number) => model.generate([1, 2, 3], { maxNewTokens: 2, temperature, topK: 5, seed: 1 });
  await sample(0.5);
  const before = model.memory();
  const compiled = vi.spyOn(device, "createComputePipelineAsync");
  for (let i = 1; i <= 50; i++) await sample(0.5 + i / 100);
  expect(compiled).not.toHaveBeenCalled();
  expect(model.memory()).toEqual(before);
});
