// Whose the embedded models are. Names and licences are the same in every language; what is said about them is in the language files.
import type { SceneId } from "./session.ts";

export interface Credit {
  readonly name: string;
  readonly licence: string;
  /** Beside the page, with a README that says where the weights are from and how they were made. */
  readonly folder: string;
  readonly sources: readonly { readonly name: string; readonly url: string }[];
}

export const CREDITS: Readonly<Partial<Record<SceneId, Credit>>> = {
  translation: {
    name: "marian-en-fr-tatoeba",
    licence: "CC BY 2.0 FR",
    folder: "models/marian-en-fr-tatoeba/",
    sources: [
      { name: "Tatoeba", url: "https://tatoeba.org" },
      { name: "manythings.org/anki", url: "https://www.manythings.org/anki/" },
    ],
  },
  reactions: {
    name: "RXNMapper",
    licence: "MIT",
    folder: "models/rxnmapper-albert/",
    sources: [
      { name: "Schwaller et al., Science Advances 7 (2021) eabe4166", url: "https://doi.org/10.1126/sciadv.abe4166" },
      { name: "rxn4chemistry/rxnmapper", url: "https://github.com/rxn4chemistry/rxnmapper" },
    ],
  },
  stories: {
    name: "stories260K",
    licence: "MIT",
    folder: "models/stories260K/",
    sources: [{ name: "karpathy/llama2.c", url: "https://github.com/karpathy/llama2.c" }],
  },
};
