// Models that only read: one forward pass. A masked language model also says what it would fill masks with.
import type { WorkerRun } from "../../src/worker.ts";
import { labels, type Marks, spellings } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { CANDIDATES, headScale, likeliest, liveShown, spelled } from "./live.ts";
import type { Loaded, Reading } from "./loaded.ts";
import type { RunRequest, Shown, Step } from "./session.ts";

export async function readOnly(model: Reading, marks: Marks, { text, off, signal }: RunRequest): Promise<Shown> {
  const { ids } = await model.tokenizer.encode(text);
  const run = await model.forward({ inputIds: [ids] }, { capture: "all", headScale: headScale(off), signal });
  try {
    const steps = await fillings(run, model, marks, ids);
    const source = await labels(model.tokenizer, marks, ids);
    signal.throwIfAborted();
    return liveShown({
      attentions: run.attentions,
      input: text,
      output: "",
      steps,
      source,
      target: [],
      held: holding(() => run.dispose()),
    });
  } catch (error) {
    run.dispose();
    throw error;
  }
}

/** The token that a masked language model fills in, as it is written; undefined for models that fill in nothing. */
export const maskOf = ({ head, tokenizer }: Loaded): string | undefined =>
  head === "masked-lm" ? tokenizer?.specialTokens.mask_token : undefined;

/** One step per token of the text if a mask is among them: the likeliest tokens for it. Others have none. */
async function fillings(run: WorkerRun, model: Reading, marks: Marks, ids: readonly number[]): Promise<Step[]> {
  const { tokenizer } = model;
  const mask = maskOf(model);
  const maskId = mask === undefined ? undefined : await tokenizer.id(mask);
  if (!run.logits || maskId === undefined || !ids.includes(maskId)) return [];
  const logits = await run.logits.read();
  const vocabulary = run.logits.shape.at(-1)!;
  const found = ids.map((id, place) =>
    id === maskId ? likeliest(logits.subarray(place * vocabulary, (place + 1) * vocabulary), id, CANDIDATES).candidates : [],
  );
  const text = await spellings(tokenizer, marks, [...ids, ...found.flat().map(({ id }) => id)]);
  return ids.map((id, place) => {
    const [best] = found[place]!;
    if (!best) return { text: text(id) };
    return { text: text(best.id), probability: best.probability, candidates: spelled(found[place]!, text), filled: true };
  });
}
