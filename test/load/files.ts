// Checkpoint files for the loading tests, right and wrong ones: written byte by byte, without src/load.
import { readFileSync } from "node:fs";
import type { Source } from "../../src/load/source.ts";

export interface Entry {
  readonly dtype: unknown;
  readonly shape: unknown;
  readonly data_offsets: unknown;
}

/** A safetensors file with this header (an object, or text where JSON.stringify would repair it) over these data bytes. */
export function safetensors(header: Readonly<Record<string, unknown>> | string, data: Uint8Array | number): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + text.length + bytes.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(bytes, 8 + text.length);
  return file;
}

/** An F32 tensor over the bytes [begin, end) of the data. */
export const f32 = (begin: number, end: number): Entry => ({ dtype: "F32", shape: [(end - begin) / 4], data_offsets: [begin, end] });

/** Bytes in which every position can be told from its neighbours. */
export const pattern = (length: number, from = 0): Uint8Array<ArrayBuffer> =>
  Uint8Array.from({ length }, (_, i) => ((from + i) * 31 + ((from + i) >> 8)) & 0xff);

export const json = (value: unknown): Uint8Array<ArrayBuffer> => new TextEncoder().encode(JSON.stringify(value));

/** A source whose streams come in parts of `step` bytes and whose requests are kept. */
export function stepped(
  bytes: Uint8Array,
  step: number,
): Source & { readonly requests: (readonly [offset: number, length: number | undefined])[] } {
  const requests: (readonly [number, number | undefined])[] = [];
  return {
    requests,
    open(_name, { offset = 0, length } = {}) {
      requests.push([offset, length]);
      const end = Math.min(bytes.length, offset + (length ?? bytes.length));
      let at = offset;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (at >= end) return controller.close();
          controller.enqueue(bytes.slice(at, Math.min(end, at + step)));
          at += step;
        },
      });
      return Promise.resolve({ size: bytes.length, stream });
    },
  };
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error("expected a rejection");
}

export const MODELS = ["marian-en-fr-tatoeba", "rxnmapper-albert", "stories260K"] as const;

/** The folder of an embedded model. */
export const modelFolder = (name: (typeof MODELS)[number]): string => new URL(`../../demo/public/models/${name}`, import.meta.url).pathname;

export function golden(name: (typeof MODELS)[number]): unknown {
  return JSON.parse(readFileSync(new URL(`../fixtures/models/${name}.golden.json`, import.meta.url), "utf8"));
}
