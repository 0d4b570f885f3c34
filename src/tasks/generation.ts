// Tasks that write: translations, summaries, answers, continuations. What config.json's task_specific_params says of a task is
// taken, the caller's options over it.
import { InputError } from "../errors.ts";
import type { Generation, Piece } from "../generate/generate.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { Message } from "../text/chat.ts";
import { type CallOptions, chunks, listOf, requireHead, type TaskContext } from "./context.ts";

export interface WritingOptions extends GenerateOptions, CallOptions {
  /** Given the text as it comes: greedy or sampled, of one input, whatever numBeams the checkpoint asks for. */
  readonly streamer?: (text: string) => void;
}

/** A record a sequence, with the text under the task's own name: `[{ translation_text }]`. */
export type Writing<T> = {
  (text: string, options?: WritingOptions): Promise<T[]>;
  (texts: readonly string[], options?: WritingOptions): Promise<T[] | T[][]>;
  /** The text piece by piece: greedy or sampled. */
  stream(text: string, options?: GenerateOptions): AsyncGenerator<Piece, void, undefined>;
};

export interface Translation {
  readonly translation_text: string;
}
export interface Summary {
  readonly summary_text: string;
}
export interface GeneratedText {
  readonly generated_text: string;
}
/** Of messages: them and the answer. */
export interface GeneratedChat {
  readonly generated_text: readonly Message[];
}

const NAMES = { translation: "translation_text", summarization: "summary_text", "text2text-generation": "generated_text" } as const;
export type WritingTask = keyof typeof NAMES;

/** Encoder–decoders: a text in, another out. */
export function writing<T>(context: TaskContext, kind: WritingTask): Writing<T> {
  const { model } = context;
  requireHead(context, "seq2seq-lm");
  const name = NAMES[kind];
  const prepare = (text: string, options: GenerateOptions) => {
    const { prefix, settings } = taskSettings(context, kind, options);
    return { text: prefix + text, settings };
  };
  const call = async (texts: string | readonly string[], { batchSize, streamer, ...options }: WritingOptions = {}) => {
    const { list, several } = listOf(texts);
    if (streamer) {
      const { text, settings } = prepare(onlyOne(list), options);
      return [{ [name]: (await streamed(context, text, settings, streamer)).text }];
    }
    const results: Record<string, string>[][] = [];
    for (const part of chunks(list, batchSize)) {
      const prepared = part.map((text) => prepare(text, options));
      const generations = await model.generate(
        prepared.map(({ text }) => text),
        prepared[0]?.settings,
      );
      results.push(...generations.map(({ sequences }) => sequences.map(({ text }) => ({ [name]: text }))));
      for (const generation of generations) generation.dispose();
    }
    // One sequence a text: a list of them, as for one text.
    return !several || results.every((result) => result.length === 1) ? results.flat() : results;
  };
  const stream = (text: string, options: GenerateOptions = {}) => {
    const prepared = prepare(text, options);
    return model.stream(prepared.text, { ...prepared.settings, numBeams: 1 });
  };
  return Object.assign(call, { stream }) as unknown as Writing<T>;
}

export interface ContinuationOptions extends WritingOptions {
  /** Give the prompt too. Default true. */
  readonly returnFullText?: boolean;
}

export interface TextGeneration {
  (text: string, options?: ContinuationOptions): Promise<GeneratedText[]>;
  (messages: readonly Message[], options?: ContinuationOptions): Promise<GeneratedChat[]>;
  (inputs: readonly string[], options?: ContinuationOptions): Promise<GeneratedText[][]>;
  (inputs: readonly (readonly Message[])[], options?: ContinuationOptions): Promise<GeneratedChat[][]>;
  /** What follows, piece by piece: greedy or sampled. */
  stream(input: string | readonly Message[], options?: GenerateOptions): AsyncGenerator<Piece, void, undefined>;
}

type Input = string | readonly Message[];

