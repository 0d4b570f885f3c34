// Every option set of every kernel compiles under naga too, the second WGSL compiler: Firefox's and Deno's.
import { expect, it } from "vitest";
import { compileWithNaga } from "../support/naga-compile.ts";
import { allAxes } from "./axes/index.ts";

it("all kernels compile under naga", () => {
  const { errors } = compileWithNaga(allAxes.flatMap((axes) => axes.instances()));
  expect(errors.map(({ key, message }) => `${key}: ${message}`).slice(0, 5)).toEqual([]);
});
