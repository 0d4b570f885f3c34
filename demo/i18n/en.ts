// English. The shape of every language file.
import type { Kind } from "../maps/data.ts";
import type { Flaw } from "../reactions/smiles.ts";
import type { TroubleKind } from "../state/trouble.ts";

export const en = {
  name: "English",
  title: "fovea – see what a Transformer looks at",
  tagline: "Type a sentence. A Transformer in this page reads it, and every coloured square shows how much one word looked at another.",
  loading: (megabytes: string) => `Loading the model (${megabytes} MB, once)…`,
  opening: "Opening the model…",
  troubles: {
    webgpu: (_about: string) =>
      "This browser has no WebGPU, or no GPU that it lets the page use, and models run on it. Current versions of Chrome, Edge and Safari have it, on pages served over https.",
    memory: (_about: string) => "This GPU has not enough memory for it. A smaller model or a shorter text needs less.",
    pickle: (about: string) =>
      `The folder’s weights are only in ${about}, a format that runs code when it is read. The page reads model.safetensors: saving the model again with safetensors makes one.`,
    unsupported: (about: string) => `The model uses “${about}”, which fovea cannot run.`,
    missing: (about: string) =>
      `The file ${about} is missing. A folder from the Hugging Face Hub holds config.json, model.safetensors and tokenizer.json.`,
    tokenizer: (about: string) => `The folder has no ${about}: without it the page cannot tell the model’s words.`,
    file: (about: string) => `The file ${about} cannot be read: it is incomplete, damaged, or something else than its name says.`,
    config: (about: string) => `In config.json “${about}” is missing or makes no sense.`,
    long: (about: string) => `The text has ${about} tokens, more than the model can read. A shorter one will do.`,
    input: (_about: string) => "The model cannot take this text as it is.",
    lost: (_about: string) =>
      "The GPU was lost: its driver was reset, or it was taken away. Change the text to try again, or reload the page.",
    engine: (_about: string) => "The GPU refused what it was asked for. This is a mistake of fovea’s or of the browser’s, not yours.",
    unknown: (about: string) => `Something went wrong: ${about}`,
  } satisfies Record<TroubleKind, (about: string) => string>,
  troubleDetail: "What the engine says",
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
    reactions: {
      tab: "Reactions",
      input: "Reaction",
      notation: "SMILES: reactants >> product",
      output: "Atom map",
      presets: { maps: "The head that maps atoms" },
    },
    stories: { tab: "Stories", input: "Beginning", output: "Story", presets: {} },
    folder: { tab: "Your model", input: "Text", output: "Output", presets: {} },
  },
  kinds: {
    cross: (input: string, output: string) => `${output} → ${input}`,
    encoder: (input: string, _output: string) => `${input} → ${input}`,
    decoder: (_input: string, output: string) => `${output} → ${output}`,
  } satisfies Record<Kind, (input: string, output: string) => string>,
  about: {
    cross:
      "Each row is a word that was written, each column one that was read. The stronger a square’s colour, the more the row’s word looked at the column’s.",
    encoder:
      "Rows and columns are the words that were read. The stronger a square’s colour, the more the row’s word looked at the column’s.",
    decoder:
      "Rows and columns are the words of the text. The stronger a square’s colour, the more the row’s word looked back at the column’s; later words cannot be seen.",
  } satisfies Record<Kind, string>,
  headName: (layer: number, head: number) => `Layer ${layer}, head ${head}`,
  allHeads: (count: number) => `All ${count} heads`,
  headsHint: "A head is one of the model’s ways of looking. Each small map is one; choose any.",
  scales: { "square root": "square root", linear: "linear", logarithmic: "logarithmic" },
  scale: "Colours",
  point: { pointer: "Point at a square to read its weight.", touch: "Tap a square to read its weight." },
  example: (query: string, key: string, share: string) =>
    `For example, “${query}” looks at “${key}”: ${share} of its attention goes there.`,
  weight: (query: string, key: string, weight: string) => `“${query}” looks at “${key}” with weight ${weight}`,
  beforeWriting: (next: string) => `, before writing “${next}”`,
  lines: "Who looks where",
  linesHint: "Point at a word, or tap it to keep it. Lines go to the words that take 70 % of its attention; thicker is more.",
  honest: "Attention shows where a head read from. It is not by itself the reason for what the model wrote.",
  examples: "Examples",
  between: { from: "From", to: "To" },
  writing: {
    force: "Type it myself",
    beams: "Beams",
    temperature: (value: string) => `Temperature ${value}`,
    seed: "Seed",
    sequence: "Output",
  },
  candidates: {
    title: "What else could have been written",
    chosen: (text: string, share: string) => `“${text}” comes next here; the model gave it ${share}.`,
    filled: "What could stand in the gap",
    likeliest: (text: string, share: string) => `The model would fill in “${text}”, to which it gives ${share}.`,
  },
  beams: {
    title: "Beam search",
    finished: "Finished sentences, best first, with their scores",
    hint: "Each column is a step, each box a token of one of the beams, best on top. Choose a finished sentence above to see its own attention.",
    node: (text: string, score: string) => `“${text}”, score ${score}`,
  },
  switches: {
    off: "Switch this head off",
    on: "Switch this head on",
    reset: (count: number) => (count === 1 ? "Switch the other one on again" : `Switch all ${count} on again`),
    change: "Show what changed",
    before: "With all heads:",
    same: "The same with all heads:",
  },
  compare: {
    start: "Compare with another text",
    label: "The other text; its attention is subtracted",
    stop: "Stop comparing",
  },
  folder: {
    about:
      "Drop the folder of a model from the Hugging Face Hub onto this page: config.json, model.safetensors, tokenizer.json; or a .gguf file. It is read here, in your browser, and goes nowhere.",
    families:
      "These run: BERT, RoBERTa, DistilBERT, ALBERT, ELECTRA, MPNet, ModernBERT; GPT-2, OPT, BLOOM, GPT-NeoX, Llama, Mistral, Qwen, Gemma, Phi-3, OLMo 2, Granite, SmolLM 3, StarCoder 2, StableLM, Command R; T5, BART, mBART, Marian, M2M100, Pegasus, Blenderbot.",
    pick: "Choose a folder",
    drop: "Drop the folder to open it",
    hub: "Or a model of the Hugging Face Hub, by its name",
    ask: "Look it up",
    unknown: "The Hub has no model of this name that everybody may read.",
    noWeights: "This model has no weights in model.safetensors.",
    unreachable: "The Hub does not answer.",
    download: (megabytes: string) => `Download ${megabytes} MB and open it`,
    kept: "The files come from huggingface.co, which learns what you ask for, and are kept in this browser for the next time. What you type stays here.",
  },

  // Links and files.
  exports: {
    open: "Share or save",
    copyLink: "Copy link",
    copied: "Link copied.",
    copyThis: "Copy this link:",
    files: { png: "Picture (PNG)", svg: "Drawing (SVG)", json: "Numbers (JSON)", html: "Page (HTML)" },
    labels: {
      text: "Text",
      output: "Written",
      model: "Model",
      scale: "Colour scale",
      pinned: "Kept",
      again: "Open this view in fovea",
      values: "All weights as a table",
    },
  },

  // The page's frame.
  language: "Language",
  footer: {
    private: "Everything runs in this page; nothing you type leaves it.",
    models: "Models",
    about: {
      translation: "English to French, 7 million parameters, trained from scratch on sentence pairs of",
      reactions: "12 layers, 8 heads, trained without labels on reactions from patents; from",
      stories: "260 thousand parameters, trained on TinyStories; from",
    },
    source: "fovea is free software under the MIT licence. The source of this page is the folder demo/ of its repository.",
  },
  maps: {
    more: "More",
    range: "From zero to",
    ranges: { shared: "1, for all heads", row: "each row’s largest", map: "this map’s largest" },
    sharedTo: (end: string) => `${end}, for all heads`,
    /** Beside the colour bar. */
    rangeNote: { shared: "the same for all heads", row: "each row to its own largest", map: "to this map’s largest" },
    ofRow: (row: string) => `row “${row}”`,
    sinks: "Special tokens",
    sinkChoices: { show: "shown", clip: "clipped, hatched", hide: "hidden, rest renormalised" },
    unit: "Squares for",
    units: { token: "Tokens", word: "Words" },
    weighting: "Weights",
    weightings: { attention: "attention α", values: "α · ‖value‖" },
    average: "Means",
    meanOfLayer: (layer: number) => `Layer ${layer}, mean of its heads`,
    meanOfAll: "Mean of all heads",
    averages: { layer: (layer: number) => `mean of layer ${layer}`, all: "mean of all heads" },
    presets: "Worth seeing",
    layer: "Layer",
    head: "Head",
    zoomIn: "Zoom in",
    zoomOut: "Zoom out",
    zoomAll: "Show all",
    mapName: (head: string, rows: number, columns: number) => `${head}, map of ${rows} rows and ${columns} columns`,
    pointerHint: "Click keeps a row, Shift adds one. Drag a box or Ctrl + wheel to zoom.",
    touchHint: "Tap keeps a row. Pinch to zoom.",
    specialHint: "Grey labels are the model’s own marks, such as the end of the text.",
    keysHint: "Arrow keys move, Enter keeps the row, plus and minus zoom, Escape lets go.",
    difference: (query: string, key: string, difference: string) => `“${query}” at “${key}”: difference ${difference}`,
    valueWeight: (query: string, key: string, weight: string) => `“${query}” at “${key}”: α · ‖value‖ = ${weight}`,
    hiddenWeight: (weight: string) => ` (hidden; it has ${weight})`,
    rowLooks: (query: string, keys: string) => `“${query}” looks at ${keys}`,
    keyShare: (key: string, weight: string) => `“${key}” ${weight}`,
    hiddenMass: (share: string) => `; hidden tokens have ${share} of this row`,
    hiddenColumn: "At the right: what the hidden tokens had of each row.",
    table: "The numbers as a table",
    tableOf: (rows: number, all: number) => `${rows} of ${all} rows: those that are kept, or else the first.`,
    hidden: "hidden",
    read: "Looked at",
  },

  // The tabs, and reactions.
  sceneTabs: "Models",
  exampleNames: {
    translation: ["a black cat", "the phone rang", "the train station", "what you want"],
    stories: ["a little dog", "a big red box", "a bird"],
    reactions: ["Esterification", "Amide coupling", "Suzuki coupling", "Grignard addition", "Diels–Alder", "Paracetamol"],
  },
  reactions: {
    title: "Which atom becomes which",
    about:
      "Equal numbers are the same atom before and after the arrow. Thick bonds are made or broken; grey atoms do not reach the product.",
    how: "How it knows",
    learnt:
      "Nobody taught the model that: it only learnt to fill in hidden characters of reactions, and one head came to look from each atom to itself beyond the arrow. Chirality is read, and not drawn.",
    drawing: "The reaction, atom by atom. Left and right go through the atoms, up and down to the same atom beyond the arrow.",
    point: "Point at an atom, or tap it to keep it: circles grow where it looks.",
    confidence: (percent: string) => `Confidence ${percent}.`,
    confidenceMeans:
      "Confidence is how much of each atom’s attention went to its partner among those it could still be, multiplied over all atoms. Atoms that nothing tells apart lower it.",
    mappedBy: (head: string) => `Read from ${head}, the head that maps atoms.`,
    mappedByOther: (head: string) => `Read from ${head}, which does something else: see how the map falls apart.`,
    back: (head: string) => `Back to ${head}`,
    atom: {
      reactants: (element: string, number?: number) =>
        number === undefined ? `${element}, not in the product` : `${element} ${number}, before`,
      product: (element: string, number?: number) => (number === undefined ? `${element}, from nowhere` : `${element} ${number}, after`),
    },
    pair: (element: string, number: number, percent: string) =>
      `${element} ${number} is this atom on both sides, with ${percent} of the attention that was left to choose from.`,
    alone: {
      reactants: (element: string) => `This ${element} does not reach the product.`,
      product: (element: string) => `No ${element} is left among the reactants for this one.`,
    },
    flaws: {
      character: (at: string) => `“${at}” is no part of a reaction SMILES.`,
      atom: (at: string) => `“${at}” is no atom. A bracket holds one element with its hydrogens and charge, such as [NH4+].`,
      bond: (at: string) => `The bond “${at}” needs one atom on each side.`,
      ring: (at: string) =>
        `Ring ${at} is opened and not closed, or closed upon itself: its number must stand at two atoms of one molecule.`,
      parenthesis: (at: string) => `The parenthesis “${at}” has no other half, or stands before any atom.`,
      arrow: () => "A reaction has one arrow: reactants>>product, such as CCO.CC(=O)O>>CCOC(C)=O.",
      empty: () => "Atoms are needed on both sides of the arrow.",
      long: (at: string) => `${at} tokens are too many: the model reads up to 510.`,
    } satisfies Record<Flaw, (at: string) => string>,
  },
};

export type Words = typeof en;
