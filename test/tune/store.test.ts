// Where tuned choices are kept: the file of Node, and what is made of a store's answer.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { tuningFile } from "../../src/node/tuning-file.ts";
import { adapterKey, readSites } from "../../src/tune/store.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "fovea-tuning-"))));
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const SITES = { "matmul(M=1) 01": "register 1x4", "softmax() 02": "default" };

describe("the file", () => {
  it("keeps answers by adapter, in a folder that it makes", async () => {
    const path = join(folder, "new", "tuning.json");
    expect(await tuningFile(path).get("a")).toBeUndefined();
    await tuningFile(path).set("a", SITES);
    await tuningFile(path).set("b", {});
    await tuningFile(path).set("b", { x: "y" });
    expect(await tuningFile(path).get("a")).toEqual(SITES);
    expect(await tuningFile(path).get("b")).toEqual({ x: "y" });
    expect(await tuningFile(path).get("c")).toBeUndefined();
    expect(readdirSync(join(folder, "new"))).toEqual(["tuning.json"]);
  });

  it.each(["", "{", "[1]", "null", '"text"', "\u0000\u0001", '{"a": 1'])(
    "is as good as empty when it holds %j, and is written anew",
    async (content) => {
      const path = join(folder, "tuning.json");
      writeFileSync(path, content);
      expect(await tuningFile(path).get("a")).toBeUndefined();
      await tuningFile(path).set("a", SITES);
      expect(JSON.parse(readFileSync(path, "utf8"))).toEqual({ a: SITES });
    },
  );

  it("is whole at any moment, whoever writes", async () => {
    const path = join(folder, "tuning.json");
    const long = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`site ${i}`, "register 8x8"]));
    await tuningFile(path).set("a", long);
    let writing = true;
    const writers = Promise.all(Array.from({ length: 20 }, () => tuningFile(path).set("a", long))).then(() => (writing = false));
    for (let reads = 0; writing || reads < 5; reads++) expect(await tuningFile(path).get("a")).toEqual(long);
    await writers;
    expect(readdirSync(folder)).toEqual(["tuning.json"]);
  });

  it("that cannot be written says so, and leaves nothing beside it", async () => {
    writeFileSync(join(folder, "file"), "");
    await expect(tuningFile(join(folder, "file", "tuning.json")).set("a", SITES)).rejects.toThrow();
    await expect(tuningFile(folder).set("a", SITES)).rejects.toThrow();
    expect(readdirSync(folder)).toEqual(["file"]);
  });

  it.runIf(process.platform === "linux")("is in the user's cache folder where no other is named", async () => {
    vi.stubEnv("XDG_CACHE_HOME", folder);
    await tuningFile().set("a", SITES);
    expect(JSON.parse(readFileSync(join(folder, "fovea", "tuning.json"), "utf8"))).toEqual({ a: SITES });
  });
});

describe("a store's answer", () => {
  it("counts as far as it is names by site", () => {
    expect(readSites(SITES)).toEqual(SITES);
    expect(readSites({ ...SITES, a: 1, b: null, c: { choice: "d" }, e: ["f"] })).toEqual(SITES);
    for (const nothing of [undefined, null, 7, "text", [], true]) expect(readSites(nothing)).toEqual({});
  });
});

describe("an adapter's key", () => {
  const key = (info: object) => adapterKey({ adapterInfo: info } as unknown as GPUDevice);
  const info = { vendor: "nvidia", architecture: "ampere", device: "", description: "driver 1" };

  it("is there where the platform tells nothing", () => expect(adapterKey({} as GPUDevice)).toBe(key({})));

  it("tells adapters and drivers apart", () => {
    expect(key(info)).toBe(key({ ...info }));
    for (const other of [
      { vendor: "amd" },
      { architecture: "turing" },
      { device: "0x2204" },
      { description: "driver 2" },
      { driver: "3" },
      { backend: "d3d12" },
    ])
      expect(key({ ...info, ...other })).not.toBe(key(info));
  });
});
