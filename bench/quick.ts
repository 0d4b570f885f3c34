// How long the embedded model takes to translate one sentence, warm: `npm run bench`. Prints the adapter, the median and
// spread, and what a step costs in dispatches and bytes. A bench, not a test: nothing fails by it.
import { fileURLToPath } from "node:url";
import { loadModel } from "../src/index.ts";
import { directory, openDevice } from "../src/node.ts";

const FOLDER = fileURLToPath(new URL("../demo/public/models/marian-en-fr-tatoeba", import.meta.url));
const SENTENCE = "I have never seen a black cat in this house.";
const ROUNDS = 9;

const device = await openDevice();
const start = performance.now();
const model = await loadModel(directory(FOLDER), { device });
const loaded = performance.now() - start;

async function time(options: Parameters<typeof model.generate>[1]): Promise<{ first: number; times: number[]; tokens: number }> {
  const times: number[] = [];
  let tokens = 0;
  for (let round = 0; round <= ROUNDS; round++) {
    const before = performance.now();
    const { ids } = await model.generate(SENTENCE, options);
    times.push(performance.now() - before);
    tokens = ids.length - 1;
  }
  return { first: times[0]!, times: times.slice(1).toSorted((a, b) => a - b), tokens };
}

const { description, vendor, architecture } = device.adapterInfo;
console.log(`adapter: ${description || `${vendor} ${architecture}`}`);
console.log(`load: ${loaded.toFixed(0)} ms`);
for (const [name, options] of [
  ["greedy", { numBeams: 1 }],
  ["beam 4", { numBeams: 4 }],
] as const) {
  const { first, times, tokens } = await time(options);
  const median = times[Math.floor(times.length / 2)]!;
  console.log(
    `${name}: median ${median.toFixed(0)} ms (${times[0]!.toFixed(0)}–${times.at(-1)!.toFixed(0)}), ${tokens} tokens, ${(median / tokens).toFixed(1)} ms a token; first run, with compiling, ${first.toFixed(0)} ms`,
  );
}
model.dispose();
device.destroy();
