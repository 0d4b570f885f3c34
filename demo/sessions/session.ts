// What the page's tabs have in common. A scene is a tab: a model and how it is asked; a session is that model, loaded; what
// one run gave is a `Shown`, whether it was computed just now, is still growing, or came with the page.
import type { Axes, Head, Kind } from "../maps/data.ts";
import type { LoadProgress, Model, SourceInput } from "../../src/index.ts";
import type { SessionLanguages } from "./languages.ts";
import type { Load } from "./loaded.ts";

export type SceneId = "translation" | "reactions" | "stories" | "folder";

/** A head by its kind: what can be chosen, pinned or switched off. */
export interface HeadOf extends Head {
  readonly kind: Kind;
}

/** A generated token. */
export interface Step {
  readonly text: string;
  /** Of the token among all, as the model saw it; in forced decoding too. */
  readonly probability?: number;
  /** The likeliest tokens at this place, likeliest first. */
  readonly candidates?: readonly { readonly text: string; readonly probability: number }[];
  /** Filled into a mask of the text that was read, not written behind it. */
  readonly filled?: boolean;
}

/** A token of beam search. */
export interface BeamToken {
  readonly text: string;
  /** The beam it continues, among `running` of the step before. */
  readonly parent: number;
  /** Of running beams the sum of log-probabilities, of ended ones what they are ranked by. */
  readonly score: number;
}

/** The whole of a beam search. */
export interface BeamTree {
  readonly steps: readonly { readonly running: readonly BeamToken[]; readonly ended: readonly BeamToken[] }[];
  /** The finished sequences, as the run's alternatives are: tokens, and the beam each token continued. */
  readonly sequences: readonly { readonly length: number; readonly parents: readonly number[] }[];
}

/** One run's result. */
export interface Shown {
  readonly input: string;
  /** The text written; empty where nothing is generated. */
  readonly output: string;
  /** What beam search ranked it by. */
  readonly score?: number;
  readonly beams?: BeamTree;
  /** With beams, all finished sequences, best first, each with maps of its own. */
  readonly alternatives?: readonly Shown[];
  /** One per row of the decoder's maps: what the model wrote when it looked like this. Of encoders: what it fills masks with. */
  readonly steps: readonly Step[];
  readonly kinds: readonly Kind[];
  /** Whether `read` takes `values`. */
  readonly valueWeighted?: boolean;
  axes(kind: Kind): Axes;
  /**
   * One head's map, [query, key] row-major.
   * @param values weighted by the length of each value vector: α‖v‖
   */
  read(kind: Kind, head: Head, options?: { readonly values?: boolean }): Promise<Float32Array>;
  /** Frees what it holds on the GPU. Idempotent. */
  dispose(): void;
}

export interface RunRequest {
  readonly text: string;
  /** A target to be read instead of a generated one (forced decoding). */
  readonly target?: string;
  /** Heads switched off: their outputs are zero. */
  readonly off: readonly HeadOf[];
  /** Beams that are searched; 1 is greedy. */
  readonly beams: number;
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
  /** Of translators between many languages, as their session names them; what they do not know is as good as absent. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly signal: AbortSignal;
  /** Called with what there is so far, as a text grows. What it is given is disposed with the last. */
  readonly onGrowth: (shown: Shown) => void;
}

export interface Session {
  readonly kind: Model["kind"];
  /** A text to begin with, where the scene has no examples. */
  readonly starter: string;
  /** Of translators that are told them. */
  readonly languages: SessionLanguages | undefined;
  run(request: RunRequest): Promise<Shown>;
  /** Resolves when the device is lost that the model runs on now: maps are gone then, and the model finds another device. */
  lost(): Promise<unknown>;
  dispose(): void;
}

export interface OpenOptions {
  /** Where a folder of the page lies: a URL there, a directory in Node. */
  readonly locate: (folder: string) => SourceInput;
  readonly load: Load;
  readonly onProgress: (progress: LoadProgress) => void;
  readonly signal: AbortSignal;
}

export interface Scene {
  readonly id: SceneId;
  /** Kinds in the order of their tabs. */
  readonly kinds: readonly Kind[];
  /** The head shown first, of each kind. */
  readonly start: Readonly<Partial<Record<Kind, Head>>>;
  /** Heads worth seeing; their names are in the language files under the scene. */
  readonly presets: readonly (HeadOf & { readonly name: string })[];
  readonly examples: readonly string[];
  /** BCP 47 tags of what is read and what is written, where known: screen readers speak them so. */
  readonly languages?: { readonly input: string; readonly output: string };
  /** Whether the first example's run comes with the page (`npm run openings`). */
  readonly opening?: boolean;
  /** Bytes that are fetched to run it; undefined where they are not known beforehand. */
  readonly bytes: number | undefined;
  /** Whether it writes a text (a target can be forced then). */
  readonly writes: boolean;
  open(options: OpenOptions): Promise<Session>;
}
