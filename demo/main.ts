// The page: loads the embedded model, translates what is typed, and shows what every head looked at. The text of users and
// models only ever becomes text nodes.
import { type AttentionMaps, DeviceLostError, FoveaError, isSupported, loadModel, type Model, type Run } from "../src/index.ts";
import { drawColourBar, type Scale, SCALES } from "./colour.ts";
import { type Head, HeadGrid } from "./grid.ts";
import { Heatmap, type MapData } from "./heatmap.ts";
import { Lines } from "./lines.ts";
import { display } from "./tokens.ts";

type Kind = "cross" | "encoder" | "decoder";

const MODEL_FOLDER = "models/marian-en-fr-tatoeba/";
const EXAMPLES = [
  "I have never seen a black cat in this house.",
  "She was reading a book when the phone rang.",
  "Where is the train station?",
  "I don't know what you want to eat.",
];
/** Typing pauses this long before the translation follows. */
const PAUSE_MS = 250;

const KINDS: Readonly<Record<Kind, { readonly name: string; readonly start: Head; readonly about: string }>> = {
  cross: {
    name: "French → English",
    start: { layer: 0, head: 7 },
    about:
      "Each row is a French word, each column an English one. The stronger the colour: when the model had written this French word, the more this head looked at that English word. Layer 0, head 7 finds each word's source.",
  },
  encoder: {
    name: "English → English",
    start: { layer: 1, head: 0 },
    about: "How the words of your sentence look at each other while it is read.",
  },
  decoder: {
    name: "French → French",
    start: { layer: 1, head: 0 },
    about: "How each French word looks back at those already written; what comes later cannot be seen.",
  },
};

const $ = <T extends Element = HTMLElement>(id: string): T => document.getElementById(id) as unknown as T;
const heatmap = new Heatmap($<HTMLCanvasElement>("map"));
const grid = new HeadGrid($("grid"));
const lines = new Lines($<SVGSVGElement>("lines"));
const source = $<HTMLTextAreaElement>("source");

interface View {
  kind: Kind;
  readonly chosen: Record<Kind, Head>;
  scale: Scale;
}

const view: View = {
  kind: "cross",
  chosen: { cross: KINDS.cross.start, encoder: KINDS.encoder.start, decoder: KINDS.decoder.start },
  scale: "square root",
};
/** The forward pass whose maps are shown, and those read from it so far. */
let shown: { run: Run; maps: Map<string, Promise<MapData>>; next: readonly string[] } | undefined;
let translating: AbortController | undefined;

async function start(): Promise<void> {
  const support = await isSupported();
  if (!support.supported) return fail(support.reason);
  try {
    const progress = $<HTMLProgressElement>("progress");
    const model = await loadModel(new URL(MODEL_FOLDER, document.baseURI), {
      onProgress: ({ loaded, total }) => (progress.value = loaded / total),
    });
    $("status").hidden = true;
    mendLosses(model);
    controls(model);
    source.value = EXAMPLES[0]!;
    await translate(model);
  } catch (error) {
    fail(error instanceof FoveaError ? error.message : `Something went wrong: ${String(error)}`);
    throw error;
  }
}

/** A lost GPU takes the maps with it. The model finds another by itself; the sentence is run again for new maps. */
function mendLosses(model: Model): void {
  const { device } = model;
  void device.lost.then(async () => {
    await translate(model);
    if (model.device !== device) mendLosses(model);
  });
}

function fail(message: string): void {
  const status = $("status");
  status.hidden = false;
  status.classList.add("failed");
  $("progress").hidden = true;
  $("status-text").textContent = message;
}

function controls(model: Model): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  source.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void translate(model), PAUSE_MS);
  });
  for (const example of EXAMPLES) {
    $("examples").append(
      button(example, () => {
        source.value = example;
        void translate(model);
      }),
    );
  }
  for (const [kind, { name }] of Object.entries(KINDS)) {
    const tab = button(name, () => {
      view.kind = kind as Kind;
      redraw();
    });
    tab.setAttribute("role", "tab");
    tab.dataset["kind"] = kind;
    $("kinds").append(tab);
  }
  for (const scale of SCALES) {
    const choice = button(scale, () => {
      view.scale = scale;
      redraw();
    });
    choice.setAttribute("role", "radio");
    choice.dataset["scale"] = scale;
    $("scales").append(choice);
  }
  grid.onChoose = (head) => {
    view.chosen[view.kind] = head;
    redraw();
  };
  heatmap.onHover = (cell) => void readout(cell);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw());
  addEventListener("resize", () => redraw());
}

function button(text: string, action: () => void): HTMLButtonElement {
  const element = document.createElement("button");
  element.type = "button";
  element.textContent = text;
  element.addEventListener("click", action);
  return element;
}

