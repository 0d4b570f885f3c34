// Text and ids in, generations out: prompts are prepared, a session runs them, tokens are followed to their end.
import type { Attentions } from "../capture/session.ts";
import { hooksOf } from "../capture/hooks.ts";
import type { MapAxis } from "../capture/attentions.ts";
import type { Engine } from "../engine/engine.ts";
import type { EngineHost } from "../engine/host.ts";
import { capturing, forward } from "../engine/forward.ts";
import type { Rows } from "../engine/inputs.ts";
import { InputError } from "../errors.ts";
import type { RawConfig } from "../load/config.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import type { BeamStep } from "./beam.ts";
import { type Candidate, scoreOf, type ScoredToken, scoredToken } from "./candidates.ts";
import { type Final, type Followed, followRows, StopStrings } from "./follow.ts";
import type { KvPrefix } from "./kv-prefix.ts";
import type { GenerateOptions } from "./options.ts";
import { prepare, type Prepared, type Prompt } from "./prompt.ts";
import { Session } from "./session.ts";
import { StreamDecoder } from "./stream-decoder.ts";

export interface GeneratedSequence {
  /** As Hugging Face's `generate` returns them: prompt or decoder start token first, up to and including the end token. */
  readonly ids: readonly number[];
  /** Their text without special tokens; empty without a tokenizer. */
  readonly text: string;
  /** With `topCandidates`: the new tokens, how likely each was and what else was likely. */
  readonly tokens?: readonly ScoredToken[];
  /** Beam search: the score it was ranked by. */
  readonly score?: number;
  /** With `outputScores`: the log-probability of each new token. */
  readonly scores?: readonly number[];
  /**
   * With `outputBeams`, for each new token which running beam of the step before it went on from: token t of the sequence, taken
   * at step t, is the one of `beams[t]` with this id and this parent.
   */
  readonly beamIndices?: readonly number[];
}

