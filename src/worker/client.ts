// The page's side: the interface of a Model, off the page's thread. Calls become messages, arrays are handed over and not copied, and what
// stays in the worker is known here by number.
import { proxy, transfer, wrap } from "comlink";
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
import { Link, noWait } from "./link.ts";
import type { DeviceLoss, GenerationDescription, ModelDescription, PieceDescription, PlainGenerateOptions, Served } from "./serve.ts";
import { WorkerTokenizer } from "./tokenizer.ts";
import { type AttentionsDescription, type Id, type MapsDescription, sendSignal, teachComlink } from "./wire.ts";

/** Maps that lie in the worker. */
export type WorkerMaps = Pick<AttentionMaps, "layers" | "heads" | "captured" | "shape" | "queryTokens" | "keyTokens" | "read">;
export type WorkerAttentions = Readonly<Partial<Record<AttentionKind, WorkerMaps>>>;
export type WorkerRun = Omit<Run, "attentions"> & { readonly attentions: WorkerAttentions };
export type WorkerGeneration = Omit<Generation, "attentions"> & { readonly attentions?: WorkerAttentions };
export type WorkerPiece = Omit<Piece, "attentions"> & { readonly attentions?: WorkerAttentions };

/** As of LoadOptions; the device is the worker's own, choices of `tune` are kept in IndexedDB, and files in the Cache API. */
export type WorkerLoadOptions = Omit<LoadOptions, "device" | "tune" | "cache"> & {
  readonly tune?: boolean;
  readonly cache?: boolean;
  /**
   * A module worker that imports `fovea/worker-script`, or a function that starts one: that one is the model's own and ends with it.
   * Default: one of that script itself.
   */
  readonly worker?: Worker | (() => Worker);
};

const ownScript = (): Worker => new Worker(new URL("../worker-script.ts", import.meta.url), { type: "module" });

