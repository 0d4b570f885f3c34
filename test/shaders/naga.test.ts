// Every option set of every kernel compiles under naga too, the second WGSL compiler: Firefox's and Deno's.
import { expect, it } from "vitest";
import type { KernelInstance } from "../../shaders/kernel.ts";
import { compileWithNaga } from "../support/naga-compile.ts";
import { allAxes } from "./axes/index.ts";

const SUBGROUP_MATRIX = "chromium-experimental-subgroup-matrix";

it("all kernels compile under naga", () => {
  // An experiment of Chrome's: naga has no subgroup matrices, and no adapter under it offers them.
  const known = ({ kernel, options }: KernelInstance) => !kernel.features?.(options).includes(SUBGROUP_MATRIX);
  const { errors } = compileWithNaga(allAxes.flatMap((axes) => axes.instances().filter(known)));
  expect(errors.map(({ key, message }) => `${key}: ${message}`).slice(0, 5)).toEqual([]);
});
