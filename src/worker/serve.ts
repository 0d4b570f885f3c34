// The worker's side: loads models and holds what they leave (runs, generations, streams, conversations) by number, until the page lets go.
// `import "fovea/worker-script"` in a worker of your own does the same.
import { expose, transfer } from "comlink";
import type { Attentions } from "../capture/session.ts";
import type { MapRequest } from "../capture/attentions.ts";
import type { Run, RunTensor } from "../engine/forward.ts";
import type { AttentionKind } from "../models/architecture.ts";
import { FoveaError } from "../errors.ts";
import type { Conversation } from "../generate/conversation.ts";
import type { Generation, Piece } from "../generate/generate.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { LogitsProcessor } from "../generate/processors.ts";
import type { Prompt } from "../generate/prompt.ts";
import { loadModel, type LoadOptions } from "../load/load-model.ts";
import type { SourceInput } from "../load/source.ts";
import type { LoadProgress } from "../load/stream.ts";
import type { ForwardCallOptions, ForwardInput, Model } from "../model.ts";
import type { Tokenizer } from "../text/tokenizer.ts";
import { type AttentionsDescription, type MapsDescription, type Id, receiveSignal, teachComlink } from "./wire.ts";

/** What comlink carries by itself; functions and signals are arguments of their own. */
export type PlainGenerateOptions = Omit<GenerateOptions, "signal" | "logitsProcessor">;
type Processor = LogitsProcessor | undefined;

export interface ModelDescription {
  readonly config: Model["config"];
  readonly generationConfig: Model["generationConfig"];
  readonly kind: Model["kind"];
  readonly head: Model["head"];
  readonly maxTokens: number;
  readonly tokenizer: (Pick<Tokenizer, "specialTokens" | "specialIds" | "maxLength"> & { readonly languages: LanguageNames }) | undefined;
}
export type LanguageNames = Pick<Tokenizer["languages"], "names" | "tellsSource">;
/** What a page asks the tokenizer by a message. */
export type TextMethod =
  "encode" | "windows" | "batch" | "pad" | "decode" | "token" | "tokens" | "id" | "settled" | "isContinuation" | "applyChatTemplate";
/** A GPUDeviceLostInfo, which cannot be cloned. */
export type DeviceLoss = Pick<GPUDeviceLostInfo, "reason" | "message">;
export interface TensorDescription {
  readonly name: string;
  readonly shape: readonly number[];
}
export interface RunDescription {
  readonly id: Id;
  readonly tensors: readonly TensorDescription[];
  readonly attentions: AttentionsDescription;
}
export type GenerationDescription = Omit<Generation, "attentions" | "dispose" | typeof Symbol.dispose> & {
  readonly id: Id | undefined;
  readonly attentions: AttentionsDescription | undefined;
};
export type PieceDescription = Omit<Piece, "attentions"> & { readonly attentions: AttentionsDescription | undefined };

/** Something that a page may ask for maps. */
interface Holder {
  readonly attentions?: Attentions;
  readonly dispose: () => void;
}

const TENSORS = ["logits", "startLogits", "endLogits", "lastHiddenState", "encoderLastHiddenState"] as const;

/** One model and what it left. */
export class Served {
  #model: Model | undefined;
  /** Whether there is a model, or will be. */
  #taken = false;
  #next = 1;
  readonly #runs = new Map<Id, Run>();
  readonly #holders = new Map<Id, Holder>();
  readonly #streams = new Map<Id, AsyncGenerator<Piece, void, undefined>>();
  readonly #conversations = new Map<Id, Conversation>();