/** Decoders: texts, or chats, continued. */
export function textGeneration(context: TaskContext): TextGeneration {
  const { model, tokenizer } = context;
  requireHead(context, "causal-lm");
  const call = async (
    inputs: Input | readonly Input[],
    { batchSize, streamer, returnFullText = true, ...options }: ContinuationOptions = {},
  ) => {
    const several = Array.isArray(inputs) && (typeof inputs[0] === "string" || Array.isArray(inputs[0]));
    const list = several ? (inputs as readonly Input[]) : [inputs as Input];
    const { settings } = taskSettings(context, "text-generation", options);
    const record = (input: Input, text: string): GeneratedText | GeneratedChat => {
      if (typeof input === "string") return { generated_text: returnFullText ? input + text : text };
      const answer: Message = { role: "assistant", content: text };
      return { generated_text: returnFullText ? [...input, answer] : [answer] };
    };
    if (streamer) {
      const input = onlyOne(list);
      return [record(input, (await streamed(context, input, settings, streamer)).text)];
    }
    const results: (GeneratedText | GeneratedChat)[][] = [];
    for (const part of chunks(list, batchSize)) {
      const prompts = await Promise.all(part.map((input) => promptIds(input)));
      const generations = await model.generate(prompts, settings);
      results.push(
        ...generations.map(({ sequences }, i) => sequences.map(({ ids }) => record(part[i]!, continuation(ids, prompts[i]!.length)))),
      );
      for (const generation of generations) generation.dispose();
    }
    return several ? results : results[0]!;
  };
  const stream = (input: Input, options: GenerateOptions = {}) =>
    model.stream(input, { ...taskSettings(context, "text-generation", options).settings, numBeams: 1 });
  return Object.assign(call, { stream }) as TextGeneration;

  async function promptIds(input: Input): Promise<readonly number[]> {
    if (typeof input === "string") return tokenizer.encode(input).ids;
    return tokenizer.encode(await tokenizer.applyChatTemplate(input, { addGenerationPrompt: true }), { addSpecialTokens: false }).ids;
  }

  /** The text of all ids beyond that of the prompt's: a space between belongs to what follows. */
  function continuation(ids: readonly number[], prompt: number): string {
    return tokenizer.decode(ids).slice(tokenizer.decode(ids.slice(0, prompt)).length);
  }
}

async function streamed(
  { model }: TaskContext,
  input: Input,
  settings: GenerateOptions,
  streamer: (text: string) => void,
): Promise<Pick<Generation, "text">> {
  let text = "";
  for await (const piece of model.stream(input, { ...settings, numBeams: 1 })) {
    text += piece.text;
    if (piece.text !== "") streamer(piece.text);
  }
  return { text };
}

function onlyOne<T>(list: readonly T[]): T {
  if (list.length !== 1)
    throw new InputError(`streamer: one input at a time, got ${list.length}`, { field: "streamer", expected: 1, got: list.length });
  return list[0]!;
}

/** task_specific_params that `generate` knows, by the names in the file. */
const TASK_OPTIONS: Readonly<Record<string, keyof GenerateOptions>> = {
  max_length: "maxLength",
  min_length: "minLength",
  max_new_tokens: "maxNewTokens",
  num_beams: "numBeams",
  length_penalty: "lengthPenalty",
  early_stopping: "earlyStopping",
  no_repeat_ngram_size: "noRepeatNgramSize",
  encoder_no_repeat_ngram_size: "encoderNoRepeatNgramSize",
  repetition_penalty: "repetitionPenalty",
  do_sample: "doSample",
  temperature: "temperature",
  top_k: "topK",
  top_p: "topP",
};

/** What the checkpoint wants for the task: words before the text (T5), settings; languages that the task's name tells. */
function taskSettings({ task, model }: TaskContext, kind: string, options: GenerateOptions): { prefix: string; settings: GenerateOptions } {
  const params = (model.config["task_specific_params"] ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
  const { srcLang, tgtLang, ...rest } = options;
  const named = /^translation_(.+)_to_(.+)$/.exec(task);
  const [source, target] = [srcLang ?? named?.[1], tgtLang ?? named?.[2]];
  const own = params[task] ?? params[`${kind}_${source}_to_${target}`] ?? params[kind] ?? {};
  const { prefix = model.config["prefix"] } = own;
  const found = Object.entries(own).flatMap(([name, value]) =>
    Object.hasOwn(TASK_OPTIONS, name) && value !== null ? [[TASK_OPTIONS[name]!, value] as const] : [],
  );
  // Where the prefix tells the languages, or the model knows but two, tokens for them would be too much.
  const multilingual = ["m2m_100", "mbart"].includes(String(model.config["model_type"]));
  const languages = {
    ...(source !== undefined && (multilingual || (srcLang !== undefined && own["prefix"] === undefined)) && { srcLang: source }),
    ...(target !== undefined && (multilingual || (tgtLang !== undefined && own["prefix"] === undefined)) && { tgtLang: target }),
  };
  return {
    prefix: typeof prefix === "string" ? prefix : "",
    settings: { ...(Object.fromEntries(found) as GenerateOptions), ...languages, ...rest },
  };
}
