// One run as a file: u32 length of the header, the header as JSON padded to an even end, then every map, row-major, as u16 parts of
// 65535 (what is at most 1 keeps the four decimals that the page shows; f16 would not), all little-endian, in the order of the
// header's kinds, then layers, then heads.
import type { Axes, Head, Kind } from "../maps/data.ts";
import type { Step } from "../sessions/session.ts";

export interface OpeningHeader {
  readonly input: string;
  readonly output: string;
  readonly steps: readonly Step[];
  /** What was asked for beside the text. */
  readonly temperature: number;
  readonly seed: number;
  readonly kinds: readonly (Axes & { readonly kind: Kind })[];
}

export interface Opening extends OpeningHeader {
  readonly map: (kind: Kind, head: Head) => Float32Array;
}

const ONE = 65_535;
const align = (bytes: number): number => bytes + (bytes % 2);

export function encodeOpening({ map, ...header }: Opening): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const start = align(4 + json.length);
  const cells = header.kinds.reduce((n, axes) => n + axes.layers * axes.heads * cellsOf(axes), 0);
  const bytes = new Uint8Array(start + 2 * cells).fill(0x20);
  const data = new DataView(bytes.buffer);
  data.setUint32(0, start - 4, true);
  bytes.set(json, 4);
  let at = start;
  for (const { kind, layers, heads } of header.kinds) {
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head < heads; head++) {
        for (const weight of map(kind, { layer, head })) {
          data.setUint16(at, Math.round(ONE * weight), true);
          at += 2;
        }
      }
    }
  }
  return bytes;
}

export function decodeOpening(buffer: ArrayBuffer): Opening {
  const data = new DataView(buffer);
  const start = 4 + data.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, start - 4))) as OpeningHeader;
  return {
    ...header,
    map(kind, { layer, head }) {
      let at = start;
      for (const axes of header.kinds) {
        const cells = cellsOf(axes);
        if (axes.kind === kind) {
          at += 2 * cells * (layer * axes.heads + head);
          return Float32Array.from({ length: cells }, (_, i) => data.getUint16(at + 2 * i, true) / ONE);
        }
        at += 2 * cells * axes.layers * axes.heads;
      }
      throw new RangeError(`This opening has no maps of kind "${kind}"`);
    },
  };
}

const cellsOf = ({ queries, keys }: Axes): number => queries.length * keys.length;
