// English → French with the embedded Marian.
import { sessionOf } from "./model.ts";
import type { Scene } from "./session.ts";

const FOLDER = "models/marian-en-fr-tatoeba/";

export const translation: Scene = {
  id: "translation",
  kinds: ["cross", "encoder", "decoder"],
  start: { cross: { layer: 0, head: 7 }, encoder: { layer: 1, head: 0 }, decoder: { layer: 1, head: 0 } },
  presets: [
    { kind: "cross", layer: 0, head: 7, name: "aligned" },
    { kind: "encoder", layer: 1, head: 0, name: "neighbours" },
    { kind: "decoder", layer: 1, head: 0, name: "written" },
  ],
  examples: [
    "I have never seen a black cat in this house.",
    "She was reading a book when the phone rang.",
    "Where is the train station?",
    "I don't know what you want to eat.",
  ],
  languages: { input: "en", output: "fr" },
  opening: true,
  bytes: 14_360_000,
  writes: true,
  async open(options) {
    return sessionOf(await options.load(options.locate(FOLDER), options), "sentencepiece");
  },
};
