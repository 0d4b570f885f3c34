// Whether a device multiplies subgroup matrices in a way that we can use: an experiment of Chrome's, behind a flag, whose WGSL
// changes from version to version. What an adapter says is not enough: the kernel is compiled, and where that fails there is none.
import { instantiate } from "../../shaders/kernel.ts";
import { fitsSubgroupMatrix, matmulSubgroupMatrixKernel, type SubgroupMatrix } from "../../shaders/matmul-subgroup-matrix.ts";
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
  const matrix = bestMatrix(info, device.features.has("shader-f16"));
  if (!matrix) return;
  const weight = matrix.component === "f16" ? "f16-native" : "f32";
  try {
    await pipelineFor(
      device,
      instantiate(matmulSubgroupMatrixKernel, { weight, vector: true, bias: false, activation: "none", residual: false, ...matrix }),
    );
  } catch (error) {
    if (error instanceof ShaderError) return;
    throw error;
  }
  noteSubgroupMatrix(device, matrix);
}

/** Of the matrices that sum as f32, those of halves rather than others: they are the fastest. Adapters list what they prefer first. */
function bestMatrix({ subgroupMatrixConfigs = [], subgroupMaxSize = 0 }: Info, f16: boolean): SubgroupMatrix | undefined {
  const usable = subgroupMatrixConfigs.flatMap(({ componentType: component, resultComponentType, M: m, N: n, K: k }): SubgroupMatrix[] => {
    if (resultComponentType !== "f32" || !(component === "f32" || (component === "f16" && f16))) return [];
    const matrix: SubgroupMatrix = { component, m, n, k, lanes: subgroupMaxSize };
    return fitsSubgroupMatrix(matrix) ? [matrix] : [];
  });
  return usable.find(({ component }) => component === "f16") ?? usable[0];
}
