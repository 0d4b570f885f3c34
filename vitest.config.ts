import { defineConfig } from "vitest/config";
import { findLavapipe } from "./test/deno/lavapipe.ts";
import { denoPool } from "./test/deno/pool.ts";

const lavapipe = findLavapipe();
const minutes = (count: number) => ({ testTimeout: count * 60_000, hookTimeout: count * 60_000 });

// Four projects: what needs no GPU; what runs on Dawn (a software adapter where there is no GPU); much of that once more in Deno,
// on lavapipe, which has shader-f16; and the built demo in a real Chromium. Files run one after another where they share a
// device or a browser: two cores gain nothing from more. Projects with workers of different number run in turn (groupOrder).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{bench,demo,load,text,schedule,tune,reference,generate,package,support,worker}/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "gpu",
          include: ["test/{ops,nn,models,shaders,gpu,tasks}/**/*.test.ts"],
          setupFiles: ["test/setup/gpu.ts"],
          ...minutes(2),
          pool: "forks",
          isolate: false,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "deno",
          ...(lavapipe
            ? {
                // Every kernel, whole models, and what the engine makes of errors and lost devices.
                include: [
                  "test/deno/lane.test.ts",
                  "test/ops/!(subgroup-matrix).test.ts",
                  "test/nn/**/*.test.ts",
                  "test/models/{awkward,conformance,half,kv,shards,trained}.test.ts",
                  "test/gpu/{errors,faults,lost,tune}.test.ts",
                ],
                setupFiles: ["test/setup/gpu.ts"],
                pool: denoPool(lavapipe),
              }
            : { include: ["test/deno/absent.test.ts"] }),
          ...minutes(2),
          isolate: false,
          // Its time goes into compiling shaders, on one core each.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          ...minutes(3),
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
});
