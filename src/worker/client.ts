// The page's side: the interface of a Model, off the page's thread. Calls become messages, arrays are handed over and not copied, and what
// stays in the worker is known here by number.
import { proxy, type Remote, transfer, wrap } from "comlink";
import type { AttentionMaps, MapRequest } from "../capture/attentions.ts";
import type { AttentionKind } from "../models/architecture.ts";
import type { Run, RunTensor } from "../engine/forward.ts";
import { InputError } from "../errors.ts";
import type { Generation, Piece } from "../generate/generate.ts";
import type { GenerateOptions } from "../generate/options.ts";
import type { LogitsProcessor } from "../generate/processors.ts";
import type { Prompt } from "../generate/prompt.ts";
import type { LoadOptions } from "../load/load-model.ts";
import type { SourceInput } from "../load/source.ts";
import type { ForwardCallOptions, ForwardInput, Model } from "../model.ts";
import { isHubId } from "../load/url.ts";
import type { DeviceLoss, GenerationDescription, ModelDescription, PieceDescription, PlainGenerateOptions, Served } from "./serve.ts";
import { WorkerTokenizer } from "./tokenizer.ts";
import { type AttentionsDescription, type Id, type MapsDescription, teachComlink } from "./wire.ts";

/** Maps that lie in the worker. */
export type WorkerMaps = Pick<AttentionMaps, "layers" | "heads" | "captured" | "shape" | "queryTokens" | "keyTokens" | "read">;
export type WorkerAttentions = Readonly<Partial<Record<AttentionKind, WorkerMaps>>>;
export type WorkerRun = Omit<Run, "attentions"> & { readonly attentions: WorkerAttentions };
export type WorkerGeneration = Omit<Generation, "attentions"> & { readonly attentions?: WorkerAttentions };
export type WorkerPiece = Omit<Piece, "attentions"> & { readonly attentions?: WorkerAttentions };

/** As of LoadOptions; the device is the worker's own, and choices of `tune` are kept in IndexedDB. */
export type WorkerLoadOptions = Omit<LoadOptions, "device" | "tune"> & {
  readonly tune?: boolean;
  /**
   * A module worker that imports `fovea/worker-script`, or a function that starts one: that one is the model's own and ends with it.
   * Default: one of that script itself.
   */
  readonly worker?: Worker | (() => Worker);
};

const ownScript = (): Worker => new Worker(new URL("../worker-script.ts", import.meta.url), { type: "module" });

const noWait = () => undefined;

/** With the signal's own reason, which lost what cannot be cloned on its way there and back. */
async function unlessAborted<T>(signal: AbortSignal | undefined, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  }
}

/** Loads a model in a worker. The same as `loadModel` of fovea; files and URLs go there, Sources of your own cannot. */
export async function loadModel(source: SourceInput, options: WorkerLoadOptions = {}): Promise<WorkerModel> {
  const { worker: given = ownScript, onProgress, signal, ...rest } = options;
  teachComlink();
  const own = typeof given === "function";
  const worker = own ? given() : given;
  const served = wrap<Served>(worker);
  const end = () => {
    if (own) worker.terminate();
  };
  try {
    // A script that cannot be fetched says so nowhere else.
    const failed = new Promise<never>((_, reject) =>
      worker.addEventListener(
        "error",
        (event) => reject(new InputError(`loadModel: the worker did not start: ${event.message}`, { field: "worker" })),
        {
          once: true,
        },
      ),
    );
    failed.catch(noWait);
    const loading = served.load(absolute(source), rest, onProgress && proxy(onProgress), signal);
    const description = await unlessAborted(signal, Promise.race([loading, failed]));
    return new WorkerModel(served, description, end);
  } catch (error) {
    end();
    throw error;
  }
}

/** Relative to the page, not to the worker's script; ids of the Hub are no URLs. */
function absolute(source: SourceInput): SourceInput {
  if (typeof source === "object" && source !== null && "open" in source && typeof source.open === "function")
    throw new InputError("loadModel: a Source of your own cannot go to a worker; give files, a URL or an id of the Hub", {
      field: "source",
      expected: "what can be cloned",
      got: "a Source",
    });
  if (source instanceof URL) return source.href;
  if (typeof source !== "string" || isHubId(source)) return source;
  return new URL(source, document.baseURI).href;
}

/** A model in a worker. Made by `loadModel` of fovea/worker; `dispose()` frees it and ends a worker of its own. */
export class WorkerModel implements Pick<Model, "config" | "generationConfig" | "kind" | "head" | "maxTokens"> {
  readonly config: Model["config"];
  readonly generationConfig: Model["generationConfig"];
  readonly kind: Model["kind"];
  readonly head: Model["head"];
  readonly maxTokens: number;
  readonly tokenizer: WorkerTokenizer | undefined;
  readonly #served: Remote<Served>;
  readonly #end: () => void;

  constructor(served: Remote<Served>, { config, generationConfig, kind, head, maxTokens, tokenizer }: ModelDescription, end: () => void) {
    this.#served = served;
    this.#end = end;
    this.config = config;
    this.generationConfig = generationConfig;
    this.kind = kind;
    this.head = head;
    this.maxTokens = maxTokens;
    this.tokenizer = tokenizer && new WorkerTokenizer(served, tokenizer);
  }

