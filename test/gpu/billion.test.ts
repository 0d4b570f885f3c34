// A Llama of 1.24 billion parameters is loaded within 64 MiB of ArrayBuffers, made up as it goes and over HTTP in parallel ranges, onto an
// adapter whose buffers have a gigabyte at most. (SwiftShader: Dawn's null backend gives out no more than 512 MiB.)
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ONE_BILLION, randomLlama } from "../../scripts/random-checkpoint.ts";
import { loadModel, type SourceInput } from "../../src/index.ts";
import { watchArrayBuffers } from "../support/array-buffers.ts";
import { openOwnDevice } from "../setup/gpu.ts";

const GIB = 1 << 30;
const checkpoint = randomLlama(ONE_BILLION);

let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => {
    const name = request.url!.slice(1);
    void (async () => {
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
      const offset = Number(first ?? 0);
      const opened = await checkpoint.open(name, { offset, length: last ? Number(last) - offset + 1 : undefined }).catch(() => undefined);
      if (!opened) return void response.writeHead(404).end();
      const { size, stream } = opened;
      const end = last ? Math.min(size, Number(last) + 1) : size;
      response.writeHead(first ? 206 : 200, {
        "content-length": end - offset,
        ...(first && { "content-range": `bytes ${offset}-${end - 1}/${size}` }),
      });
      for await (const chunk of stream) if (!response.write(chunk)) await new Promise((resolve) => response.once("drain", resolve));
      response.end();
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test.each<[string, () => SourceInput]>([
  ["made up as it goes", () => checkpoint],
  ["over HTTP", () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/`],
])("%s", async (_, source) => {
  expect(checkpoint.parameters).toBeGreaterThan(1e9);
  const device = await openOwnDevice();
  expect(device.limits.maxBufferSize).toBeLessThanOrEqual(GIB);
  try {
    const memory = watchArrayBuffers();
    let last = { loaded: 0, total: 0 };
    using model = await loadModel(source(), {
      device,
      onProgress(progress) {
        last = progress;
        memory.look();
      },
    });
    console.log(`ArrayBuffers grew by ${memory.most().toFixed(1)} MiB`);
    expect(last).toMatchObject({ loaded: 2 * checkpoint.parameters, total: 2 * checkpoint.parameters });
    expect(memory.most()).toBeLessThanOrEqual(64);
    expect(model.memory().weights).toBeGreaterThan(2 * checkpoint.parameters);
  } finally {
    device.destroy();
  }
});
