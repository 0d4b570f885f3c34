// Models that go on with a text: every token appends its row while it streams, with its probability and the likeliest others. The
// stream's maps end with it, so a forward pass over the whole text leaves those that stay.
import type { Model, Piece } from "../../src/index.ts";
import { labels, type Marks } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { CANDIDATES, headScale, liveShown, stepsOf } from "./live.ts";
import type { RunRequest, Shown, Step } from "./session.ts";

/** Tokens that a text may grow by. */
const GROWTH = 48;

export async function writeOn(model: Model, marks: Marks, request: RunRequest): Promise<Shown> {
  const tokenizer = model.tokenizer!;
  const { text, target, temperature, seed, off, signal, onGrowth } = request;
  const switched = headScale(off);
  const prompt = tokenizer.encode(text).ids;
  // A given continuation is read as what it is: the end of one text.
  const ids = target === undefined ? [...prompt] : tokenizer.encode(text + target).ids;
  if (target === undefined && model.head === "causal-lm") {
    const steps: Step[] = [];
    // Each piece's maps are the stream's, which frees them itself.
    const streamed = holding(() => {});
    const pieces: AsyncIterable<Piece> = model.stream(text, {
      capture: "all",
      headScale: switched,
      topCandidates: CANDIDATES,
      // Models have room for less: a length in all is cut to what there is.
      maxLength: prompt.length + GROWTH,
      // What is chosen on the page goes before the checkpoint's own generation_config.json.
      ...(temperature > 0 ? { doSample: true, temperature, seed } : { doSample: false }),
      signal,
    });
    for await (const { id, attentions, probability, candidates } of pieces) {
      steps.push({
        text: labels(tokenizer, marks, [id])[0]!.text,
        ...(probability !== undefined && { probability }),
        ...(candidates && {
          candidates: candidates.map((c) => ({ text: labels(tokenizer, marks, [c.id])[0]!.text, probability: c.probability })),
        }),
      });
      ids.push(id);
      const target = labels(tokenizer, marks, ids.slice(0, -1));
      // Rows of the prompt wrote nothing; its last one wrote the first token.
      const before = prompt.slice(1).map((next) => ({ text: labels(tokenizer, marks, [next])[0]!.text }));
      const output = tokenizer.decode(ids);
      onGrowth(
        liveShown({ attentions: attentions!, input: text, output, steps: [...before, ...steps], source: [], target, held: streamed }),
      );
      // A max_new_tokens of the checkpoint's goes before a length in all.
      if (steps.length >= GROWTH) break;
    }
    streamed.dispose();
    signal.throwIfAborted();
  }
  // The last token written was looked at by nothing; a text that nothing was added to is read whole.
  const read = ids.length > prompt.length || target !== undefined ? ids.slice(0, -1) : ids;
  const run = await model.forward({ inputIds: [read] }, { capture: "all", headScale: switched, signal });
  try {
    const [steps] = await stepsOf(run, model, marks, [ids.slice(1)]);
    signal.throwIfAborted();
    return liveShown({
      attentions: run.attentions,
      input: text,
      output: tokenizer.decode(ids),
      steps: steps!,
      source: [],
      target: labels(tokenizer, marks, read),
      held: holding(() => run.dispose()),
    });
  } catch (error) {
    run.dispose();
    throw error;
  }
}
