// Head switches in the plans: one small dispatch and one small buffer for each layer that is touched, and nothing else changes.
import { describe, expect, it } from "vitest";
import { headScaleName } from "../../src/capture/head-scale.ts";
import { hook, type Hooks, hooksKey, hooksOf } from "../../src/capture/hooks.ts";
import { captureNames } from "../../src/capture/rule.ts";
import { selectAttention } from "../../src/capture/selection.ts";
import { architectureOf, GPU, graphsOf, MODELS, planOf, SOFTWARE } from "../support/model-graphs.ts";

const hooks = (captured: readonly string[], scaled: readonly string[]): Hooks => ({
  captured: new Set(captured),
  scaled: new Map(scaled.map((path) => [path, new Float32Array()])),
});

describe.each(MODELS)("%s", (name) => {
  it("is the same plan when no head is scaled", async () => {
    const { architecture, generation } = await architectureOf(name);
    for (const [title, graph] of graphsOf(architecture, generation)) {
      expect(hook(hooks([], []))(graph)).toBe(graph);
      expect(hook(hooks([], ["no.such.module"]))(graph), title).toBe(graph);
    }
  });

  it.each([
    ["software", SOFTWARE],
    ["gpu", GPU],
  ] as const)("adds a dispatch after the attention of each layer touched, for %s", async (_, traits) => {
    const { architecture, generation } = await architectureOf(name);
    for (const [kind, { paths, heads }] of Object.entries(architecture.attention)) {
      const touched = [paths[0]!, paths.at(-1)!];
      for (const [title, graph] of graphsOf(architecture, generation)) {
        if ((kind === "encoder") !== (title === "encode") || title === "prefill") continue;
        const before = planOf(title, graph, traits);
        const after = planOf(title, hook(hooks([], touched))(graph), traits);
        const where = after.dispatches.flatMap((d, i) => (d.instance.kernel.name === "scale-heads" ? [i] : []));
        expect(where.map((i) => after.dispatches[i]!.path)).toEqual(touched);
        for (const i of where) expect(after.dispatches[i - 1]!.instance.kernel.name, title).toMatch(/^attention/);
        const others = after.dispatches.filter((d) => d.instance.kernel.name !== "scale-heads");
        expect(others.map((d) => `${d.instance.key} ${d.path}`)).toEqual(before.dispatches.map((d) => `${d.instance.key} ${d.path}`));
        const added = after.externals.filter((e) => !before.externals.some((b) => b.name === e.name));
        expect(added.map((e) => [e.name, e.shape])).toEqual(touched.map((path) => [headScaleName(path), [heads]]));
      }
    }
  });

  it("goes together with capture of the same layer", async () => {
    const { architecture, generation } = await architectureOf(name);
    for (const [kind, { paths }] of Object.entries(architecture.attention)) {
      const path = paths[0]!;
      const [title, graph] = graphsOf(architecture, generation).find(([t]) => t === (kind === "encoder" ? "encode" : "step"))!;
      const captured = planOf(title, hook(hooks([path], []))(graph), GPU);
      const both = planOf(title, hook(hooks([path], [path]))(graph), GPU);
      expect(both.dispatches.length).toBe(captured.dispatches.length + 1);
      const names = both.externals.map((e) => e.name);
      expect(names).toEqual(expect.arrayContaining([captureNames(path).q, captureNames(path).stats, headScaleName(path)]));
    }
  });
});

describe("which plan it is", () => {
  it("depends on the layers, not on heads and scales", async () => {
    const { architecture } = await architectureOf("marian-en-fr-tatoeba");
    const key = (...cross: { layer: number; head: number; scale?: number }[]) =>
      hooksKey(hooksOf(architecture, selectAttention(architecture, { headScale: { cross } }), ["decoder", "cross"]));
    expect(key({ layer: 0, head: 7 })).toEqual([headScaleName("model.decoder.layers.0.encoder_attn")]);
    expect(key({ layer: 0, head: 3, scale: 0.5 }, { layer: 0, head: 1 })).toEqual(key({ layer: 0, head: 7 }));
    expect(key({ layer: 1, head: 7 })).not.toEqual(key({ layer: 0, head: 7 }));
    expect(key({ layer: 1, head: 0 }, { layer: 0, head: 0 })).toEqual(key({ layer: 0, head: 0 }, { layer: 1, head: 0 }));
    expect(key()).toEqual([]);
    // Encoder plans know nothing of the decoder's switches.
    const scaled = selectAttention(architecture, { headScale: { cross: [{ layer: 0, head: 7 }] } });
    expect(hooksKey(hooksOf(architecture, scaled, ["encoder"]))).toEqual([]);
  });

  it("has the scale given last, and 1 for heads not named", async () => {
    const { architecture } = await architectureOf("marian-en-fr-tatoeba");
    const headScale = {
      encoder: [
        { layer: 1, head: 2 },
        { layer: 1, head: 0, scale: 2 },
        { layer: 1, head: 0, scale: -0.5 },
      ],
    };
    const { scaled } = hooksOf(architecture, selectAttention(architecture, { headScale }), ["encoder"]);
    expect([...scaled.keys()]).toEqual(["model.encoder.layers.1.self_attn"]);
    const [scales] = scaled.values();
    expect([...scales!]).toEqual(Array.from({ length: architecture.attention.encoder!.heads }, (_, h) => ({ 0: -0.5, 2: 0 })[h] ?? 1));
  });
});
