// Profiles: every dispatch of a run with its GPU time and what its plan says it costs, and nothing left behind.
import { afterEach, describe, expect, it } from "vitest";
import { loadModel, UnsupportedError } from "../../src/index.ts";
import { type DispatchTime, Profile } from "../../src/gpu/profile.ts";
import { Timing } from "../../src/gpu/timing.ts";
import { add, Executable, Graph, linear } from "../../src/nn.ts";
import { directory, openDevice } from "../../src/node.ts";
import { countDevice, type DeviceCounts } from "../support/count-device.ts";
import { readPack } from "../support/conformance.ts";
import { normals } from "../support/random.ts";
import { getDevice } from "../setup/gpu.ts";

let counts: DeviceCounts | undefined;
afterEach(() => counts?.restore());

const [ROWS, WIDTH, LAYERS] = [64, 256, 3];

function stack(layers: number): Graph {
  const g = new Graph();
  let x = g.input("x", [ROWS, WIDTH]);
  for (let i = 0; i < layers; i++) x = linear(g, x, `layers.${i}.up`, { out: WIDTH });
  g.output("y", x);
  return g;
}

describe("Executable.profile()", () => {
  const weights = Object.fromEntries(
    Array.from({ length: LAYERS }, (_, i) => [
      [`layers.${i}.up.weight`, normals(WIDTH * WIDTH, i, 0.1)],
      [`layers.${i}.up.bias`, normals(WIDTH, 10 + i)],
    ]).flat(1),
  );

  it("times every dispatch of the plan and computes what a run computes", async () => {
    const device = await getDevice();
    using executable = await Executable.create(device, stack(LAYERS), { name: "stack", weights });
    const inputs = { x: normals(ROWS * WIDTH, 5) };
    const { data } = (await executable.run({ inputs }))["y"]!;
    const profile = await executable.profile({ inputs: { x: inputs.x.map((v) => -v) } });
    const again = (await executable.read())["y"]!.data;
    expect(again).not.toEqual(data);
    executable.submit({ inputs });
    expect((await executable.read())["y"]!.data).toEqual(data);

    const { plan } = executable;
    expect(profile.dispatches.map(({ run, kernel, path }) => ({ run, kernel, path }))).toEqual(
      plan.dispatches.map(({ instance, path }) => ({ run: "stack", kernel: instance.key, path })),
    );
    const { bytesRead, bytesWritten, flops } = plan.cost({});
    const [row] = profile.by("run");
    expect(profile.dispatches.reduce((n, d) => n + d.flops, 0)).toBe(flops);
    expect(profile.dispatches.reduce((n, d) => n + d.bytes, 0)).toBe(bytesRead + bytesWritten);
    expect(row).toMatchObject({ name: "stack", dispatches: LAYERS, share: 1 });
    expect(row!.micros).toBeGreaterThan(0);
    expect(row!.gflops).toBeCloseTo(flops / row!.micros / 1000);
  });

  it("takes more dispatches than a query set has room for", async () => {
    const device = await getDevice();
    const g = new Graph();
    let x = g.input("x", [4]);
    for (let i = 0; i < 2100; i++) x = add(g, x, x);
    g.output("y", x);
    using executable = await Executable.create(device, g);
    expect(executable.plan.dispatches.length).toBe(2100);
    const profile = await executable.profile({ inputs: { x: new Float32Array(4) } });
    expect(profile.dispatches.length).toBe(2100);
  });

  it("gives exact times where they are not made coarse, and says so where they are", async () => {
    const x = normals(ROWS * WIDTH, 5);
    const resolutions: number[] = [];
    for (const withoutToggles of [[], ["timestamp_quantization"]]) {
      const device = await openDevice({ software: true, withoutToggles });
      using executable = await Executable.create(device, stack(LAYERS), { weights });
      const profile = await executable.profile({ inputs: { x } });
      resolutions.push(profile.resolution);
      expect(profile.caveats.includes("Times come in steps")).toBe(withoutToggles.length === 0);
      device.destroy();
    }
    expect(resolutions[0]).toBeGreaterThan(50);
    expect(resolutions[1]).toBeLessThan(1);
  });
});

describe("Model.profile()", () => {
  it("follows a generation through encoder and steps, and leaves the model as it was", async () => {
    const device = await getDevice();
    using model = await loadModel(directory(readPack("marian").directory), { device });
    const generate = () => model.generate([5, 6, 7, 0], { numBeams: 1, maxNewTokens: 4, eosTokenId: [] });
    const { ids } = await generate();
    counts = countDevice(device);
    let profiled: Awaited<ReturnType<typeof generate>> | undefined;
    const profile = await model.profile(async () => (profiled = await generate()));
    expect(profiled!.ids).toEqual(ids);
    expect(counts.bytes).toBe(0);
    expect(
      profile
        .by("run")
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["encode", "step"]);
    const steps = profile.dispatches.filter(({ run }) => run === "step");
    expect(steps.filter(({ path }) => path === "lm_head").length).toBe(4);

    counts.reset();
    await generate();
    expect(counts.calls.has("createQuerySet")).toBe(false);
  });

  it("goes back to untimed passes after an error", async () => {
    const device = await getDevice();
    using model = await loadModel(directory(readPack("llama").directory), { device });
    await model.generate([1, 2, 3], { maxNewTokens: 2 });
    counts = countDevice(device);
    await expect(
      model.profile(async () => {
        await model.generate([1, 2, 3], { maxNewTokens: 2 });
        throw new Error("enough");
      }),
    ).rejects.toThrow("enough");
    await model.generate([1, 2, 3], { maxNewTokens: 2 });
    expect(counts.calls.get("createQuerySet")).toBe(1);
    expect(counts.bytes).toBe(0);
  });

  it("says what is missing where the device has no timestamp queries", () => {
    const device = { features: new Set<string>() } as unknown as GPUDevice;
    expect(() => new Timing(device)).toThrow(UnsupportedError);
  });
});

describe("Profile", () => {
  const time = (path: string, kernel: string, micros: number): DispatchTime => ({
    run: "step",
    kernel,
    path,
    micros,
    bytes: 3000,
    flops: 6000,
  });
  const profile = new Profile(
    [
      time("model.layers.0.self_attn.q_proj|model.layers.0.self_attn.k_proj", "matmul(a)", 3),
      time("model.layers.1.self_attn.q_proj|model.layers.1.self_attn.k_proj", "matmul(b)", 1),
      time("lm_head", "matmul(a)", 6),
    ],
    0.001,
  );

  it("sums by kernel, the longest first", () => {
    expect(profile.by("kernel")).toEqual([
      { name: "matmul(a)", dispatches: 2, micros: 9, share: 0.9, gflops: 12000 / 9 / 1000, gbps: 6000 / 9 / 1000 },
      { name: "matmul(b)", dispatches: 1, micros: 1, share: 0.1, gflops: 6, gbps: 3 },
    ]);
  });

  it("takes the layers of a stack together", () => {
    expect(profile.by("module").map(({ name, micros }) => [name, micros])).toEqual([
      ["lm_head", 6],
      ["model.layers.*.self_attn.q_proj|k_proj", 4],
    ]);
  });

  it("prints both, and what to think of them", () => {
    const text = String(profile);
    expect(text).toContain("profile: 3 dispatches, 10 µs");
    expect(text).toContain("compute pass of its own");
    expect(text).toMatch(/lm_head +1 +6 +60\.0 %/);
  });
});
