// Embeddings, norms and what goes element by element.
import { addKernel } from "../../../shaders/add.ts";
import { appendKernel } from "../../../shaders/append.ts";
import { embeddingKernel } from "../../../shaders/embedding.ts";
import { headsKernel } from "../../../shaders/heads.ts";
import { mapKernel } from "../../../shaders/map.ts";
import { normKernel } from "../../../shaders/norm.ts";
import { DESTINATIONS, rotaryAppendKernel } from "../../../shaders/rotary-append.ts";
import { rotaryKernel } from "../../../shaders/rotary.ts";
import { ACTIVATIONS } from "../../../shaders/snippets.ts";
import { defineAxes, FLAG, WEIGHTS } from "./axes.ts";

export const elementwiseAxes = [
  defineAxes({ kernel: addKernel, axes: { broadcast: FLAG } }),
  defineAxes({ kernel: appendKernel, axes: { parts: [1, 2, 3] } }),
  defineAxes({
    kernel: embeddingKernel,
    axes: { weight: WEIGHTS, positions: ["none", ...WEIGHTS], types: ["none", ...WEIGHTS], past: FLAG },
    valid: (o) => !o.past || o.positions !== "none",
  }),
  defineAxes({ kernel: headsKernel, axes: {} }),
  defineAxes({ kernel: mapKernel, axes: { activation: ["none", ...ACTIVATIONS], multiply: FLAG } }),
  defineAxes({ kernel: normKernel, axes: { kind: ["layer", "rms"], threads: [1, 64], residual: FLAG, sum: FLAG } }),
  defineAxes({ kernel: rotaryKernel, axes: { past: FLAG } }),
  defineAxes({
    kernel: rotaryAppendKernel,
    axes: { part0: DESTINATIONS, part1: ["none", ...DESTINATIONS], part2: ["none", ...DESTINATIONS], part3: ["none", ...DESTINATIONS] },
    valid: ({ part1, part2, part3 }) => (part1 !== "none" || part2 === "none") && (part2 !== "none" || part3 === "none"),
  }),
];
