// The graphs of a model, from its architecture and the type of its caches alone: encoding, reading a prompt, taking a step.
// Names of externals are shared between them, so that one workspace serves them all.
import type { Architecture, DecoderInputs } from "../models/architecture.ts";
import { narrow } from "../ops/narrow.ts";
import { type Dim, Graph, type Value } from "../schedule/graph.ts";

/**
 * Lengths by name:
 *   batch, source   rows and tokens of the encoder
 *   rows, query     rows and tokens of the decoder in this run
 *   capacity        positions of the KV cache; cacheRows: its rows
 *   share           decoder rows per encoder row; rowStep: cache rows per decoder row
 *   positions       rows of host tables
 *   prompt, total   tokens that the decoder reads at once, at the run's start, and tokens it may come to
 */
export type ModelDims = Readonly<
  Record<"batch" | "source" | "rows" | "query" | "capacity" | "cacheRows" | "share" | "rowStep" | "positions" | "prompt" | "total", number>
>;

/** What keys and values are kept as. */
export type KvType = "f32" | "f16";
export const KV_TYPES: readonly KvType[] = ["f32", "f16"];

/** What graphs are written from; an Engine is one. */
export interface GraphSource {
  readonly architecture: Architecture;
  readonly kv: KvType;
}

/** Encoder, with its head if it has one, and the keys and values a decoder will look at. */
export function encodeGraph({ architecture, kv }: GraphSource): Graph {
  const g = new Graph();
  const encoded = architecture.encode!(g, {
    ids: g.input("source.ids", ["batch", "source"], "i32"),
    lengths: g.input("source.lengths", ["batch"], "i32"),
    types: g.input("source.types", ["batch", "source"], "i32"),
  });
  g.output(architecture.kind === "encoder" ? "lastHiddenState" : "encoderLastHiddenState", encoded.lastHiddenState);
  if (encoded.logits) g.output("logits", encoded.logits);
  const kept = (path: string, value: Value) => (kv === "f16" ? narrow(g, value, { path }) : value);
  for (const { path, k, v } of architecture.cross?.(g, encoded.lastHiddenState) ?? []) {
    g.output(`${path}.k`, kept(path, k));
    g.output(`${path}.v`, kept(path, v));
  }
  return g;
}

export interface DecodeShape {
  readonly rows: Dim;
  readonly query: Dim;
  /** Rows read their keys through a table of cache rows: beams. */
  readonly table?: boolean;
}

/** The decoder on `query` tokens of each row; what leaves the graph is the caller's choice. */
export function decodeGraph(
  { architecture, kv }: GraphSource,
  { rows, query, table = false }: DecodeShape,
): { g: Graph; lastHiddenState: Value; logits?: Value; inputs: DecoderInputs } {
  const g = new Graph();
  const inputs: DecoderInputs = {
    ids: g.state("ids", [rows, query], "i32"),
    past: g.state("past", [rows], "i32"),
    lengths: g.input("lengths", [rows], "i32"),
    sourceLengths: g.input("source.lengths", ["batch"], "i32"),
    share: "share",
    cache: (path, keyFeatures, valueFeatures) => ({
      k: g.state(`${path}.k`, ["cacheRows", "capacity", keyFeatures], kv),
      v: g.state(`${path}.v`, ["cacheRows", "capacity", valueFeatures], kv),
      rowStep: "rowStep",
      ...(table && { table: g.state("table", [rows, "capacity"], "u32") }),
    }),
    crossCache: (path, keyFeatures, valueFeatures) => ({
      k: g.input(`${path}.k`, ["batch", "source", keyFeatures], kv),
      v: g.input(`${path}.v`, ["batch", "source", valueFeatures], kv),
    }),
  };
  return { g, inputs, ...architecture.decode!(g, inputs) };
}
