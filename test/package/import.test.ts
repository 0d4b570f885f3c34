// Importing does nothing: no global is touched, so the package can be imported where pages are rendered on a server.
import { describe, expect, it } from "vitest";

describe("importing", () => {
  it("leaves globals alone and needs no WebGPU", async () => {
    const before = Object.getOwnPropertyNames(globalThis).toSorted();
    const fovea = await import("../../src/index.ts");
    await import("../../src/nn.ts");
    expect(Object.getOwnPropertyNames(globalThis).toSorted()).toEqual(before);
    expect(await fovea.isSupported()).toMatchObject({ supported: false });
  });
});
