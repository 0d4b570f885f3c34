// Models that read one text and write another: the target is generated, or given and read (forced decoding), and one forward
// pass over both leaves every map. With beams the pass has a row per finished sequence.
import type { Generation, Model } from "../../src/index.ts";
import { labels, type Marks } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { headScale, liveShown, stepsOf } from "./live.ts";
import type { RunRequest, Shown } from "./session.ts";

export async function readAndWrite(model: Model, marks: Marks, request: RunRequest): Promise<Shown> {
  const tokenizer = model.tokenizer!;
  const { text, target, beams, off, signal } = request;
  const switched = headScale(off);
  const source = tokenizer.encode(text).ids;
  const generation: Generation | undefined =
    target === undefined
      ? await model.generate(text, {
          signal,
          headScale: switched,
          // What is chosen on the page goes before the checkpoint's own generation_config.json.
          doSample: false,
          numBeams: beams,
          ...(beams > 1 && { numReturnSequences: beams, outputBeams: true }),
        })
      : undefined;
  const written = generation?.sequences.map(({ ids }) => ids.slice(1)) ?? [tokenizer.encode(target!).ids];
  const decoderInputs = written.map((ids) => [startOf(model), ...ids.slice(0, -1)]);
  const width = Math.max(...decoderInputs.map((ids) => ids.length));
  const run = await model.forward(
    {
      inputIds: written.map(() => source),
      decoderInputIds: decoderInputs.map((ids) => [...ids, ...filler(width - ids.length, 0)]),
      decoderAttentionMask: decoderInputs.map((ids) => [...filler(ids.length, 1), ...filler(width - ids.length, 0)]),
    },
    { capture: "all", headScale: switched, signal },
  );
  try {
    const steps = await stepsOf(run, model, marks, written);
    signal.throwIfAborted();
    const held = holding(() => run.dispose());
    const [best, ...others] = written.map((ids, row) =>
      liveShown({
        attentions: run.attentions,
        row,
        input: text,
        output: tokenizer.decode(ids),
        steps: steps[row]!,
        source: labels(tokenizer, marks, source),
        target: labels(tokenizer, marks, decoderInputs[row]!),
        held,
        ...(generation?.sequences[row]?.score !== undefined && { score: generation.sequences[row].score }),
      }),
    );
    return { ...best!, ...(generation?.beams && { alternatives: [best!, ...others], beams: beamTree(model, marks, generation) }) };
  } catch (error) {
    run.dispose();
    throw error;
  }
}

const filler = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

function startOf({ generationConfig, config }: Model): number {
  return (generationConfig["decoder_start_token_id"] ?? config["decoder_start_token_id"] ?? config["pad_token_id"]) as number;
}

/** The history of beam search with its tokens' labels. */
function beamTree({ tokenizer }: Model, marks: Marks, { beams, sequences }: Generation): NonNullable<Shown["beams"]> {
  const text = (id: number) => labels(tokenizer!, marks, [id])[0]!.text;
  return {
    steps: beams!.map(({ running, ended }) => ({
      running: running.map(({ id, parent, score }) => ({ text: text(id), parent, score })),
      ended: ended.map(({ id, parent, sequenceScore }) => ({ text: text(id), parent, score: sequenceScore })),
    })),
    // The step at which each sequence ended, and the beam it ended from.
    sequences: sequences.map(({ beamIndices }) => ({ length: beamIndices!.length, parents: beamIndices! })),
  };
}
