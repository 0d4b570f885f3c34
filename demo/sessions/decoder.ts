// Models that go on with a text: every token appends its row while it streams, with its probability and the likeliest others. The
// stream's maps end with it, so a forward pass over the whole text leaves those that stay.
import { labels, type Marks, spellings } from "../maps/tokens.ts";
import { holding, passing } from "./holding.ts";
import { CANDIDATES, headScale, liveShown, spelled, stepsOf } from "./live.ts";
import type { Reading } from "./loaded.ts";
import type { RunRequest, Shown, Step } from "./session.ts";

/** Tokens that a text may grow by. */
const GROWTH = 48;

export async function writeOn(model: Reading, marks: Marks, request: RunRequest): Promise<Shown> {
  const { tokenizer } = model;
  const { text, target, temperature, seed, off, signal, onGrowth } = request;
  const switched = headScale(off);
  const prompt = (await tokenizer.encode(text)).ids;
  // A given continuation is read as what it is: the end of one text.
  const ids = [...(target === undefined ? prompt : (await tokenizer.encode(text + target)).ids)];
  if (target === undefined && model.head === "causal-lm") {
    const steps: Step[] = [];
    // Each piece's maps are the stream's, which frees them itself.
    const streamed = passing();
    signal.addEventListener("abort", () => streamed.dispose(), { once: true });
    const pieces = model.stream(text, {
      capture: "all",
      headScale: switched,
      topCandidates: CANDIDATES,
      // Models have room for less: a length in all is cut to what there is.
      maxLength: prompt.length + GROWTH,
      // What is chosen on the page goes before the checkpoint's own generation_config.json.
      ...(temperature > 0 ? { doSample: true, temperature, seed } : { doSample: false }),
      signal,
    });
    try {
      for await (const { id, attentions, probability, candidates } of pieces) {
        const read = [...ids];
        ids.push(id);
        const [written, target, output] = await Promise.all([
          spellings(tokenizer, marks, [...prompt, id, ...(candidates ?? []).map((c) => c.id)]),
          labels(tokenizer, marks, read),
          tokenizer.decode([...ids]),
        ]);
        signal.throwIfAborted();
        steps.push({
          text: written(id),
          ...(probability !== undefined && { probability }),
          ...(candidates && { candidates: spelled(candidates, written) }),
        });
        // Rows of the prompt wrote nothing; its last one wrote the first token.
        const before = prompt.slice(1).map((next) => ({ text: written(next) }));
        onGrowth(
          liveShown({
            attentions: attentions!,
            input: text,
            output,
            steps: [...before, ...steps],
            source: [],
            target,
            held: streamed,
          }),
        );
        // A max_new_tokens of the checkpoint's goes before a length in all.
        if (steps.length >= GROWTH) break;
      }
    } finally {
      streamed.dispose();
    }
    signal.throwIfAborted();
  }
  // The last token written was looked at by nothing; a text that nothing was added to is read whole.
  const read = ids.length > prompt.length || target !== undefined ? ids.slice(0, -1) : ids;
  const run = await model.forward({ inputIds: [read] }, { capture: "all", headScale: switched, signal });
  try {
    const [steps] = await stepsOf(run, model, marks, [ids.slice(1)]);
    const [output, labelled] = await Promise.all([tokenizer.decode(ids), labels(tokenizer, marks, read)]);
    signal.throwIfAborted();
    return liveShown({
      attentions: run.attentions,
      input: text,
      output,
      steps: steps!,
      source: [],
      target: labelled,
      held: holding(() => run.dispose()),
    });
  } catch (error) {
    run.dispose();
    throw error;
  }
}
