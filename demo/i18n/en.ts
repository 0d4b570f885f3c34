// English. The shape of every language file.
import type { Kind } from "../maps/data.ts";

export const en = {
  name: "English",
  title: "fovea – see what a Transformer looks at",
  tagline: "Type a sentence. A Transformer in this page reads it, and every coloured square shows how much one word looked at another.",
  loading: (megabytes: string) => `Loading the model (${megabytes} MB, once)…`,
  scenes: {
    translation: {
      tab: "Translation",
      input: "English",
      output: "French",
      presets: {
        aligned: "Which English word each French word comes from",
        neighbours: "How neighbours look at each other",
        written: "What was just written",
      },
    },
  },
  kinds: {
    cross: "Output → input",
    encoder: "Input → input",
    decoder: "Output → output",
  } satisfies Record<Kind, string>,
  about: {
    cross:
      "Each row is a word that was written, each column a word that was read. The stronger the colour, the more this head looked at the column's word when it had written the row's.",
    encoder: "How the words of the input look at each other while it is read.",
    decoder: "How each word of the output looks back at those before it. What comes later cannot be seen.",
  } satisfies Record<Kind, string>,
  headName: (layer: number, head: number) => `Layer ${layer}, head ${head}`,
  allHeads: (count: number) => `All ${count} heads`,
  scales: { "square root": "square root", linear: "linear", logarithmic: "logarithmic" },
  scale: "Colour scale",
  point: "Point at a square to read its weight.",
  weight: (query: string, key: string, weight: string) => `“${query}” looks at “${key}” with weight ${weight}`,
  beforeWriting: (next: string) => `, before writing “${next}”`,
  lines: "Who looks where",
  linesHint: "Point at a word, or tap it to keep it. Lines go to the words that take 70 % of its attention; thicker is more.",
  honest: "Attention shows where a head read from. It is not by itself the reason for what the model wrote.",
  examples: "Examples",
};

export type Words = typeof en;
