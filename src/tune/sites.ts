// The sites of a graph at which kernels may be chosen, with their candidates and the nodes that are computed there.
import { shaderCode } from "../../shaders/kernel.ts";
import { type Candidate, type Site, siteKey } from "../schedule/candidates.ts";
import { type CompileOptions, contextOf } from "../schedule/compile.ts";
import type { Graph, Node } from "../schedule/graph.ts";
import { allLowerings } from "../schedule/lower/all.ts";
import { rules } from "../schedule/rules/index.ts";

export interface PlannedSite {
  readonly key: string;
  /** In order of preference, each name once. */
  readonly candidates: readonly Candidate[];
  readonly integers: NonNullable<Site["integers"]>;
  /** After the rules: a layer each, mostly. */
  readonly nodes: readonly Node[];
  /** FLOPs of all of them. */
  readonly flops: number;
}

/** Sites with more than one candidate, those with most work first. */
export function sitesOf(graph: Graph, options: Omit<CompileOptions, "name" | "tuning" | "rules" | "lowerings">): PlannedSite[] {
  const context = contextOf(options);
  const sites = new Map<string, PlannedSite & { nodes: Node[]; flops: number }>();
  for (const node of rules.reduce((g, rule) => rule(g), graph).nodes) {
    allLowerings[node.op]!(node, {
      ...context,
      pick(site, all) {
        const key = siteKey(site, context.expect);
        const candidates = all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
        const steps = context.pick(site, all);
        const found = sites.get(key) ?? { key, candidates, integers: site.integers ?? {}, nodes: [], flops: 0 };
        if (found.nodes.at(-1) !== node) found.nodes.push(node);
        for (const { flops } of steps) found.flops += context.expect(flops);
        if (candidates.length > 1) sites.set(key, found);
        return steps;
      },
    });
  }
  return [...sites.values()].toSorted((a, b) => b.flops - a.flops);
}

/** Changes with any candidate's name or code: then what was measured before says nothing. */
export async function fingerprint({ candidates }: PlannedSite): Promise<string> {
  const text = candidates.map(({ name, steps }) => [name, ...steps().map(({ instance }) => shaderCode(instance))]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(text)));
  return Array.from(new Uint8Array(digest, 0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