  /** @throws FoveaError where there is a model, or one is being loaded: the page that has it would ask another one without knowing */
  async load(
    source: SourceInput,
    options: Omit<LoadOptions, "device" | "signal" | "onProgress">,
    abort: MessagePort | undefined,
    onProgress?: (progress: LoadProgress) => void,
  ): Promise<ModelDescription> {
    if (this.#taken) throw new FoveaError("This worker has a model: dispose it first, or start another worker.");
    this.#taken = true;
    const report = onProgress && ((progress: LoadProgress) => onProgress(progress));
    try {
      this.#model = await loadModel(source, { ...options, ...(report && { onProgress: report }), ...signalOf(abort) });
    } catch (error) {
      this.#taken = false;
      throw error;
    }
    const model = this.#model;
    const { config, generationConfig, kind, head, maxTokens, tokenizer } = model;
    return { config, generationConfig, kind, head, maxTokens, tokenizer: tokenizer && describeText(tokenizer) };
  }

  async forward(input: ForwardInput, options: Omit<ForwardCallOptions, "signal">, abort: MessagePort | undefined): Promise<RunDescription> {
    const run = await this.#loaded.forward(input, { ...options, ...signalOf(abort) });
    const id = this.#keep(this.#runs, run);
    this.#holders.set(id, run);
    const tensors = TENSORS.flatMap((name) => (run[name] ? [{ name, shape: run[name].shape }] : []));
    return { id, tensors, attentions: describe(run.attentions) };
  }

  async readTensor(id: Id, name: string): Promise<Float32Array> {
    const tensor = (this.#find(this.#runs, id) as unknown as Record<string, RunTensor>)[name]!;
    return handOver(await tensor.read());
  }

  /** @param shape of the maps as the page knows them: those of a stream have grown since */
  async readMap(id: Id, kind: AttentionKind, request: MapRequest, [, , queries, keys]: MapsDescription["shape"]): Promise<Float32Array> {
    const maps = this.#find(this.#holders, id).attentions![kind]!;
    const [, , , width] = maps.shape;
    return handOver(cropped(await maps.read(request), width, queries, keys));
  }

  /** @param conversation 0: the model itself */
  async generate(
    conversation: Id,
    inputs: readonly Prompt[],
    options: PlainGenerateOptions,
    abort: MessagePort | undefined,
    processor: Processor,
  ): Promise<GenerationDescription[]> {
    const all = whole(options, abort, processor);
    const generations =
      conversation === 0
        ? await this.#loaded.generate(inputs, all)
        : [await this.#find(this.#conversations, conversation).generate(inputs[0]!, all)];
    return generations.map((generation) => {
      const { attentions } = generation;
      const id = attentions ? this.#keep(this.#holders, { attentions, dispose: () => generation.dispose() }) : undefined;
      // Functions stay here.
      const data = Object.entries(generation).filter(([, value]) => typeof value !== "function");
      return {
        ...(Object.fromEntries(data) as Omit<GenerationDescription, "id">),
        id,
        attentions: attentions && describe(attentions),
      };
    });
  }

  /** Begins a stream, whose pieces `next` gives. */
  stream(conversation: Id, input: Prompt, options: PlainGenerateOptions, abort: MessagePort | undefined, processor: Processor): Id {
    const all = whole(options, abort, processor);
    const target = conversation === 0 ? this.#loaded : this.#find(this.#conversations, conversation);
    return this.#keep(this.#streams, target.stream(input, all));
  }

  /** The next piece; undefined at the end. Its maps are read by the stream's number. */
  async next(id: Id): Promise<PieceDescription | undefined> {
    const { value, done } = await this.#find(this.#streams, id).next();
    if (done === true || !value) {
      this.release(id);
      return undefined;
    }
    const { attentions, ...rest } = value;
    if (attentions) this.#holders.set(id, { attentions, dispose: () => {} });
    return { ...rest, attentions: attentions && describe(attentions) };
  }

  /** Ends a stream early. */
  async stop(id: Id): Promise<void> {
    const stream = this.#streams.get(id);
    this.release(id);
    await stream?.return();
  }

  async conversation(): Promise<Id> {
    return this.#keep(this.#conversations, await this.#loaded.conversation());
  }

  conversationState(id: Id): { ids: readonly number[]; reused: number } {
    const { ids, reused } = this.#find(this.#conversations, id);
    return { ids, reused };
  }

  /** A method of the tokenizer; `WorkerTokenizer` says which arguments it takes. */
  text(method: TextMethod, args: readonly unknown[]): unknown {
    const { tokenizer } = this.#loaded;
    if (!tokenizer) throw new FoveaError("This checkpoint has no tokenizer.json (nor older files that say the same).");
    return (tokenizer[method] as (...args: unknown[]) => unknown).apply(tokenizer, [...args]);
  }

  /** Why the device that the model runs on now was lost, when it is. */
  async lost(): Promise<DeviceLoss> {
    const { reason, message } = await this.#loaded.device.lost;
    return { reason, message };
  }

  plan(input: ForwardInput): string {
    return this.#loaded.plan(input).toString();
  }

  memory(): ReturnType<Model["memory"]> {
    return this.#loaded.memory();
  }

  warmup(): Promise<void> {
    return this.#loaded.warmup();
  }

  /** Frees what a run, a generation or a conversation holds. */
  release(id: Id): void {
    this.#holders.get(id)?.dispose();
    this.#conversations.get(id)?.dispose();
    for (const held of [this.#runs, this.#holders, this.#streams, this.#conversations]) held.delete(id);
  }

  dispose(): void {
    for (const id of [...this.#holders.keys(), ...this.#streams.keys(), ...this.#conversations.keys()]) this.release(id);
    this.#model?.dispose();
    this.#model = undefined;
    this.#taken = false;
  }

  get #loaded(): Model {
    if (!this.#model) throw new FoveaError("This worker has no model; load one.");
    return this.#model;
  }

  #keep<T>(held: Map<Id, T>, value: T): Id {
    held.set(this.#next, value);
    return this.#next++;
  }

  #find<T>(held: ReadonlyMap<Id, T>, id: Id): T {
    const found = held.get(id);
    if (!found)
      throw new FoveaError("What this belongs to was freed: read outputs and maps before dispose(), those of a stream before it ends.");
    return found;
  }
}

const signalOf = (abort: MessagePort | undefined): { signal?: AbortSignal } => {
  const signal = receiveSignal(abort);
  return signal ? { signal } : {};
};

const whole = (options: PlainGenerateOptions, abort: MessagePort | undefined, processor: Processor): GenerateOptions => ({
  ...options,
  ...signalOf(abort),
  // What the page returns is a copy: changes in place stay there.
  ...(processor && { logitsProcessor: (ids, logits, row) => processor(ids, logits.slice(), row) }),
});

function describeText({ specialTokens, specialIds, maxLength, languages }: Tokenizer): ModelDescription["tokenizer"] {
  const { names, tellsSource } = languages;
  return { specialTokens, specialIds, maxLength, languages: { names, tellsSource } };
}

function describe(attentions: Attentions): AttentionsDescription {
  return Object.fromEntries(
    Object.entries(attentions).map(([kind, maps]) => {
      const all = maps as NonNullable<Attentions["cross"]>;
      const { layers, heads, captured, shape } = all;
      const tokens = (of: (batch: number) => readonly string[] | undefined) => Array.from({ length: shape[0] }, (_, batch) => of(batch));
      return [
        kind,
        { layers, heads, captured, shape, queryTokens: tokens((b) => all.queryTokens(b)), keyTokens: tokens((b) => all.keyTokens(b)) },
      ];
    }),
  );
}

/** The first rows and columns of a map that is `width` wide. */
function cropped(map: Float32Array, width: number, rows: number, columns: number): Float32Array {
  if (map.length === rows * columns) return map;
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) out.set(map.subarray(row * width, row * width + columns), row * columns);
  return out;
}

/** Numbers move to the page, they are not copied. */
const handOver = (data: Float32Array): Float32Array => transfer(data, [data.buffer]);

/** Answers the page that started this worker. */
export function serve(): void {
  teachComlink();
  expose(new Served());
}
