// Every option set of every kernel compiles on Dawn without a message and keeps to WebGPU's default limits; and no kernel is
// without its table.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { shaderCode } from "../../shaders/kernel.ts";
import { pipelineFor } from "../../src/gpu/pipelines.ts";
import { getNullDevice } from "../setup/gpu.ts";
import { allAxes } from "./axes/index.ts";

const SHADERS = new URL("../../shaders/", import.meta.url);
/** Option sets of one kernel: enough for all that matters, few enough to compile each time. */
const MOST = 620;

describe("kernel options", () => {
  it("have a table for every kernel", () => {
    const texts = readdirSync(SHADERS).map((file) => readFileSync(new URL(file, SHADERS), "utf8"));
    const kernels = texts.flatMap((text) => [...text.matchAll(/: Kernel(?:<\w+>)? = \{\s*name: "([^"]+)"/g)].map((match) => match[1]!));
    expect(kernels.length).toBeGreaterThan(20);
    expect(allAxes.map((axes) => axes.name).toSorted()).toEqual(kernels.toSorted());
  });

  it.each(allAxes.map((axes) => [axes.name, axes] as const))("of %s compile on Dawn", async (_, axes) => {
    const device = await getNullDevice();
    const instances = axes.instances();
    expect(instances.length).toBeGreaterThan(0);
    expect(instances.length).toBeLessThan(MOST);
    for (const instance of instances) {
      const bindings = instance.kernel.bindings(instance.options);
      expect(bindings.length, `${instance.key}: storage buffers`).toBeLessThanOrEqual(8);
      expect(instance.kernel.workgroupSize(instance.options), `${instance.key}: threads`).toBeLessThanOrEqual(256);
    }
    await Promise.all(
      instances.map(async (instance) => {
        await pipelineFor(device, instance);
        const { messages } = await device.createShaderModule({ code: shaderCode(instance) }).getCompilationInfo();
        expect(
          messages.map((m) => `${instance.key}:${m.lineNum}: ${m.message}`),
          instance.key,
        ).toEqual([]);
      }),
    );
  });
});
