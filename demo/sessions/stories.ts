// Children's stories with the embedded Llama of 260,032 parameters.
import { sessionOf } from "./model.ts";
import type { Scene } from "./session.ts";

const FOLDER = "models/stories260K/";

export const stories: Scene = {
  id: "stories",
  kinds: ["decoder"],
  start: { decoder: { layer: 0, head: 0 } },
  presets: [],
  examples: ["Once upon a time, there was a little dog named", "Lily and Tom found a big red box.", "One day, a bird saw the"],
  languages: { input: "en", output: "en" },
  opening: true,
  bytes: 1_060_000,
  writes: true,
  async open(options) {
    return sessionOf(await options.load(options.locate(FOLDER), options), "sentencepiece");
  },
};
