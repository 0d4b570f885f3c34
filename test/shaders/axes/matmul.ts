// The matmuls. One tile of each goes through the whole product of storage and epilogue; the other tiles through a few.
import { matmulRegisterKernel } from "../../../shaders/matmul-register.ts";
import { matmulTiledKernel } from "../../../shaders/matmul-tiled.ts";
import { matvecKernel } from "../../../shaders/matvec.ts";
import { ACTIVATIONS } from "../../../shaders/snippets.ts";
import { defineAxes, FLAG, WEIGHTS } from "./axes.ts";

const common = {
  weight: WEIGHTS,
  vector: FLAG,
  bias: FLAG,
  activation: ["none", ...ACTIVATIONS],
  residual: FLAG,
} as const;
const UP_TO_8 = [1, 2, 3, 4, 5, 6, 7, 8];

interface Common {
  readonly bias: boolean;
  readonly residual: boolean;
  readonly activation: string;
  readonly weight: string;
}
const plain = ({ bias, residual, activation }: Common) => !bias && !residual && activation === "none";

export const matmulAxes = [
  defineAxes({ kernel: matmulTiledKernel, axes: common }),
  defineAxes({ kernel: matvecKernel, axes: { ...common, rows: UP_TO_8 }, valid: (o) => o.rows === 4 || plain(o) }),
  defineAxes({
    kernel: matmulRegisterKernel,
    axes: { ...common, rows: UP_TO_8, columns: UP_TO_8 },
    valid: (o) => (o.rows === 4 && o.columns === 4) || (plain(o) && o.weight === "f16" && o.vector && (o.rows < 5 || o.columns < 5)),
  }),
];
