// Plans of the embedded models, as snapshots: what will run, dispatch by dispatch, for a software adapter and for a GPU. They
// need no device. A change to one is made on purpose, with `vitest run --project unit -u`.
import { describe, expect, it } from "vitest";
import type { KvType } from "../../src/engine/graphs.ts";
import { capture, captureNames } from "../../src/capture/rule.ts";
import { readOwnPack, readPack } from "../support/conformance.ts";
import { architectureFrom, architectureOf, GPU, graphsOf, MODELS, planOf as plan, SOFTWARE } from "../support/model-graphs.ts";

describe.each(MODELS)("%s", (name) => {
  it.each([
    ["software", SOFTWARE],
    ["gpu", GPU],
  ] as const)("plans for %s", async (label, traits) => {
    const { architecture, generation } = await architectureOf(name);
    const tables = graphsOf(architecture, generation).map(([title, graph]) => plan(title, graph, traits).toString());
    await expect(`${tables.join("\n\n")}\n`).toMatchFileSnapshot(`./plans/${name}.${label}.txt`);
  });

  it("joins the same weights in all of its plans", async () => {
    const { architecture, generation } = await architectureOf(name);
    const buffers = new Map<string, Set<string>>();
    for (const [title, graph] of graphsOf(architecture, generation)) {
      for (const { name: buffer, parts } of plan(title, graph, SOFTWARE).weights) {
        for (const { tensor } of parts) {
          const key = `${title === "encode" ? "encoder" : "decoder"} ${tensor}`;
          buffers.set(key, (buffers.get(key) ?? new Set()).add(buffer));
        }
      }
    }
    for (const [tensor, names] of buffers) expect([...names], tensor).toHaveLength(1);
  });

  it("is the same plan when nothing is captured", async () => {
    const { architecture, generation } = await architectureOf(name);
    for (const [title, graph] of graphsOf(architecture, generation)) {
      expect(plan(title, capture(new Set())(graph), GPU).toString()).toBe(plan(title, graph, GPU).toString());
    }
  });

  it("differs with caches of f16 in what writes and reads them, and nowhere else", async () => {
    const { architecture, generation } = await architectureOf(name);
    const keys = (kv: KvType): Record<string, string[]> =>
      Object.fromEntries(
        graphsOf(architecture, generation, kv).map(([title, graph]) => [
          title,
          plan(title, graph, GPU).dispatches.map((d) => d.instance.key),
        ]),
      );
    const [wide, halves] = [keys("f32"), keys("f16")];
    const isOfCaches = (key: string): boolean => /^(attention|append|rotary-append)\(|^narrow/.test(key);
    for (const [title, before] of Object.entries(wide)) {
      const after = halves[title]!;
      expect(after.filter((key) => !isOfCaches(key))).toEqual(before.filter((key) => !isOfCaches(key)));
      if (title === "encode") {
        const cross = architecture.attention.cross?.paths.length ?? 0;
        expect(after.filter(isOfCaches)).toEqual([...before.filter(isOfCaches), ...Array.from({ length: 2 * cross }, () => "narrow()")]);
      } else for (const key of after.filter(isOfCaches)) expect(key).toMatch(/halves|half0,half1/);
    }
  });

  it("adds exactly q, max and sum of a captured layer", async () => {
    const { architecture, generation } = await architectureOf(name);
    for (const [kind, modules] of Object.entries(architecture.attention)) {
      const path = modules.paths.at(-1)!;
      const names = captureNames(path);
      const graphs = graphsOf(architecture, generation).filter(([title]) => title === (kind === "encoder" ? "encode" : "step"));
      for (const [title, graph] of graphs) {
        const before = plan(title, graph, GPU);
        const after = plan(title, capture(new Set([path]))(graph), GPU);
        const added = after.externals.map((e) => e.name).filter((n) => !before.externals.some((e) => e.name === n));
        // In an encoder q, k (and v beside them) are one buffer that is kept: it goes by its first name.
        expect(added.toSorted(), `${title} ${kind}`).toEqual([names.q, names.stats].toSorted());
        // Self-attention's q goes along with k and v; cross-attention, which appends nothing, gets an append of its own.
        expect(after.dispatches.length - before.dispatches.length).toBe(kind === "cross" ? 1 : 0);
      }
    }
  });
});

describe("positions of T5", () => {
  it.each([
    ["t5", readPack("t5"), [1, 1]],
    ["umt5", readOwnPack("umt5"), [3, 2]],
  ] as const)("become biases where %s reads its source, and in no step", async (_, pack, biased) => {
    const { architecture, generation } = await architectureFrom(pack);
    const made = (title: string, path: string) => {
      const [, graph] = graphsOf(architecture, generation).find(([name]) => name === title)!;
      return plan(title, graph, GPU).dispatches.filter((d) => d.path.startsWith(path) && d.path.endsWith("relative_attention_bias")).length;
    };
    expect(["encoder", "decoder"].map((stack) => made("encode", stack))).toEqual(biased);
    expect(["prefill", "step", "step, 4 beams"].map((title) => made(title, ""))).toEqual([0, 0, 0]);
  });
});