  async forward(input: ForwardInput, { signal, ...options }: ForwardCallOptions = {}): Promise<WorkerRun> {
    const { id, tensors, attentions } = await unlessAborted(signal, this.#served.forward(input, options, signal));
    const named = tensors.map(({ name, shape }): [string, RunTensor] => [name, { shape, read: () => this.#served.readTensor(id, name) }]);
    const dispose = releasing(this.#served, id);
    return { ...Object.fromEntries(named), attentions: mapsOf(this.#served, id, attentions), dispose, [Symbol.dispose]: dispose };
  }

  generate(input: Prompt, options?: GenerateOptions): Promise<WorkerGeneration>;
  generate(input: readonly Prompt[], options?: GenerateOptions): Promise<WorkerGeneration[]>;
  async generate(input: Prompt | readonly Prompt[], options: GenerateOptions = {}): Promise<WorkerGeneration | WorkerGeneration[]> {
    const [first] = input;
    const several = typeof input !== "string" && (typeof first === "string" || Array.isArray(first));
    const generations = await generateOn(this.#served, 0, several ? (input as readonly Prompt[]) : [input as Prompt], options);
    return several ? generations : generations[0]!;
  }

  stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<WorkerPiece, void, undefined> {
    return streamOn(this.#served, 0, input, options);
  }

  async conversation(): Promise<WorkerConversation> {
    return new WorkerConversation(this.#served, await this.#served.conversation());
  }

  /** Of the device, that of the worker, a page can know when it is lost. `lost` is of the one that the model runs on now. */
  get device(): { readonly lost: Promise<DeviceLoss> } {
    const served = this.#served;
    return {
      get lost() {
        return served.lost();
      },
    };
  }

  plan(input: ForwardInput): Promise<string> {
    return this.#served.plan(input);
  }

  memory(): Promise<ReturnType<Model["memory"]>> {
    return this.#served.memory();
  }

  warmup(): Promise<void> {
    return this.#served.warmup();
  }

  /** Idempotent. */
  dispose(): void {
    this.#served.dispose().then(this.#end, this.#end);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A conversation in a worker. */
export class WorkerConversation {
  readonly #served: Remote<Served>;
  readonly #id: Id;

  constructor(served: Remote<Served>, id: Id) {
    this.#served = served;
    this.#id = id;
  }

  async generate(input: Prompt, options: GenerateOptions = {}): Promise<WorkerGeneration> {
    return (await generateOn(this.#served, this.#id, [input], options))[0]!;
  }

  stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<WorkerPiece, void, undefined> {
    return streamOn(this.#served, this.#id, input, options);
  }

  /** The tokens whose keys and values it keeps, and how many of the latest prompt were not read again. */
  state(): Promise<{ ids: readonly number[]; reused: number }> {
    return this.#served.conversationState(this.#id);
  }

  dispose(): void {
    releasing(this.#served, this.#id)();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

async function generateOn(
  served: Remote<Served>,
  target: Id,
  inputs: readonly Prompt[],
  options: GenerateOptions,
): Promise<WorkerGeneration[]> {
  const { plain, signal, processor } = split(options);
  const generations: GenerationDescription[] = await unlessAborted(signal, served.generate(target, inputs, plain, signal, processor));
  return generations.map(({ id, attentions, ...rest }) => {
    const dispose = id === undefined ? () => {} : releasing(served, id);
    const maps = id !== undefined && attentions && { attentions: mapsOf(served, id, attentions) };
    return { ...rest, ...maps, dispose, [Symbol.dispose]: dispose };
  });
}

async function* streamOn(
  served: Remote<Served>,
  target: Id,
  input: Prompt,
  options: GenerateOptions,
): AsyncGenerator<WorkerPiece, void, undefined> {
  const { plain, signal, processor } = split(options);
  const id = await unlessAborted(signal, served.stream(target, input, plain, signal, processor));
  let ended = false;
  try {
    for (;;) {
      const piece: PieceDescription | undefined = await unlessAborted(signal, served.next(id));
      ended = piece === undefined;
      if (!piece) return;
      const { attentions, ...rest } = piece;
      yield { ...rest, ...(attentions && { attentions: mapsOf(served, id, attentions) }) };
    }
  } finally {
    if (!ended) await served.stop(id);
  }
}

/** What can be cloned, and what goes by itself. */
function split({ signal, logitsProcessor, ...plain }: GenerateOptions): {
  plain: PlainGenerateOptions;
  signal: AbortSignal | undefined;
  processor: LogitsProcessor | undefined;
} {
  const list: readonly LogitsProcessor[] =
    logitsProcessor === undefined ? [] : typeof logitsProcessor === "function" ? [logitsProcessor] : logitsProcessor;
  if (list.length === 0) return { plain, signal, processor: undefined };
  const processor: LogitsProcessor = async (ids, logits, row) => {
    let current = logits;
    for (const process of list) current = (await process(ids, current, row)) ?? current;
    return transfer(current, [current.buffer]);
  };
  return { plain, signal, processor: proxy(processor) };
}

function mapsOf(served: Remote<Served>, id: Id, attentions: AttentionsDescription): WorkerAttentions {
  const maps = (kind: AttentionKind, { queryTokens, keyTokens, ...rest }: MapsDescription): WorkerMaps => ({
    ...rest,
    queryTokens: (batch) => queryTokens[batch ?? 0],
    keyTokens: (batch) => keyTokens[batch ?? 0],
    read: (request: MapRequest) => served.readMap(id, kind, request),
  });
  return Object.fromEntries(Object.entries(attentions).map(([kind, description]) => [kind, maps(kind as AttentionKind, description)]));
}

/** Sent once, and not waited for: what fails then is freed already. */
function releasing(served: Remote<Served>, id: Id): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    served.release(id).then(noWait, noWait);
  };
}
