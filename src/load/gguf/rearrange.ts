// What llama.cpp's conversion did to a tensor, undone while its bytes go by: rows of heads in another order, norms with one
// added. (convert_hf_to_gguf.py: LlamaModel.permute, GemmaModel.modify_tensors)

/** Takes the bytes of a tensor in order, at their offset in it. */
export type Sink = (offset: number, bytes: Uint8Array) => void | Promise<void>;
export type Rearrange = (sink: Sink) => Sink;

/** Chunks are multiples of so many bytes, but for the last. */
const UNIT = 8;

/**
 * Llama's query and key rows: llama.cpp turns neighbours, Hugging Face a head's first half against its second. Row 2j + s of each
 * head becomes row s · half + j.
 * @param total bytes of the tensor
 */
export function headsFromPairs(headRows: number, rowBytes: number, total: number): Rearrange {
  // Several heads at a time where one alone would not be whole units.
  let heads = 1;
  while ((heads * headRows * rowBytes) % UNIT !== 0) heads *= 2;
  const half = headRows / 2;
  return (sink) =>
    inGroups({ size: heads * headRows * rowBytes, total }, (offset, bytes) => {
      const out = new Uint8Array(bytes.length);
      for (let row = 0; row * rowBytes < bytes.length; row++) {
        const within = row % headRows;
        const to = row - within + (within % 2) * half + Math.floor(within / 2);
        out.set(bytes.subarray(row * rowBytes, (row + 1) * rowBytes), to * rowBytes);
      }
      return sink(offset, out);
    });
}

/** Adds a number to each f32. */
export const shifted =
  (by: number): Rearrange =>
  (sink) =>
  (offset, bytes) => {
    const out = bytes.slice();
    const view = new DataView(out.buffer);
    for (let at = 0; at < out.length; at += 4) view.setFloat32(at, view.getFloat32(at, true) + by, true);
    return sink(offset, out);
  };

/** Hands on groups of `size` bytes, and at the end of the `total` what is left. */
export function inGroups({ size, total }: { size: number; total: number }, sink: Sink): Sink {
  let held: Uint8Array[] = [];
  let length = 0;
  let start = 0;
  return async (_offset, bytes) => {
    held.push(bytes);
    length += bytes.length;
    const whole = start + length === total ? length : length - (length % size);
    if (whole === 0) {
      // The chunk may be a view of something that is used again.
      held[held.length - 1] = bytes.slice();
      return;
    }
    const all = joined(held, length);
    held = whole < length ? [all.slice(whole)] : [];
    length -= whole;
    await sink(start, all.subarray(0, whole));
    start += whole;
  };
}

function joined(parts: readonly Uint8Array[], length: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
