// A kernel's options as a table: the values each option takes, and which combinations there are. The compile tests walk the
// whole product.
import { instantiate, type Kernel, type KernelInstance } from "../../../shaders/kernel.ts";

export interface Axes<Options extends object> {
  readonly kernel: Kernel<Options>;
  readonly axes: { readonly [Name in keyof Options]-?: readonly Options[Name][] };
  /** Combinations that the lowering makes, or may make. Default: all. */
  readonly valid?: (options: Options) => boolean;
}

export interface KernelAxes {
  readonly name: string;
  /** Every valid combination, chosen. */
  instances(): KernelInstance[];
}

export function defineAxes<Options extends object>({ kernel, axes, valid = () => true }: Axes<Options>): KernelAxes {
  const names = Object.keys(axes) as (keyof Options)[];
  return {
    name: kernel.name,
    instances: () =>
      names
        .reduce<Partial<Options>[]>((sets, name) => sets.flatMap((set) => axes[name].map((value) => ({ ...set, [name]: value }))), [{}])
        .map((options) => options as Options)
        .filter(valid)
        .map((options) => instantiate(kernel, options)),
  };
}

export const FLAG = [false, true] as const;
export const WEIGHTS = ["f32", "f16", "bf16", "f16-native", "f8", "q8", "q4", "q5_0", "q5_1", "q4_k", "q5_k", "q6_k"] as const;