/** What one prompt gave. With `capture` it owns GPU memory until `dispose()`. */
export interface Generation extends GeneratedSequence {
  /** All `numReturnSequences`, best first; the first is the generation's own. */
  readonly sequences: readonly GeneratedSequence[];
  /** The history of beam search, step by step, with `outputBeams`. */
  readonly beams?: readonly BeamStep[];
  /** Maps of the run, with `capture`. Query rows are the decoder's input tokens. */
  readonly attentions?: Attentions;
  /** Frees what capture holds. Idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
}

/** A token as it streams in. */
export interface Piece {
  /** Text that this token completes: never half a character, sometimes empty. */
  readonly text: string;
  readonly id: number;
  /** With `outputScores`: its log-probability. */
  readonly score?: number;
  /** With `topCandidates`: the token's, of the distribution it was chosen from. */
  readonly probability?: number;
  /** With `topCandidates`: the likeliest tokens, best first. */
  readonly candidates?: readonly Candidate[];
  /** Maps up to this token, with `capture`: read them while the stream goes on, their query axis grows with it; its end frees them. */
  readonly attentions?: Attentions;
}

export interface Generator {
  readonly host: EngineHost;
  readonly tokenizer: Tokenizer | undefined;
  /** generation_config.json, and where it is silent config.json. */
  readonly config: RawConfig;
  /** A conversation's keys and values, of decoders and one prompt at a time. */
  readonly prefix?: KvPrefix | undefined;
}

export async function generate(generator: Generator, inputs: readonly Prompt[], options: GenerateOptions): Promise<Generation[]> {
  const prepared = await prepare(generator, inputs, options);
  // Nothing has been given out yet when a device is lost: the same seed gives the same tokens again.
  return generator.host.run((engine) => generateOn(engine, generator, prepared, options));
}

async function generateOn(engine: Engine, generator: Generator, prepared: Prepared, options: GenerateOptions): Promise<Generation[]> {
  const { settings, selection } = prepared;
  const group = settings.numBeams > 1 ? settings.numBeams : settings.numReturnSequences;
  // Beams and side-by-side sequences are captured afterwards, by one forward pass over the final ids.
  const live = group === 1 && selection.captured.size > 0;
  const { prefix } = generator;
  const session = await startSession(engine, prepared, { group, live, prefix, signal: options.signal });
  let kept = false;
  try {
    const followed =
      settings.numBeams > 1
        ? await (await import("./beam.ts")).followBeams(session, prepared)
        : await followRows(session, prepared, group, generator.tokenizer);
    if (prefix) keepPrefix(prefix, session, prepared, followed[0]!.finals[0]!.ids);
    const results = followed.map((item, i) => result(generator.tokenizer, prepared.prompts[i]!, item));
    if (live) {
      kept = true;
      const attentions = await liveAttentions(engine, generator.tokenizer, session, prepared, () =>
        followed.map(({ finals }) => finals[0]!.ids),
      );
      return shared(results, attentions, () => session.dispose());
    }
    if (selection.captured.size === 0) return shared(results, undefined, () => {});
    const run = await forward(engine, teacherForced(prepared, results), {
      selection,
      tokenizer: generator.tokenizer,
      signal: options.signal,
      mapsOnly: true,
    });
    return shared(results, run.attentions, () => run.dispose());
  } finally {
    if (!kept) session.dispose();
  }
}

export async function* stream(generator: Generator, input: Prompt, options: GenerateOptions): AsyncGenerator<Piece, void, undefined> {
  if ((options.numBeams ?? 1) > 1 || (options.numReturnSequences ?? 1) > 1) {
    throw new InputError("stream: beams and several sequences do not stream; use generate()", {
      field: "numBeams",
      expected: 1,
      got: options.numBeams ?? options.numReturnSequences,
    });
  }
  const { prefix } = generator;
  const prepared = await prepare(generator, [input], { ...options, numBeams: 1, numReturnSequences: 1 });
  const { settings } = prepared;
  const live = prepared.selection.captured.size > 0;
  const ids: number[] = [];
  const decoder = generator.tokenizer && new StreamDecoder(generator.tokenizer, prepared.prompts[0]);
  const stop = new StopStrings(settings.stopStrings);
  for (let tokens = -1; ;) {
    const engine = await generator.host.ready();
    let session: Session | undefined;
    try {
      session = await startSession(engine, prepared, { group: 1, live, prefix, signal: options.signal, emitted: ids });
      const attentions = live ? await liveAttentions(engine, generator.tokenizer, session, prepared, () => [ids]) : undefined;
      for await (const record of session.steps()) {
        const id = record[0]!;
        ids.push(id);
        const text = decoder?.push(id) ?? "";
        const last = settings.eos.includes(id) || stop.push(text, decoder?.held) || ids.length === settings.maxNewTokens;
        const scores = {
          ...(settings.topCandidates > 0 && scoredToken(record, generator.tokenizer)),
          ...(settings.outputScores && { score: scoreOf(record) }),
        };
        yield { ...scores, text: last ? text + (decoder?.flush() ?? "") : text, id, ...(attentions && { attentions }) };
        if (last) return;
      }
      return;
    } catch (error) {
      // On another device it goes on from the tokens it has; one that is lost before every token is no way to go on.
      if (!generator.host.recovers(error) || ids.length === tokens) throw generator.host.reason(error);
      tokens = ids.length;
    } finally {
      if (prefix && session && ids.length > 0 && !engine.lost) keepPrefix(prefix, session, prepared, ids);
      session?.dispose();
    }
  }
}

/** Gives keys and values back: of the prompt and of all new tokens but the last, which was not fed. */
function keepPrefix(prefix: KvPrefix, { workspace, caches, dims }: Session, { prompts }: Prepared, ids: readonly number[]): void {
  prefix.keep(workspace, caches, { ids: [...prompts[0]!, ...ids.slice(0, -1)], capacity: dims.capacity });
}

function startSession(
  engine: Engine,
  { settings, sources, prompts, selection }: Prepared,
  { group, live, ...rest }: { group: number; live: boolean; signal?: AbortSignal; emitted?: readonly number[]; prefix?: KvPrefix },
): Promise<Session> {
  const hooked = live ? selection : { ...selection, captured: new Map() };
  return Session.start(engine, {
    settings,
    sources: sources?.ids,
    prompts,
    group,
    encoderHooks: hooksOf(engine.architecture, hooked, ["encoder"]),
    decoderHooks: hooksOf(engine.architecture, hooked, ["decoder", "cross"]),
    ...rest,
  });
}

/** A generation but for what capture adds. */
type Result = Pick<Generation, "sequences" | "beams">;

function result(tokenizer: Tokenizer | undefined, prompt: readonly number[], { finals, ...rest }: Followed): Result {
  const sequence = ({ ids, ...others }: Final): GeneratedSequence => {
    const all = [...prompt, ...ids];
    return { ids: all, text: tokenizer?.decode(all) ?? "", ...others };
  };
  return { sequences: finals.map(sequence), ...rest };
}

/** One Generation per item; what capture holds is freed when the last of them is disposed. */
function shared(results: readonly Result[], attentions: Attentions | undefined, free: () => void): Generation[] {
  const open = new Set(results);
  return results.map((item) => {
    const dispose = () => {
      if (open.delete(item) && open.size === 0) free();
    };
    return { ...item.sequences[0]!, ...item, ...(attentions && { attentions }), dispose, [Symbol.dispose]: dispose };
  });
}

/** The final ids as a forward pass: what was fed to the decoder, so without the last token. */
function teacherForced({ sources, prompts }: Prepared, results: readonly Result[]): { source?: Rows; target: Rows } {
  const ids = results.map(({ sequences: [best] }, i) => best!.ids.slice(0, Math.max(prompts[i]!.length, best!.ids.length - 1)));
  const longest = Math.max(...ids.map((row) => row.length));
  return { source: sources, target: { ids, positions: ids.map((row) => row.map((_, i) => i)), width: longest, longest } };
}

/** Maps over a running session: query rows are the tokens fed so far, the prompt included. */
async function liveAttentions(
  engine: Engine,
  tokenizer: Tokenizer | undefined,
  session: Session,
  { selection, prompts, sources }: Prepared,
  generated: () => readonly (readonly number[])[],
): Promise<Attentions> {
  const { attentionsOf } = await capturing();
  const axis = (rows: readonly (readonly number[])[]): MapAxis => ({
    width: Math.max(...rows.map((r) => r.length)),
    positions: rows.map((row) => row.map((_, i) => i)),
    ...(tokenizer && { tokens: rows.map((row) => row.map((id) => tokenizer.token(id))) }),
  });
  const fed = () => generated().map((ids, i) => [...prompts[i]!, ...ids.slice(0, -1)]);
  return attentionsOf(
    engine,
    selection.captured,
    session.modules,
    { workspace: session.workspace, dims: session.dims },
    { source: () => axis(sources?.ids ?? []), target: () => axis(fed()) },
  );
}
