// A file of any size is loaded with little host memory: measured on 600 MiB, from a generated stream, a file and a server.
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openCheckpoint } from "../../src/load/safetensors.ts";
import { type Source, toSource } from "../../src/load/source.ts";
import { streamTensors } from "../../src/load/stream.ts";
import { directory } from "../../src/node/directory.ts";
import { watchArrayBuffers } from "../support/array-buffers.ts";
import { safetensors } from "./files.ts";

const MIB = 1 << 20;
const DATA = 600 * MIB;
const HEAD = safetensors({ w: { dtype: "F32", shape: [DATA / 4], data_offsets: [0, DATA] } }, 0);
const SIZE = HEAD.length + DATA;

let folder: string;
let server: Server;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fovea-memory-"));
  // Sparse: it takes no room on the disk.
  const file = await open(join(folder, "model.safetensors"), "w");
  await file.write(HEAD, 0, HEAD.length, 0);
  await file.truncate(SIZE);
  await file.close();
  server = createServer((request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    const [start, end] = [Number(first), Number(last)];
    response.writeHead(206, { "content-length": end - start + 1, "content-range": `bytes ${start}-${end}/${SIZE}` });
    createReadStream(join(folder, "model.safetensors"), { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true });
});

/** One block, given out again and again: what grows then is the loader's doing, and not buffers of the source awaiting collection. */
const BLOCK = new Uint8Array(MIB);

const generated: Source = {
  open(_name, { offset = 0, length = SIZE } = {}) {
    let at = offset;
    const end = Math.min(SIZE, offset + length);
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= end) return controller.close();
        const part = at < HEAD.length ? HEAD.subarray(at, end) : BLOCK.subarray(0, end - at);
        at += part.length;
        controller.enqueue(part);
      },
    });
    return Promise.resolve({ size: SIZE, stream });
  },
};

test.each<[string, () => Source]>([
  ["a generated stream", () => generated],
  ["a file", () => directory(folder)],
  ["a server", () => toSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)],
])("600 MiB from %s take at most 64 MiB of ArrayBuffers", async (_, source) => {
  const { tensors } = await openCheckpoint(source());
  const memory = watchArrayBuffers();
  let bytes = 0;
  await streamTensors(source(), [...tensors.values()], {
    onChunk(_tensor, _offset, chunk) {
      bytes += chunk.length;
      memory.look();
    },
  });
  expect(bytes).toBe(DATA);
  expect(memory.most()).toBeLessThanOrEqual(64);
});