/** Translates the text as it stands; a run for an older text is stopped. */
async function translate(model: Model): Promise<void> {
  translating?.abort();
  const controller = (translating = new AbortController());
  const { signal } = controller;
  const text = source.value.trim();
  const target = $("target");
  target.textContent = "";
  if (text === "") return;
  target.classList.add("busy");
  try {
    const ids: number[] = [];
    for await (const piece of model.stream(text, { signal })) {
      signal.throwIfAborted();
      ids.push(piece.id);
      target.append(piece.text);
    }
    const inputIds = [model.tokenizer!.encode(text).ids];
    const decoderStart = model.generationConfig["decoder_start_token_id"] as number;
    const run = await model.forward({ inputIds, decoderInputIds: [[decoderStart, ...ids.slice(0, -1)]] }, { capture: "all", signal });
    if (signal.aborted) return run.dispose();
    shown?.run.dispose();
    shown = { run, maps: new Map(), next: ids.map((id) => model.tokenizer!.token(id)) };
    $("attention").hidden = false;
    await show();
  } catch (error) {
    if (!signal.aborted) {
      target.textContent = error instanceof FoveaError ? error.message : `Something went wrong: ${String(error)}`;
      if (!(error instanceof FoveaError)) throw error;
    }
  } finally {
    if (translating === controller) target.classList.remove("busy");
  }
}

function redraw(): void {
  show().catch((error: unknown) => {
    // New maps are on their way then.
    if (!(error instanceof DeviceLostError)) throw error;
  });
}

/** Draws the view as chosen: first the large map, then the small ones as they are read. */
async function show(): Promise<void> {
  if (!shown) return;
  const from = shown;
  const { kind, scale } = view;
  const { layer, head } = view.chosen[kind];
  const maps = from.run.attentions[kind]!;
  for (const tab of $("kinds").children) tab.setAttribute("aria-selected", String((tab as HTMLElement).dataset["kind"] === kind));
  for (const choice of $("scales").children)
    choice.setAttribute("aria-checked", String((choice as HTMLElement).dataset["scale"] === scale));
  $("explanation").textContent = KINDS[kind].about;
  $("map-title").textContent = `Layer ${layer}, head ${head}`;
  $("grid-title").textContent = `All ${maps.layers * maps.heads} heads`;
  drawColourBar($<HTMLCanvasElement>("colour-bar"), $("colour-ticks"), scale);
  grid.reset(maps.layers, maps.heads);
  grid.choose({ layer, head });
  const current = () => shown === from && view.kind === kind && view.scale === scale;
  const chosen = await read(from, kind, maps, { layer, head });
  if (!current() || view.chosen[kind].layer !== layer || view.chosen[kind].head !== head) return;
  heatmap.draw(chosen, scale);
  $("map").setAttribute("aria-label", `Attention of layer ${layer}, head ${head}: ${chosen.queries.length} by ${chosen.keys.length} words`);
  lines.draw(chosen);
  await readout(undefined);
  for (let l = 0; l < maps.layers; l++) {
    for (let h = 0; h < maps.heads; h++) {
      const data = await read(from, kind, maps, { layer: l, head: h });
      if (!current()) return;
      grid.paint({ layer: l, head: h }, data, scale);
    }
  }
  $("grid").dataset["complete"] = kind;
}

function read(from: NonNullable<typeof shown>, kind: Kind, maps: AttentionMaps, { layer, head }: Head): Promise<MapData> {
  const key = `${kind} ${layer} ${head}`;
  let data = from.maps.get(key);
  if (!data) {
    data = maps.read({ layer, head }).then((weights) => ({ weights, queries: maps.queryTokens() ?? [], keys: maps.keyTokens() ?? [] }));
    from.maps.set(key, data);
  }
  return data;
}

/** The exact weight of a cell, in words. */
async function readout(cell: { row: number; column: number } | undefined): Promise<void> {
  const element = $("readout");
  lines.highlight(cell?.row);
  if (!cell || !shown) {
    element.textContent = "Point at a square to read its weight.";
    return;
  }
  const { kind } = view;
  const data = await read(shown, kind, shown.run.attentions[kind]!, view.chosen[kind]);
  const weight = data.weights[cell.row * data.keys.length + cell.column]!;
  const [query, key] = [display(data.queries[cell.row]!), display(data.keys[cell.column]!)];
  const next = kind === "encoder" ? "" : `, before writing “${display(shown.next[cell.row] ?? "")}”`;
  element.textContent = `“${query}” looks at “${key}” with weight ${weight.toFixed(4)}${next}`;
}

void start();