/** What a signal may stop. It fails with the signal's own reason, which lost what cannot be cloned on its way there and back. */
async function stoppable<T>(signal: AbortSignal | undefined, task: (port: MessagePort | undefined) => Promise<T>): Promise<T> {
  const { port, close } = sendSignal(signal);
  try {
    return await task(port);
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    close();
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
    const description = await stoppable(signal, (port) =>
      Promise.race([served.load(absolute(source), rest, port, onProgress && proxy(onProgress)), failed]),
    );
    return new WorkerModel(new Link(served, end), description);
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
  const page = globalThis.document?.baseURI ?? location.href;
  // What is no URL is the worker's to refuse.
  return URL.canParse(source, page) ? new URL(source, page).href : source;
}

/** A model in a worker. Made by `loadModel` of fovea/worker; `dispose()` frees it and ends a worker of its own. */
export class WorkerModel implements Pick<Model, "config" | "generationConfig" | "kind" | "head" | "maxTokens"> {
  readonly config: Model["config"];
  readonly generationConfig: Model["generationConfig"];
  readonly kind: Model["kind"];
  readonly head: Model["head"];
  readonly maxTokens: number;
  readonly tokenizer: WorkerTokenizer | undefined;
  readonly #link: Link;
  /** Asked for once, however often it is looked at. */
  #lost: Promise<DeviceLoss> | undefined;

  constructor(link: Link, { config, generationConfig, kind, head, maxTokens, tokenizer }: ModelDescription) {
    this.#link = link;
    this.config = config;
    this.generationConfig = generationConfig;
    this.kind = kind;
    this.head = head;
    this.maxTokens = maxTokens;
    this.tokenizer = tokenizer && new WorkerTokenizer(link, tokenizer);
  }

  async forward(input: ForwardInput, { signal, ...options }: ForwardCallOptions = {}): Promise<WorkerRun> {
    const link = this.#link;
    const { id, tensors, attentions } = await stoppable(signal, (port) => link.ask((served) => served.forward(input, options, port)));
    const named = tensors.map(({ name, shape }): [string, RunTensor] => [
      name,
      { shape, read: () => link.ask((served) => served.readTensor(id, name)) },
    ]);
    const dispose = link.releasing(id);
    return { ...Object.fromEntries(named), attentions: mapsOf(link, id, attentions), dispose, [Symbol.dispose]: dispose };
  }

  generate(input: Prompt, options?: GenerateOptions): Promise<WorkerGeneration>;
  generate(input: readonly Prompt[], options?: GenerateOptions): Promise<WorkerGeneration[]>;
  async generate(input: Prompt | readonly Prompt[], options: GenerateOptions = {}): Promise<WorkerGeneration | WorkerGeneration[]> {
    const [first] = input;
    const several = typeof input !== "string" && (typeof first === "string" || Array.isArray(first));
    const generations = await generateOn(this.#link, 0, several ? (input as readonly Prompt[]) : [input as Prompt], options);
    return several ? generations : generations[0]!;
  }

  stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<WorkerPiece, void, undefined> {
    return streamOn(this.#link, 0, input, options);
  }

  async conversation(): Promise<WorkerConversation> {
    return new WorkerConversation(this.#link, await this.#link.ask((served) => served.conversation()));
  }

  /** Of the device, which is the worker's, a page can know when it is lost. `lost` is of the one that the model runs on now. */
  get device(): { readonly lost: Promise<DeviceLoss> } {
    // With the model the device goes too.
    const lost = () =>
      (this.#lost ??= this.#link
        .ask((served) => served.lost())
        .catch((error: Error) => ({ reason: "destroyed" as const, message: error.message }))
        .finally(() => (this.#lost = undefined)));
    return {
      get lost() {
        return lost();
      },
    };
  }

  plan(input: ForwardInput): Promise<string> {
    return this.#link.ask((served) => served.plan(input));
  }

  memory(): Promise<ReturnType<Model["memory"]>> {
    return this.#link.ask((served) => served.memory());
  }

  warmup(): Promise<void> {
    return this.#link.ask((served) => served.warmup());
  }

  /** Calls that are under way fail. Idempotent. */
  dispose(): void {
    this.#link.end();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** A conversation in a worker. */
export class WorkerConversation {
  readonly #link: Link;
  readonly #id: Id;
  readonly #release: () => void;

  constructor(link: Link, id: Id) {
    this.#link = link;
    this.#id = id;
    this.#release = link.releasing(id);
  }

  async generate(input: Prompt, options: GenerateOptions = {}): Promise<WorkerGeneration> {
    return (await generateOn(this.#link, this.#id, [input], options))[0]!;
  }

  stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<WorkerPiece, void, undefined> {
    return streamOn(this.#link, this.#id, input, options);
  }

  /** The tokens whose keys and values it keeps, and how many of the latest prompt were not read again. */
  state(): Promise<{ ids: readonly number[]; reused: number }> {
    return this.#link.ask((served) => served.conversationState(this.#id));
  }

  /** Idempotent. */
  dispose(): void {
    this.#release();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}

/** @param target 0: the model itself, or a conversation's number */
async function generateOn(link: Link, target: Id, inputs: readonly Prompt[], options: GenerateOptions): Promise<WorkerGeneration[]> {
  const { plain, signal, processor } = split(options);
  const generations: GenerationDescription[] = await stoppable(signal, (port) =>
    link.ask((served) => served.generate(target, inputs, plain, port, processor)),
  );
  return generations.map(({ id, attentions, ...rest }) => {
    const dispose = id === undefined ? () => {} : link.releasing(id);
    const maps = id !== undefined && attentions && { attentions: mapsOf(link, id, attentions) };
    return { ...rest, ...maps, dispose, [Symbol.dispose]: dispose };
  });
}

async function* streamOn(link: Link, target: Id, input: Prompt, options: GenerateOptions): AsyncGenerator<WorkerPiece, void, undefined> {
  const { plain, signal, processor } = split(options);
  const { port, close } = sendSignal(signal);
  let open: Id | undefined;
  try {
    const id = await link.ask((served) => served.stream(target, input, plain, port, processor));
    open = id;
    for (;;) {
      const piece: PieceDescription | undefined = await link.ask((served) => served.next(id));
      if (!piece) {
        open = undefined;
        return;
      }
      const { attentions, ...rest } = piece;
      yield { ...rest, ...(attentions && { attentions: mapsOf(link, id, attentions) }) };
    }
  } catch (error) {
    throw signal?.aborted ? signal.reason : error;
  } finally {
    close();
    const id = open;
    if (id !== undefined) await link.ask((served) => served.stop(id)).catch(noWait);
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
    // Their own arrays stay with the processors.
    return current === logits ? transfer(current, [current.buffer]) : current;
  };
  return { plain, signal, processor: proxy(processor) };
}

function mapsOf(link: Link, id: Id, attentions: AttentionsDescription): WorkerAttentions {
  const maps = (kind: AttentionKind, { queryTokens, keyTokens, ...rest }: MapsDescription): WorkerMaps => ({
    ...rest,
    queryTokens: (batch) => queryTokens[batch ?? 0],
    keyTokens: (batch) => keyTokens[batch ?? 0],
    read: (request: MapRequest) => link.ask((served) => served.readMap(id, kind, request, rest.shape)),
  });
  return Object.fromEntries(Object.entries(attentions).map(([kind, description]) => [kind, maps(kind as AttentionKind, description)]));
}
