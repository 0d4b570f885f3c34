// Runs a scene's first example and keeps all of it, to come with the page.
import type { Kind } from "../maps/data.ts";
import type { OpenOptions, Scene } from "../sessions/session.ts";
import type { Opening } from "./format.ts";

/** Decimals of probabilities: more than are shown. */
const DECIMALS = 5;
const round = (x: number): number => Number(x.toFixed(DECIMALS));

export async function recordOpening(scene: Scene, options: OpenOptions, { temperature = 0, seed = 1 } = {}): Promise<Opening> {
  const session = await scene.open(options);
  try {
    const shown = await session.run({
      text: scene.examples[0]!,
      off: [],
      beams: 1,
      temperature,
      seed,
      signal: options.signal,
      onGrowth: () => undefined,
    });
    const maps = new Map<string, Float32Array>();
    const key = (kind: Kind, layer: number, head: number) => `${kind} ${layer} ${head}`;
    const kinds = shown.kinds.map((kind) => {
      const { layers, heads, queries, keys } = shown.axes(kind);
      return { kind, layers, heads, queries, keys };
    });
    for (const { kind, layers, heads } of kinds)
      for (let layer = 0; layer < layers; layer++)
        for (let head = 0; head < heads; head++) maps.set(key(kind, layer, head), await shown.read(kind, { layer, head }));
    shown.dispose();
    return {
      input: shown.input,
      output: shown.output,
      steps: shown.steps.map(({ text, probability, candidates }) => ({
        text,
        probability: probability === undefined ? undefined : round(probability),
        candidates: candidates?.map((c) => ({ text: c.text, probability: round(c.probability) })),
      })),
      temperature,
      seed,
      kinds,
      map: (kind, { layer, head }) => maps.get(key(kind, layer, head))!,
    };
  } finally {
    session.dispose();
  }
}
