// The graphs of the embedded models and how their plans are made in tests: from config and names of tensors alone.
import { decodeGraph, encodeGraph, type KvType, type ModelDims } from "../../src/engine/graphs.ts";
import type { Traits } from "../../src/gpu/device.ts";
import { resolveOptions } from "../../src/generate/options.ts";
import { processLogits, select } from "../../src/generate/select.ts";
import { ConfigReader } from "../../src/load/config.ts";
import type { Architecture } from "../../src/models/architecture.ts";
import { familyOf } from "../../src/models/registry.ts";
import { compile } from "../../src/schedule/compile.ts";
import type { Graph } from "../../src/schedule/graph.ts";
import { allLowerings } from "../../src/schedule/lower/all.ts";
import type { Plan } from "../../src/schedule/plan.ts";
import { type CheckpointFiles, type ModelName, readModel } from "./conformance.ts";

export const SOFTWARE: Traits = { f16: false, subgroups: false, software: true, maxBinding: 2 ** 27 };
export const GPU: Traits = { f16: true, subgroups: true, software: false, maxBinding: 2 ** 27 };
export const DIMS: ModelDims & { steps: number; seed: number } = {
  batch: 1,
  source: 12,
  rows: 1,
  query: 1,
  capacity: 160,
  cacheRows: 1,
  share: 1,
  rowStep: 1,
  positions: 256,
  prompt: 1,
  total: 160,
  steps: 128,
  seed: 0,
};
export const MODELS: readonly ModelName[] = ["marian-en-fr-tatoeba", "rxnmapper-albert", "stories260K"];

export const architectureOf = (name: ModelName) => architectureFrom(readModel(name));

export async function architectureFrom({
  config,
  generationConfig,
  weights,
}: CheckpointFiles): Promise<{ architecture: Architecture; generation: object }> {
  const family = await familyOf(String(config["model_type"]));
  return { architecture: family.read(new ConfigReader(config), { has: (tensor) => weights.has(tensor) }), generation: generationConfig };
}

export function graphsOf(architecture: Architecture, generation: object, kv: KvType = "f32"): readonly (readonly [string, Graph])[] {
  const source = { architecture, kv };
  const graphs: [string, Graph][] = [];
  if (architecture.encode) graphs.push(["encode", encodeGraph(source)]);
  if (architecture.decode) {
    graphs.push(["prefill", decodeGraph(source, { rows: "rows", query: "query" }).g]);
    for (const beams of [1, 4]) {
      const settings = resolveOptions({ numBeams: beams }, generation as Record<string, unknown>, architecture, { longest: 1 });
      const { g, logits, inputs } = decodeGraph(source, { rows: beams, query: 1, table: beams > 1 });
      select(g, processLogits(g, logits!, inputs, settings, architecture), inputs, settings, 1);
      graphs.push([beams > 1 ? `step, ${beams} beams` : "step", g]);
    }
  }
  return graphs;
}

export const planOf = (name: string, graph: Graph, traits: Traits): Plan =>
  compile(graph, { name, traits, known: allLowerings, expect: DIMS, stored: (tensor) => (tensor.endsWith("weight") ? "f16" : "f32") });
