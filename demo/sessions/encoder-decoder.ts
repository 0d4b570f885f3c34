// Models that read one text and write another: the target is generated, or given and read (forced decoding), and one forward
// pass over both leaves every map. With beams the pass has a row per finished sequence.
import type { WorkerGeneration } from "../../src/worker.ts";
import { labels, type Marks, spellings } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { languagesOf, pairOf, targetOf, type Written } from "./languages.ts";
import { headScale, liveShown, stepsOf } from "./live.ts";
import type { Reading } from "./loaded.ts";
import type { RunRequest, Shown } from "./session.ts";

export async function readAndWrite(model: Reading, marks: Marks, request: RunRequest): Promise<Shown> {
  const { tokenizer } = model;
  const { text, target, beams, off, signal } = request;
  const switched = headScale(off);
  const languages = languagesOf(model);
  const pair = languages && pairOf(languages, request);
  const told = pair && { ...(pair.from !== undefined && { srcLang: pair.from }), tgtLang: pair.to };
  const source = (await tokenizer.encode(text, told)).ids;
  const generation: WorkerGeneration | undefined =
    target === undefined
      ? await model.generate(text, {
          signal,
          headScale: switched,
          // What is chosen on the page goes before the checkpoint's own generation_config.json.
          doSample: false,
          numBeams: beams,
          ...told,
          ...(beams > 1 && { numReturnSequences: beams, outputBeams: true }),
        })
      : undefined;
  const sequences = generation?.sequences.map(({ ids: [start, ...ids] }): Written => ({ start: start!, ids })) ?? [
    await targetOf(model, target!, pair),
  ];
  const written = sequences.map(({ ids }) => ids);
  const decoderInputs = sequences.map(({ start, ids }) => [start, ...ids.slice(0, -1)]);
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
    const [sourceLabels, ...rows] = await Promise.all([
      labels(tokenizer, marks, source),
      ...written.map((ids, row) => Promise.all([tokenizer.decode(ids), labels(tokenizer, marks, decoderInputs[row]!)])),
    ]);
    const beams = generation?.beams && (await beamTree(model, marks, generation));
    signal.throwIfAborted();
    const held = holding(() => run.dispose());
    const [best, ...others] = rows.map(([output, target], row) =>
      liveShown({
        attentions: run.attentions,
        row,
        input: text,
        output,
        steps: steps[row]!,
        source: sourceLabels,
        target,
        held,
        ...(generation?.sequences[row]?.score !== undefined && { score: generation.sequences[row].score }),
      }),
    );
    return { ...best!, ...(beams && { alternatives: [best!, ...others], beams }) };
  } catch (error) {
    run.dispose();
    throw error;
  }
}

const filler = (count: number, value: number): number[] => Array.from({ length: count }, () => value);

/** The history of beam search with its tokens' labels. */
async function beamTree(
  { tokenizer }: Reading,
  marks: Marks,
  { beams, sequences }: WorkerGeneration,
): Promise<NonNullable<Shown["beams"]>> {
  const all = beams!.flatMap(({ running, ended }) => [...running, ...ended]);
  const text = await spellings(
    tokenizer,
    marks,
    all.map(({ id }) => id),
  );
  return {
    steps: beams!.map(({ running, ended }) => ({
      running: running.map(({ id, parent, score }) => ({ text: text(id), parent, score })),
      ended: ended.map(({ id, parent, sequenceScore }) => ({ text: text(id), parent, score: sequenceScore })),
    })),
    // The step at which each sequence ended, and the beam it ended from.
    sequences: sequences.map(({ beamIndices }) => ({ length: beamIndices!.length, parents: beamIndices! })),
  };
}
