// The mean of several heads' maps. Heads need not agree on anything, so a mean is a choice, never the start.

/** @param maps one after another, all of one size */
export async function mean(maps: AsyncIterable<Float32Array> | Iterable<Float32Array>): Promise<Float32Array> {
  let total: Float32Array | undefined;
  let count = 0;
  for await (const map of maps) {
    total ??= new Float32Array(map.length);
    for (let i = 0; i < map.length; i++) total[i]! += map[i]!;
    count++;
  }
  return (total ?? new Float32Array(0)).map((sum) => sum / count);
}
