// Embeddings, norms and what goes element by element.
import { addKernel } from "../../../shaders/add.ts";
import { appendKernel } from "../../../shaders/append.ts";
import { embeddingKernel } from "../../../shaders/embedding.ts";
import { mapKernel } from "../../../shaders/map.ts";
import { normKernel } from "../../../shaders/norm.ts";
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
  defineAxes({ kernel: mapKernel, axes: { activation: ["none", ...ACTIVATIONS], multiply: FLAG } }),
  defineAxes({ kernel: normKernel, axes: { kind: ["layer", "rms"], threads: [1, 64], residual: FLAG, sum: FLAG } }),
  defineAxes({ kernel: rotaryKernel, axes: { past: FLAG } }),
];
