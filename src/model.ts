// The model as its users see it.
import type { CaptureSelection } from "./capture/attentions.ts";
import { type HeadScale, selectAttention } from "./capture/selection.ts";
import type { Engine } from "./engine/engine.ts";
import type { EngineHost } from "./engine/host.ts";
import { forward, forwardDecodeGraph, forwardDims, type Run } from "./engine/forward.ts";
import { encodeGraph } from "./engine/graphs.ts";
import { checkNames, type IdsInput, inputLimits, type Rows, toMatrix, toRows } from "./engine/inputs.ts";
import { InputError } from "./errors.ts";
import type { Conversation } from "./generate/conversation.ts";
import type { Generation, Piece } from "./generate/generate.ts";
import type { GenerateOptions } from "./generate/options.ts";
import type { Prompt } from "./generate/prompt.ts";
import type { Profile } from "./gpu/profile.ts";
import type { RawConfig } from "./load/config.ts";
import { type Head, writes } from "./models/architecture.ts";
import type { Tokenizer } from "./text/tokenizer.ts";

export interface ForwardInput {
  /** [batch, tokens] */
  readonly inputIds: IdsInput;
  /** 1 for tokens, 0 for padding, which may be on either side. Default: all 1. */
  readonly attentionMask?: IdsInput;
  /** Segment of each token. Default: all 0. */
  readonly tokenTypeIds?: IdsInput;
  /** Encoder–decoders: [batch, target tokens], beginning with the decoder's start token. Default of BART: the source shifted right. */
  readonly decoderInputIds?: IdsInput;
  readonly decoderAttentionMask?: IdsInput;
}

/** `encodings` stand beside the rows that a tokenizer makes of texts. */
const INPUTS = ["inputIds", "attentionMask", "tokenTypeIds", "decoderInputIds", "decoderAttentionMask", "encodings"];
const FORWARD_OPTIONS = ["capture", "headScale", "signal"];

export interface ForwardCallOptions {
  /** Attention to capture: "all", or a selection such as `{ cross: [{ layer: 2, head: 5 }] }`. Default: none, at no cost. */
  readonly capture?: CaptureSelection;
  /**
   * Heads whose output (softmax·v, before the output projection) is multiplied by `scale`, as by Hugging Face's `head_mask`:
   * `{ cross: [{ layer: 0, head: 7 }] }` switches one off. Captured maps stay those of the softmax. Default: none, at no cost.
   */
  readonly headScale?: HeadScale;
  readonly signal?: AbortSignal;
}

export interface ModelParts {
  readonly host: EngineHost;
  readonly config: RawConfig;
  readonly generation: RawConfig;
  readonly tokenizer: Tokenizer | undefined;
}

/** Fetched when something is first generated: models that only read never need it. */
const generating = () => import("./generate/generate.ts");

/** A loaded model. Made by `loadModel`; owns GPU memory until `dispose()`. */
export class Model {
  /** config.json as it is in the file. */
  readonly config: RawConfig;
  /** generation_config.json over what config.json says of generation. */
  readonly generationConfig: RawConfig;
  /** Undefined where no tokenizer.json (or the older files) came with the checkpoint: then input is given as ids. */
  readonly tokenizer: Tokenizer | undefined;
  readonly #host: EngineHost;

  constructor({ host, config, generation, tokenizer }: ModelParts) {
    this.#host = host;
    this.config = config;
    this.generationConfig = generation;
    this.tokenizer = tokenizer;
  }

  /** What it does with text: read it, go on with it, or read one and write another. */
  get kind(): "encoder" | "decoder" | "encoder-decoder" {
    return this.#engine.architecture.kind;
  }

  /** What stands on its hidden states, as config.json's `architectures` says: a language model, a classifier, nothing. */
  get head(): Head {
    return this.#engine.architecture.head;
  }

  /** Tokens of the longest sequence it takes. */
  get maxTokens(): number {
    return this.#engine.architecture.maxPositions;
  }

  /** The device the model runs on. */
  get device(): GPUDevice {
    return this.#engine.device;
  }

  /**
   * Loads the weights again, onto another device: after a DeviceLostError of a device you passed in, or to move. A lost
   * device of the model's own is replaced without this, and what was running goes on. Runs and captured maps made before
   * are gone.
   * @param device it stays yours. Default: one of the model's own
   */
  rebuild(device?: GPUDevice): Promise<void> {
    return this.#host.rebuild(device);
  }

