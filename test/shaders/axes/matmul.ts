// The matmuls. One tile of each goes through the whole product of storage and epilogue; the other tiles through a few.
import { matmulRegisterKernel } from "../../../shaders/matmul-register.ts";
import { fitsSubgroupMatrix, holdsWeight, matmulSubgroupMatrixKernel } from "../../../shaders/matmul-subgroup-matrix.ts";
import { matmulTiledKernel } from "../../../shaders/matmul-tiled.ts";
import { matvecKernel } from "../../../shaders/matvec.ts";
import { ACTIVATIONS } from "../../../shaders/snippets.ts";
import { isQuantized } from "../../../shaders/blocks.ts";
import { hasLoads, type WeightAccess } from "../../../shaders/weights.ts";
import { defineAxes, FLAG, WEIGHTS } from "./axes.ts";

const common = {
  weight: WEIGHTS,
  vector: FLAG,
  gated: FLAG,
  bias: FLAG,
  activation: ["none", ...ACTIVATIONS],
  residual: FLAG,
} as const;
const UP_TO_8 = [1, 2, 3, 4, 5, 6, 7, 8];

interface Common {
  readonly gated?: boolean;
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation: string;
  readonly weight: WeightAccess;
}
/** A gated product has no residual; an activation is text of its own that the others are compiled with. */
const possible = ({ gated = false, residual, activation }: Common) =>
  !gated || (!residual && (activation === "none" || activation === "silu"));
/** How a weight is read and what is done with a sum know nothing of each other. */
const plain = ({ bias, residual, activation }: Common) => !bias && !residual && activation === "none";
const usual = (o: Common) => !(isQuantized(o.weight) || o.weight === "f8") || plain(o);

export const matmulAxes = [
  defineAxes({ kernel: matmulTiledKernel, axes: common, valid: (o) => possible(o) && usual(o) }),
  defineAxes({
    kernel: matvecKernel,
    axes: { ...common, rows: UP_TO_8, columns: [4, 8], threads: [32, 64, 128, 256], wide: FLAG, subgroups: FLAG },
    valid: (o) => {
      if (!possible(o) || (o.wide && !(o.vector && hasLoads(o.weight)))) return false;
      if (o.rows === 4 && o.columns === 4 && o.threads === 64) return usual(o) && (!o.subgroups || plain(o));
      const typical = plain(o) && o.vector && (o.weight === "f16" || (o.weight === "q4" && o.wide));
      return typical && (o.threads === 64 ? !o.gated || o.rows < 3 : o.rows === 1 && !o.gated);
    },
  }),
  defineAxes({
    kernel: matmulSubgroupMatrixKernel,
    // Matrices that adapters have: Apple's and lavapipe's, NVIDIA's and AMD's, Intel's; and of each size of subgroups one that is common.
    axes: { ...common, component: ["f16", "f32"], m: [8, 16], n: [8, 16], k: [8, 16], lanes: [32, 64, 128] },
    valid: (o) => {
      if (!possible(o) || !holdsWeight(o, o.weight) || !fitsSubgroupMatrix(o) || o.weight === "f16" || o.weight === "bf16") return false;
      if (o.component === "f32") return usual(o) && plain(o) && o.m === 8 && o.n === 8 && o.k === 8 && o.lanes === 32;
      return (o.m === 16 && o.n === 16 && o.k === 16 && o.lanes === 32) || (plain(o) && o.vector);
    },
  }),
  defineAxes({
    kernel: matmulRegisterKernel,
    axes: { ...common, rows: [...UP_TO_8, 16], columns: [...UP_TO_8, 16] },
    valid: (o) =>
      possible(o) &&
      !(o.gated && o.columns % 2 === 1) &&
      ((o.rows === 4 && o.columns === 4 && usual(o)) ||
        (o.rows === 16 && o.columns >= 8 && plain(o)) ||
        (plain(o) && o.weight === "f16" && o.vector && (o.rows < 5 || o.columns < 5))),
  }),
];
