// Choosing between candidates: what a table of choices does to a plan, and which nodes share a site.
import { describe, expect, it } from "vitest";
import { matmul } from "../../src/ops/matmul.ts";
import { softmax } from "../../src/ops/softmax.ts";
import { byRow, type Choices, siteKey } from "../../src/schedule/candidates.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { Graph, Value } from "../../src/schedule/graph.ts";
import { allLowerings } from "../../src/schedule/lower/all.ts";
import type { Lowered } from "../../src/schedule/lowering.ts";
import { fingerprint, sitesOf } from "../../src/tune/sites.ts";
import { build, LENGTHS, linear } from "../support/graph-values.ts";
import { architectureOf, DIMS, GPU, graphsOf, MODELS, SOFTWARE } from "../support/model-graphs.ts";

const options = { traits: SOFTWARE, known: allLowerings, expect: LENGTHS };
const two = (g: Graph, x: Value) => linear(g, linear(g, x, "a"), "b");
const kernels = (body: typeof two, tuning?: Choices, expected = LENGTHS): string[] =>
  compile(build(body), { ...options, name: "test", expect: expected, ...(tuning && { tuning }) }).dispatches.map((d) => d.instance.key);
const sites = (body: typeof two, expected = LENGTHS) => sitesOf(build(body), { ...options, expect: expected });

const evaluated = (size: unknown) => (size === "long" ? 100 : Number(size));

describe("a site's key", () => {
  it("says what is computed, static sizes, and the power of two that lengths round up to", () => {
    const site = { op: "matmul", options: { weight: "f16", bias: true, residual: false }, sizes: { M: "long", N: 100 } };
    expect(siteKey(site, evaluated)).toBe("matmul(weight=f16,bias,M=~128,N=100)");
    expect(siteKey({ ...site, sizes: { M: 100, N: 0 } }, evaluated)).toBe("matmul(weight=f16,bias,M=100,N=0)");
    expect(siteKey({ ...site, sizes: { M: "long" } }, () => 0)).toBe("matmul(weight=f16,bias,M=~1)");
  });

  it("is the same in all layers, and another for other sizes, types and lengths", () => {
    const [site, ...others] = sites(two);
    expect(others).toEqual([]);
    expect(site!.nodes.map((node) => node.path)).toEqual(["a", "b"]);
    expect(site!.key).toBe("matmul(weight=f32,vector,activation=none,contiguousK,M=~8,N=8,K=8,batch=1)");
    expect(sites((g, x) => linear(g, linear(g, x, "a"), "b", 12))).toHaveLength(2);
    expect(sites(two, { batch: 2, tokens: 4 })[0]!.key).toBe(site!.key);
    expect(sites(two, { batch: 2, tokens: 5 })[0]!.key).not.toBe(site!.key);
  });
});

describe("a table of choices", () => {
  const before = kernels(two);
  const [{ key, candidates }] = sites(two) as [ReturnType<typeof sites>[number]];

  it("puts the named candidate in its place, at all nodes of the site", () => {
    expect(candidates.length).toBeGreaterThan(2);
    expect(new Set(candidates.map(({ name }) => name)).size).toBe(candidates.length);
    const plans = candidates.map(({ name }) => kernels(two, { [key]: name }));
    expect(plans[0]).toEqual(before);
    expect(new Set(plans.map(String)).size).toBe(candidates.length);
    for (const [i, plan] of plans.entries()) {
      const own = candidates[i]!.steps().map((step) => step.instance.key);
      expect(plan).toEqual([...own, ...own]);
    }
  });

  it("changes nothing by names and sites that it does not know", () => {
    for (const tuning of [{}, { [key]: "default" }, { [key]: "" }, { "matmul()": candidates[1]!.name }])
      expect(kernels(two, tuning)).toEqual(before);
  });

  it("leaves other sites alone", () => {
    const body = (g: Graph, x: Value) => softmax(g, two(g, x));
    const [a, b] = [kernels(body), kernels(body, { [key]: candidates[1]!.name })];
    expect(b.at(-1)).toBe(a.at(-1));
    expect(b[0]).not.toBe(a[0]);
  });
});

describe("the sites of a graph", () => {
  it("are those of nodes after the rules, the ones with most work first", () => {
    const found = sites((g, x) => {
      const y = softmax(g, linear(g, linear(g, x, "wide", 64), "narrow"));
      return matmul(g, y, g.weight("w", [8, 8]));
    });
    expect(found.map(({ key }) => key.replace(/.*(N=\d+,K=\d+).*/, "$1").replace(/\(.*/, ""))).toEqual([
      "N=64,K=8",
      "N=8,K=64",
      "N=8,K=8",
      "softmax",
    ]);
    expect(found.map(({ flops }) => flops)).toEqual([2 * 6 * 64 * 8, 2 * 6 * 64 * 8, 2 * 6 * 8 * 8, 6 * 6 * 8]);
  });

  it("have a fingerprint that tells kernels apart, and is the same each time", async () => {
    const [site] = sites(two) as [ReturnType<typeof sites>[number]];
    const print = await fingerprint(site);
    expect(print).toMatch(/^[0-9a-f]{16}$/);
    expect(await fingerprint(sites(two)[0]!)).toBe(print);
    const { candidates } = site;
    expect(await fingerprint({ ...site, candidates: candidates.slice(1) })).not.toBe(print);
    expect(await fingerprint({ ...site, candidates: candidates.with(1, { ...candidates[1]!, name: "other" }) })).not.toBe(print);
    expect(await fingerprint({ ...site, candidates: candidates.with(1, { ...candidates[1]!, steps: candidates[0]!.steps }) })).not.toBe(
      print,
    );
  });

  it("of all models' plans take any of their candidates, and join the same weights", async () => {
    for (const name of MODELS) {
      const { architecture, generation } = await architectureOf(name);
      for (const [title, graph] of graphsOf(architecture, generation)) {
        for (const traits of [SOFTWARE, GPU]) {
          const own = { traits, known: allLowerings, expect: DIMS };
          const found = sitesOf(graph, own);
          const plan = compile(graph, { ...own, name: title });
          for (let i = 0; i < Math.max(...found.map(({ candidates }) => candidates.length)); i++) {
            const tuning = Object.fromEntries(found.map(({ key, candidates }) => [key, candidates.at(-1 - (i % candidates.length))!.name]));
            const tuned = compile(graph, { ...own, name: title, tuning });
            expect(tuned.weights).toEqual(plan.weights);
            expect(tuned.outputs).toEqual(plan.outputs);
            expect(tuned.cost(DIMS).flops).toBeGreaterThanOrEqual(0.9 * plan.cost(DIMS).flops);
          }
        }
      }
    }
  });
});

describe("byRow", () => {
  it("has the preferred form first, and both", () => {
    const step = (threads: 1 | 64) => ({ path: String(threads) }) as Lowered;
    for (const first of [1, 64] as const) {
      const candidates = byRow(first, step);
      expect(candidates.map(({ steps }) => steps()[0]!.path)).toEqual(first === 1 ? ["1", "64"] : ["64", "1"]);
      expect(candidates.map(({ name }) => name)).toEqual(first === 1 ? ["thread", "workgroup"] : ["workgroup", "thread"]);
    }
  });
});
