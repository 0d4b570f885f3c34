// What comes with the page is what the engine computes: run `npm run openings` when this fails because a scene has changed.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { decodeOpening } from "../../demo/openings/format.ts";
import { recordOpening } from "../../demo/openings/record.ts";
import { mapAtoms, MAPPING_HEAD } from "../../demo/reactions/atom-map.ts";
import { parseReaction } from "../../demo/reactions/smiles.ts";
import { scenes } from "../../demo/sessions/scenes.ts";
import type { OpenOptions } from "../../demo/sessions/session.ts";
import { loadModel } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModelGolden } from "../support/conformance.ts";

const PUBLIC = fileURLToPath(new URL("../../demo/public/", import.meta.url));
/** A map's u16 parts, and what adapters differ by. */
const TOLERANCE = 5e-5;
/** Of the probabilities, which have five decimals. */
const DIGITS = 3;
const GZIPPED = { translation: 60_000, reactions: 400_000, stories: 400_000, folder: 0 } as const;

const options = (): OpenOptions => ({
  load: async (source, { onProgress, signal }) => loadModel(source, { onProgress, signal, device: await getDevice() }),
  locate: (folder) => directory(PUBLIC + folder),
  onProgress: () => undefined,
  signal: new AbortController().signal,
});

describe.each(scenes.filter(({ opening }) => opening).map((scene) => [scene.id, scene] as const))("the opening of %s", (id, scene) => {
  const file = readFileSync(`${PUBLIC}openings/${id}.bin`);
  const stored = decodeOpening(Uint8Array.from(file).buffer);

  it("is small", () => expect(gzipSync(file).length).toBeLessThan(GZIPPED[id]));

  it("is what the engine computes", async () => {
    const fresh = await recordOpening(scene, options());
    expect(stored.input).toBe(scene.examples[0]);
    expect(stored.output).toBe(fresh.output);
    expect(stored.kinds).toEqual(fresh.kinds);
    expect(stored.steps.map(({ text }) => text)).toEqual(fresh.steps.map(({ text }) => text));
    stored.steps.forEach((step, i) => {
      const other = fresh.steps[i]!;
      expect(step.probability ?? 0).toBeCloseTo(other.probability ?? 0, DIGITS);
      expect(step.candidates?.[0]?.text).toBe(other.candidates?.[0]?.text);
    });
    for (const { kind, layers, heads } of stored.kinds) {
      for (let layer = 0; layer < layers; layer++) {
        for (let head = 0; head < heads; head++) {
          const [a, b] = [stored.map(kind, { layer, head }), fresh.map(kind, { layer, head })];
          expect(a.length).toBe(b.length);
          const worst = a.reduce((n, x, i) => Math.max(n, Math.abs(x - b[i]!)), 0);
          expect(worst, `${kind} ${layer} ${head}`).toBeLessThan(TOLERANCE);
        }
      }
    }
  });
});

it("maps the golden reactions as RXNMapper does, through the scene's session", async () => {
  const scene = scenes.find(({ id }) => id === "reactions")!;
  const opened = options();
  const session = await scene.open(opened);
  for (const { reaction, atom_map: gold } of readModelGolden("rxnmapper-albert").cases) {
    const shown = await session.run({
      text: ` ${reaction} name`,
      off: [],
      beams: 1,
      temperature: 0,
      seed: 1,
      signal: opened.signal,
      onGrowth: () => undefined,
    });
    const map = mapAtoms(await shown.read("encoder", MAPPING_HEAD), shown.axes("encoder").keys.length, parseReaction(shown.input));
    expect(map.productToReactant).toEqual(gold.product_to_reactant);
    expect(Math.abs(map.confidence - gold.confidence), reaction).toBeLessThan(2e-5);
    shown.dispose();
  }
  session.dispose();
});
