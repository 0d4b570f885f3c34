// Whether a device multiplies subgroup matrices in a way that we can use: an experiment of Chrome's, behind a flag, whose WGSL
// changes from version to version. What an adapter says is not enough: the kernel is compiled, and where that fails there is none.
import type { SubgroupMatrix } from "../../shaders/matmul-subgroup-matrix.ts";
import { ShaderError } from "../errors.ts";
import { noteSubgroupMatrix, SUBGROUP_MATRIX } from "./device.ts";
import { pipelineFor } from "./pipelines.ts";

/** As in Chrome, where `GPUAdapterInfo` has it as `subgroupMatrixConfigs`. */
interface MatrixConfig {
  readonly componentType: string;
  readonly resultComponentType: string;
  readonly M: number;
  readonly N: number;
  readonly K: number;
}

type Info = Partial<GPUAdapterInfo> & { readonly subgroupMatrixConfigs?: readonly MatrixConfig[] };

/**
 * Finds the device's subgroup matrices once, for `traitsOf` to tell of. Without the feature this costs nothing.
 * @param info of its adapter: Dawn's device in Node does not say which matrices it has
 */
export function learnSubgroupMatrix(device: GPUDevice, info: Info = device.adapterInfo ?? {}): Promise<void> {
  let learnt = known.get(device);
  if (!learnt) known.set(device, (learnt = learn(device, info)));
  return learnt;
}

const known = new WeakMap<GPUDevice, Promise<void>>();

async function learn(device: GPUDevice, info: Info): Promise<void> {
  if (!device.features.has(SUBGROUP_MATRIX)) return;
  const { fitsSubgroupMatrix, subgroupMatmul } = await import("../../shaders/matmul-subgroup-matrix.ts");
  const matrix = bestMatrix(matricesOf(info, device.features.has("shader-f16")).filter(fitsSubgroupMatrix));
  if (!matrix) return;
  const weight = matrix.component === "f16" ? "f16-native" : "f32";
  const matmul = subgroupMatmul(matrix);
  try {
    await pipelineFor(device, matmul.kernel({ weight, vector: true, bias: false, activation: "none", residual: false }));
  } catch (error) {
    if (error instanceof ShaderError) return;
    throw error;
  }
  noteSubgroupMatrix(device, matmul);
}

/** Those that sum as f32. */
function matricesOf({ subgroupMatrixConfigs = [], subgroupMaxSize = 0 }: Info, f16: boolean): SubgroupMatrix[] {
  return subgroupMatrixConfigs.flatMap(({ componentType: component, resultComponentType, M: m, N: n, K: k }): SubgroupMatrix[] => {
    if (resultComponentType !== "f32" || !(component === "f32" || (component === "f16" && f16))) return [];
    return [{ component, m, n, k, lanes: subgroupMaxSize }];
  });
}

/** Those of halves rather than others: they are the fastest. Adapters list what they prefer first. */
const bestMatrix = (usable: readonly SubgroupMatrix[]): SubgroupMatrix | undefined =>
  usable.find(({ component }) => component === "f16") ?? usable[0];
