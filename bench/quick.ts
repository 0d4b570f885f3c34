// How long the embedded model takes to translate one sentence, warm: `npm run bench:quick`. Prints the adapter, the median and
// spread, and the milliseconds of a token. With `-- --tune` a tuned model takes turns with the default one. A bench, not a test:
// nothing fails by it.
import { fileURLToPath } from "node:url";
import { loadModel, type Model, type LoadOptions } from "../src/index.ts";
import { directory, openDevice } from "../src/node.ts";

const FOLDER = fileURLToPath(new URL("../demo/public/models/marian-en-fr-tatoeba", import.meta.url));
const SENTENCE = "I have never seen a black cat in this house.";
const ROUNDS = 9;

const device = await openDevice();
const { description, vendor, architecture } = device.adapterInfo;
console.log(`adapter: ${description || `${vendor} ${architecture}`}`);

async function load(options: LoadOptions = {}): Promise<Model> {
  const start = performance.now();
  const model = await loadModel(directory(FOLDER), { device, ...options });
  console.log(`load: ${(performance.now() - start).toFixed(0)} ms`);
  return model;
}

interface Runner {
  readonly name: string;
  readonly model: Model;
}

/** Rounds in which all take turns. */
async function time(runners: readonly Runner[], options: Parameters<Model["generate"]>[1]): Promise<void> {
  const results = runners.map((runner) => ({ ...runner, first: 0, times: [] as number[], tokens: 0 }));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const result of results) {
      const before = performance.now();
      const { ids } = await result.model.generate(SENTENCE, options);
      const took = performance.now() - before;
      if (round === 0) result.first = took;
      else result.times.push(took);
      result.tokens = ids.length - 1;
    }
  }
  for (const { name, first, times, tokens } of results) {
    const sorted = times.toSorted((a, b) => a - b);
    const median = sorted[ROUNDS >> 1]!;
    console.log(
      `${name}: median ${median.toFixed(0)} ms (${sorted[0]!.toFixed(0)}–${sorted.at(-1)!.toFixed(0)}), ${tokens} tokens, ${(median / tokens).toFixed(1)} ms a token; first run, with compiling, ${first.toFixed(0)} ms`,
    );
  }
}

const model = await load();
const tuned = process.argv.includes("--tune") ? await load({ tune: true }) : undefined;
for (const [name, options] of [
  ["greedy", { numBeams: 1 }],
  ["beam 4", { numBeams: 4 }],
] as const)
  await time([{ name, model }, ...(tuned ? [{ name: `${name}, tuned`, model: tuned }] : [])], options);
model.dispose();
tuned?.dispose();
device.destroy();
