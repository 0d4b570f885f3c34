// English → French with the embedded Marian: the text is translated, or a given target is read, and one forward pass over
// both leaves every map.
import { loadModel, type Model } from "../../src/index.ts";
import type { Token } from "../maps/data.ts";
import { tokensOf } from "../maps/tokens.ts";
import { likeliest, liveShown, logitRows } from "./live.ts";
import type { RunRequest, Scene, Session, Shown } from "./session.ts";

const FOLDER = "models/marian-en-fr-tatoeba/";
const CANDIDATES = 5;

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
  bytes: 14_360_000,
  writes: true,
  async open(options) {
    const model = await loadModel(new URL(FOLDER, document.baseURI), options);
    return { run: (request) => translate(model, request), lost: () => model.device.lost, dispose: () => model.dispose() } satisfies Session;
  },
};

async function translate(model: Model, { text, target, signal }: RunRequest): Promise<Shown> {
  const tokenizer = model.tokenizer!;
  const start = model.generationConfig["decoder_start_token_id"] as number;
  const source = tokenizer.encode(text).ids;
  const written = target === undefined ? (await model.generate(text, { signal })).ids.slice(1) : tokenizer.encode(target).ids;
  const decoderIds = [start, ...written.slice(0, -1)];
  const run = await model.forward({ inputIds: [source], decoderInputIds: [decoderIds] }, { capture: "all", signal });
  try {
    const rows = await logitRows(run);
    signal.throwIfAborted();
    const label = (ids: readonly number[]): Token[] =>
      tokensOf(
        ids.map((id) => tokenizer.token(id)),
        "sentencepiece",
        (i) => tokenizer.isSpecial(ids[i]!),
      );
    const texts = label(written);
    return liveShown({
      attentions: run.attentions,
      input: text,
      output: tokenizer.decode(written),
      steps: rows.map((logits, i) => {
        const { probability, candidates } = likeliest(logits, written[i]!, CANDIDATES);
        return {
          text: texts[i]!.text,
          probability,
          candidates: candidates.map(({ id, probability }) => ({ text: label([id])[0]!.text, probability })),
        };
      }),
      source: label(source),
      target: label(decoderIds),
      dispose: () => run.dispose(),
    });
  } catch (error) {
    run.dispose();
    throw error;
  }
}
