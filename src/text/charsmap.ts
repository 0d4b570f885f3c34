// SentencePiece's precompiled normalisation (nmt_nfkc and its kin): a table from byte sequences to their replacements, found by the longest
// prefix in a double-array trie. Layout of the blob: u32 size of the trie in bytes, the trie's u32 units (Darts-clone), the
// replacements as UTF-8, each ended by a zero. Source: google/sentencepiece, src/normalizer.cc; s-yata/darts-clone, darts.h.
import { CheckpointError } from "../errors.ts";

/** A unit of the trie: whether it has a value, the value, the label it is reached by, where its children are. */
const hasLeaf = (unit: number): boolean => ((unit >>> 8) & 1) === 1;
const valueOf = (unit: number): number => unit & 0x7fffffff;
const labelOf = (unit: number): number => (unit & 0x800000ff) >>> 0;
const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

/** The replacing function of a blob. Bytes without a replacement stay; broken UTF-8 cannot occur in JavaScript's strings. */
export function precompiledNormalizer(blob: Uint8Array): (text: string) => string {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const trieBytes = blob.length >= 4 ? view.getUint32(0, true) : 0;
  if (trieBytes === 0 || trieBytes % 4 !== 0 || 4 + trieBytes > blob.length)
    throw new CheckpointError("precompiled_charsmap: its trie does not fit into it", {
      file: "precompiled_charsmap",
      expected: `at most ${blob.length - 4} bytes`,
      got: trieBytes,
    });
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const replacements = blob.subarray(4 + trieBytes);
  const [encoder, decoder] = [new TextEncoder(), new TextDecoder("utf-8", { ignoreBOM: true })];

  /** The longest sequence from `at` on that has a replacement: its length, and where that stands. */
  const longest = (bytes: Uint8Array, at: number): { length: number; value: number } | undefined => {
    let found: { length: number; value: number } | undefined;
    let node = offsetOf(units[0]!);
    for (let i = at; i < bytes.length; i++) {
      node ^= bytes[i]!;
      const unit = units[node];
      if (unit === undefined || labelOf(unit) !== bytes[i]) break;
      node ^= offsetOf(unit);
      if (hasLeaf(unit)) found = { length: i + 1 - at, value: valueOf(units[node] ?? 0) };
    }
    return found;
  };

  return (text) => {
    const bytes = encoder.encode(text);
    const out: number[] = [];
    for (let at = 0; at < bytes.length;) {
      const found = longest(bytes, at);
      if (found) {
        for (let i = found.value; i < replacements.length && replacements[i] !== 0; i++) out.push(replacements[i]!);
        at += found.length;
      } else {
        // A whole character, so that no later lookup begins inside one.
        do out.push(bytes[at++]!);
        while (at < bytes.length && (bytes[at]! & 0xc0) === 0x80);
      }
    }
    return decoder.decode(Uint8Array.from(out));
  };
}
