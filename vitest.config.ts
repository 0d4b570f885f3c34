import { defineConfig } from "vitest/config";

// Three projects: what needs no GPU, what runs on Dawn (a software adapter where there is no GPU), and the built demo in a
// real Chromium. Files run one after another where they share a device or a browser: two cores gain nothing from more. Projects whose numbers of workers differ run in turn (groupOrder).
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{bench,demo,load,schedule,tune,reference,generate,package,support}/**/*.test.ts"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "gpu",
          include: ["test/{ops,nn,models,shaders,gpu}/**/*.test.ts"],
          setupFiles: ["test/setup/gpu.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          pool: "forks",
          isolate: false,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
