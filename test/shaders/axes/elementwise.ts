// Embeddings, norms and what goes element by element.
import { addKernel } from "../../../shaders/add.ts";
import { appendKernel } from "../../../shaders/append.ts";
import { embeddingKernel } from "../../../shaders/embedding.ts";
import { headsKernel } from "../../../shaders/heads.ts";
import { mapKernel } from "../../../shaders/map.ts";
import { narrowKernel } from "../../../shaders/narrow.ts";
import { normKernel } from "../../../shaders/norm.ts";
import { pickTokenKernel } from "../../../shaders/pick-token.ts";
import { quantizeKernel } from "../../../shaders/quantize.ts";
import { repackKernel } from "../../../shaders/repack.ts";
import { DESTINATIONS, rotaryAppendKernel } from "../../../shaders/rotary-append.ts";
import { rotaryKernel } from "../../../shaders/rotary.ts";
import { scaleHeadsKernel } from "../../../shaders/scale-heads.ts";
import { ACTIVATIONS } from "../../../shaders/snippets.ts";
import { isQuantized } from "../../../shaders/blocks.ts";
import { defineAxes, FLAG, WEIGHTS } from "./axes.ts";

export const elementwiseAxes = [
  defineAxes({ kernel: addKernel, axes: { broadcast: FLAG } }),
  defineAxes({ kernel: pickTokenKernel, axes: { last: FLAG } }),
  defineAxes({
    kernel: appendKernel,
    axes: { parts: [1, 2, 3], half0: FLAG, half1: FLAG, half2: FLAG },
    valid: ({ parts, half1, half2 }) => (parts > 1 || !half1) && (parts > 2 || !half2),
  }),
  defineAxes({
    kernel: embeddingKernel,
    axes: { weight: WEIGHTS, positions: ["none", ...WEIGHTS], types: ["none", ...WEIGHTS], past: FLAG },
    // Readers know nothing of each other: quantised go all three at once.
    valid: (o) => {
      const accesses = [o.weight, o.positions, o.types].filter((a) => a !== "none");
      return (
        (!o.past || o.positions !== "none") && (!accesses.some(isQuantized) || (accesses.length === 3 && new Set(accesses).size === 1))
      );
    },
  }),
  defineAxes({ kernel: headsKernel, axes: {} }),
  defineAxes({ kernel: mapKernel, axes: { activation: ["none", ...ACTIVATIONS], multiply: FLAG } }),
  defineAxes({ kernel: narrowKernel, axes: {} }),
  defineAxes({
    kernel: normKernel,
    axes: { kind: ["layer", "rms"], threads: [1, 64], residual: FLAG, sum: FLAG, vector: FLAG, subgroups: FLAG },
    valid: (o) => !o.subgroups || o.threads === 64,
  }),
  defineAxes({ kernel: quantizeKernel, axes: { source: ["f32", "f16", "bf16", "f8"], type: ["q8", "q4"] } }),
  defineAxes({ kernel: repackKernel, axes: { type: ["q8", "q4", "q5_0", "q6_k"] } }),
  defineAxes({ kernel: rotaryKernel, axes: { past: FLAG } }),
  defineAxes({
    kernel: rotaryAppendKernel,
    axes: {
      part0: DESTINATIONS,
      part1: ["none", ...DESTINATIONS],
      part2: ["none", ...DESTINATIONS],
      part3: ["none", ...DESTINATIONS],
      threads: [undefined, 1, 64],
      subgroups: FLAG,
    },
    // Caches of f16, those of keys and values, come first.
    valid: ({ part0, part1, part2, part3, threads, subgroups }) => {
      if (subgroups && threads !== 64) return false;
      // Behind norms: k or q first, v next, and no room for a fourth.
      if (threads && (part1.startsWith("turn") || part2.startsWith("copy") || part3 !== "none")) return false;
      const isHalf = (part: string) => part.endsWith("halves");
      const pairs = [[part0, part1] as const, [part1, part2] as const, [part2, part3] as const];
      return pairs.every(([a, b]) => (a !== "none" || b === "none") && (isHalf(a) || !isHalf(b)));
    },
  }),
  defineAxes({ kernel: scaleHeadsKernel, axes: {} }),
];