  /**
   * One forward pass over whole sequences.
   * @returns logits, hidden states and captured attention, left on the GPU until read; free them with `dispose()`
   */
  async forward(input: ForwardInput, options: ForwardCallOptions = {}): Promise<Run> {
    checkNames("forward", "option", options, FORWARD_OPTIONS);
    const { capture, headScale, signal } = options;
    signal?.throwIfAborted();
    const selection = selectAttention(this.#engine.architecture, { capture, headScale });
    const rows = this.#rows(input);
    return this.#host.run((engine) => forward(engine, rows, { selection, tokenizer: this.tokenizer, signal }));
  }

  /**
   * Generates for a text, ids or the messages of a chat, or for a batch of them; one in, one out. Greedy by default, sampling or beam search by
   * options; the checkpoint's generation_config.json gives what options leave open.
   */
  generate(input: Prompt, options?: GenerateOptions): Promise<Generation>;
  generate(input: readonly Prompt[], options?: GenerateOptions): Promise<Generation[]>;
  async generate(input: Prompt | readonly Prompt[], options: GenerateOptions = {}): Promise<Generation | Generation[]> {
    const [first] = input;
    const several = typeof input !== "string" && (typeof first === "string" || Array.isArray(first));
    const { generate } = await generating();
    const generations = await generate(this.#generator, several ? (input as readonly Prompt[]) : [input as Prompt], options);
    return several ? generations : generations[0]!;
  }

  /** Generates token by token: greedy or sampled, one input at a time. Leaving the loop stops it and frees its memory. */
  async *stream(input: Prompt, options: GenerateOptions = {}): AsyncGenerator<Piece, void, undefined> {
    const { stream } = await generating();
    yield* stream(this.#generator, input, options);
  }

  /**
   * A conversation, of decoders: generations that follow one another and keep the keys and values of what has been read, so that only
   * what is new in a prompt is read. Dispose it.
   */
  async conversation(): Promise<Conversation> {
    const { Conversation } = await import("./generate/conversation.ts");
    return new Conversation(this.#generator);
  }

  /**
   * Compiles ahead what first calls on up to 32 tokens would compile: forward passes, generation as the checkpoint's
   * defaults have it, and streaming.
   */
  async warmup(): Promise<void> {
    const { architecture } = await this.#host.ready();
    const { maxPositions } = architecture;
    // Kernels are chosen by length in powers of two.
    for (const tokens of [1, 2, 4, 8, 16, 32]) {
      const inputIds = [Array.from({ length: Math.max(1, Math.min(tokens, maxPositions - 1)) }, () => 0)];
      (await this.forward(architecture.kind === "encoder-decoder" ? { inputIds, decoderInputIds: inputIds } : { inputIds })).dispose();
      // A model of one position has none for a new token.
      if (!writes(architecture) || maxPositions === 1) continue;
      await this.generate(inputIds[0]!, { maxNewTokens: 1 });
      for await (const _ of this.stream(inputIds[0]!, { maxNewTokens: 1 })) break;
    }
  }

  /** The plans that such a forward pass runs; `toString()` prints the table. */
  plan(input: ForwardInput): { toString(): string } {
    const { source, target } = this.#rows(input);
    const dims = forwardDims(this.#engine, source, target);
    const plans = [
      ...(source ? [this.#engine.compile("encode", encodeGraph(this.#engine), dims)] : []),
      ...(target ? [this.#engine.compile("decode", forwardDecodeGraph(this.#engine), dims)] : []),
    ];
    return { toString: () => plans.map((plan) => plan.toString(dims)).join("\n\n") };
  }

  /**
   * GPU time of every dispatch that the model makes while `run` is under way, by kernel and by module:
   * `model.profile(() => model.generate("…"))`. Do the same once before: pipelines that have never run are slow. Each dispatch
   * has a compute pass of its own meanwhile, which takes longer: the sum is not a run's time.
   * @throws UnsupportedError where the device has no timestamp-query
   */
  async profile(run: () => Promise<unknown>): Promise<Profile> {
    const { profile } = await import("./gpu/timing.ts");
    return profile(await this.#host.ready(), run);
  }

  /** Bytes on the GPU: weights, slots shared by all runs, sessions (KV caches, step state, runs not yet disposed), staging. */
  memory(): { weights: number; slots: number; sessions: number; staging: number; total: number } {
    return this.#engine.memory();
  }

  /** Frees everything the model holds on the GPU. Idempotent; a device you passed in stays open. */
  dispose(): void {
    this.#host.dispose();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  get #generator() {
    return { host: this.#host, tokenizer: this.tokenizer, config: this.generationConfig };
  }

  get #engine(): Engine {
    return this.#host.engine;
  }

  #rows(input: ForwardInput): { source?: Rows & { types?: number[][] }; target?: Rows } {
    checkNames("forward", "input", input, INPUTS);
    const { architecture } = this.#engine;
    const main = toRows(input.inputIds, input.attentionMask, inputLimits(architecture));
    if (architecture.kind === "decoder") return { target: main };
    const source = { ...main, ...(input.tokenTypeIds !== undefined && { types: this.#types(input.tokenTypeIds, main) }) };
    if (architecture.kind === "encoder") return { source };
    if (input.decoderInputIds === undefined) {
      const { shiftedStart } = architecture;
      if (shiftedStart !== undefined)
        return { source, target: { ...main, ids: main.ids.map((row) => [shiftedStart, ...row.slice(0, -1)]) } };
      throw new InputError("forward: an encoder–decoder needs decoderInputIds", {
        field: "decoderInputIds",
        expected: "[batch, target tokens]",
      });
    }
    const target = toRows(input.decoderInputIds, input.decoderAttentionMask, architecture, "decoderInputIds", "decoderAttentionMask");
    if (target.ids.length !== source.ids.length)
      throw new InputError(`decoderInputIds: expected ${source.ids.length} rows as inputIds has, got ${target.ids.length}`, {
        field: "decoderInputIds",
        expected: source.ids.length,
        got: target.ids.length,
      });
    return { source, target };
  }

  #types(input: IdsInput, rows: Rows): number[][] {
    const count = this.#engine.architecture.typeVocabSize;
    if (count === undefined)
      throw new InputError("tokenTypeIds: this model has no token types", { field: "tokenTypeIds", expected: "nothing", got: input });
    const matrix = toMatrix(input, "tokenTypeIds");
    if (matrix.length !== rows.ids.length || matrix[0]!.length !== rows.width)
      throw new InputError(`tokenTypeIds: expected the shape of inputIds`, {
        field: "tokenTypeIds",
        expected: [rows.ids.length, rows.width],
        got: [matrix.length, matrix[0]!.length],
      });
    return rows.positions.map((positions, b) =>
      positions.map((t) => {
        const type = matrix[b]![t]!;
        if (!Number.isInteger(type) || type < 0 || type >= count)
          throw new InputError(`tokenTypeIds: type ${type} is not one of the model's ${count}`, {
            field: "tokenTypeIds",
            expected: `0 … ${count - 1}`,
            got: type,
          });
        return type;
      }),
    );
  }
}
