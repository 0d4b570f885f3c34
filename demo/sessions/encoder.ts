// Models that only read: one forward pass. A masked language model also says what it would fill masks with.
import type { Model, Run } from "../../src/index.ts";
import { labels, type Marks } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { CANDIDATES, headScale, likeliest, liveShown } from "./live.ts";
import type { RunRequest, Shown, Step } from "./session.ts";

export async function readOnly(model: Model, marks: Marks, { text, off, signal }: RunRequest): Promise<Shown> {
  const { ids } = model.tokenizer!.encode(text);
  const run = await model.forward({ inputIds: [ids] }, { capture: "all", headScale: headScale(off), signal });
  try {
    const steps = await fillings(run, model, marks, ids);
    signal.throwIfAborted();
    const source = labels(model.tokenizer!, marks, ids);
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
export const maskOf = ({ head, tokenizer }: Model): string | undefined =>
  head === "masked-lm" ? tokenizer?.specialTokens.mask_token : undefined;

/** One step per token of the text if a mask is among them: the likeliest tokens for it. Others have none. */
async function fillings(run: Run, model: Model, marks: Marks, ids: readonly number[]): Promise<Step[]> {
  const tokenizer = model.tokenizer!;
  const mask = maskOf(model);
  const maskId = mask === undefined ? undefined : tokenizer.id(mask);
  if (!run.logits || maskId === undefined || !ids.includes(maskId)) return [];
  const logits = await run.logits.read();
  const vocabulary = run.logits.shape.at(-1)!;
  const text = (id: number) => labels(tokenizer, marks, [id])[0]!.text;
  return ids.map((id, place) => {
    if (id !== maskId) return { text: text(id) };
    const { candidates } = likeliest(logits.subarray(place * vocabulary, (place + 1) * vocabulary), id, CANDIDATES);
    const [best] = candidates;
    return {
      text: text(best!.id),
      probability: best!.probability,
      candidates: candidates.map((c) => ({ text: text(c.id), probability: c.probability })),
      filled: true,
    };
  });
}
