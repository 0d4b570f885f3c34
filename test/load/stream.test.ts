// streamTensors: the right bytes in chunks of the promised size, few requests, and faults that name the file.
import { describe, expect, test } from "vitest";
import { CheckpointError } from "../../src/errors.ts";
import type { TensorInfo } from "../../src/load/safetensors.ts";
import type { Source } from "../../src/load/source.ts";
import { type LoadProgress, streamTensors } from "../../src/load/stream.ts";
import { pattern, rejection, stepped } from "./files.ts";

const MIB = 1 << 20;
const tensor = (name: string, begin: number, end: number, file = "f"): TensorInfo => ({
  name,
  dtype: "U8",
  shape: [end - begin],
  file,
  begin,
  end,
});

/** Streams, checks the promises about chunks, and joins them. */
async function collect(source: Source, wanted: readonly TensorInfo[]): Promise<{ bytes: Map<string, Uint8Array>; order: string[] }> {
  const bytes = new Map(wanted.map((t) => [t.name, new Uint8Array(t.end - t.begin)]));
  const next = new Map(wanted.map((t) => [t.name, 0]));
  const order: string[] = [];
  await streamTensors(source, wanted, {
    onChunk({ name, begin, end }, offset, chunk) {
      expect(offset).toBe(next.get(name));
      expect(offset % 4).toBe(0);
      expect(chunk.length).toBeGreaterThan(0);
      expect(chunk.length).toBeLessThanOrEqual(4 * MIB);
      if (offset + chunk.length < end - begin) expect(chunk.length % 4).toBe(0);
      bytes.get(name)!.set(chunk, offset);
      next.set(name, offset + chunk.length);
      if (order.at(-1) !== name) order.push(name);
    },
  });
  for (const { name, begin, end } of wanted) expect(next.get(name)).toBe(end - begin);
  return { bytes, order };
}

describe("bytes", () => {
  const file = pattern(4096);
  const wanted = [tensor("c", 1000, 1001), tensor("a", 3, 40), tensor("empty", 40, 40), tensor("b", 40, 999), tensor("d", 2048, 4096)];

  test.each([1, 2, 3, 5, 7, 8, 9, 64, 1000, 4096])("in parts of %i bytes", async (step) => {
    const { bytes, order } = await collect(stepped(file, step), wanted);
    for (const { name, begin, end } of wanted) expect(bytes.get(name)).toEqual(file.slice(begin, end));
    expect(order).toEqual(["a", "b", "c", "d"]);
  });

  test("a tensor larger than a chunk, in one large part", async () => {
    const large = pattern(9 * MIB + 3);
    const { bytes } = await collect(stepped(large, large.length), [tensor("x", 1, large.length)]);
    expect(Buffer.compare(bytes.get("x")!, large.subarray(1))).toBe(0);
  });

  test("several files, each in its own order", async () => {
    const opened: string[] = [];
    const inner = stepped(file, 100);
    const source: Source = { open: (name, options) => (opened.push(name), inner.open(name, options)) };
    const { order } = await collect(source, [tensor("z", 0, 8, "two"), tensor("y", 8, 16, "one"), tensor("x", 0, 8, "one")]);
    expect(opened).toEqual(["one", "two"]);
    expect(order).toEqual(["x", "y", "z"]);
  });
});

describe("requests", () => {
  const file = new Uint8Array(8 * MIB);

  test("neighbours and small gaps are one request, an unneeded large part is left out", async () => {
    const source = stepped(file, MIB);
    await collect(source, [tensor("a", 0, 100), tensor("b", 100, 200), tensor("c", MIB, MIB + 4), tensor("d", 6 * MIB, 7 * MIB)]);
    expect(source.requests).toEqual([
      [0, MIB + 4],
      [6 * MIB, MIB],
    ]);
  });

  test("nothing wanted, or only tensors without elements, asks for nothing", async () => {
    const source = stepped(file, MIB);
    await collect(source, []);
    await collect(source, [tensor("empty", 5, 5)]);
    expect(source.requests).toEqual([]);
  });

  test("a stream that goes on too long is closed, not read to its end", async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(64)), cancel: () => void (cancelled = true) });
    await collect({ open: () => Promise.resolve({ size: Number.NaN, stream: endless }) }, [tensor("a", 0, 100)]);
    expect(cancelled).toBe(true);
  });
});

test("progress counts wanted bytes, up to all of them", async () => {
  const seen: LoadProgress[] = [];
  await streamTensors(stepped(new Uint8Array(1000), 64), [tensor("a", 0, 100), tensor("b", 500, 1000)], {
    onChunk: () => undefined,
    onProgress: (p) => void seen.push(p),
  });
  expect(seen.at(-1)).toEqual({ loaded: 600, total: 600, file: "f", fileLoaded: 600, fileTotal: 600 });
  expect(seen.map((p) => p.loaded)).toEqual(seen.map((p) => p.loaded).toSorted((a, b) => a - b));
});

test("the next part waits for onChunk", async () => {
  let busy = 0;
  await streamTensors(stepped(new Uint8Array(1000), 100), [tensor("a", 0, 1000)], {
    async onChunk() {
      expect(++busy).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 1));
      busy--;
    },
  });
});

describe("faults", () => {
  const ignore = { onChunk: () => undefined };

  test.each([0, 1, 50, 99])("a stream of only %i of 100 bytes is truncated", async (length) => {
    const error = await rejection(streamTensors(stepped(new Uint8Array(length), 8), [tensor("a", 0, 100)], ignore));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ file: "f", expected: 100, got: length, message: expect.stringContaining("truncated") });
  });

  test("a stream that ends in a gap is truncated too", async () => {
    expect(await rejection(streamTensors(stepped(new Uint8Array(20), 8), [tensor("a", 0, 8), tensor("b", 40, 48)], ignore))).toMatchObject({
      expected: 48,
      got: 20,
    });
  });

  test("a broken connection keeps its cause", async () => {
    const cause = new Error("reset");
    const stream = new ReadableStream<Uint8Array>({ pull: (c) => c.error(cause) });
    const error = await rejection(streamTensors({ open: () => Promise.resolve({ size: 8, stream }) }, [tensor("a", 0, 8)], ignore));
    expect(error).toBeInstanceOf(CheckpointError);
    expect(error).toMatchObject({ file: "f", cause });
  });

  test("an abort gives the signal's own reason and closes the stream", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(64)), cancel: () => void (cancelled = true) });
    const source: Source = { open: () => Promise.resolve({ size: Number.NaN, stream }) };
    const error = await rejection(
      streamTensors(source, [tensor("a", 0, 1 << 30)], {
        onChunk(_tensor, offset) {
          if (offset > 1000) abort.abort(reason);
        },
        signal: abort.signal,
      }),
    );
    expect(error).toBe(reason);
    expect(cancelled).toBe(true);
  });

  test("what onChunk throws comes out as it is, and the stream is closed", async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({ pull: (c) => c.enqueue(new Uint8Array(64)), cancel: () => void (cancelled = true) });
    const fault = new Error("device lost");
    const onChunk = () => {
      throw fault;
    };
    expect(
      await rejection(streamTensors({ open: () => Promise.resolve({ size: 1000, stream }) }, [tensor("a", 0, 1000)], { onChunk })),
    ).toBe(fault);
    expect(cancelled).toBe(true);
  });
});
