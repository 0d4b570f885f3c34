// What goes between a page and its worker, beside what comlink takes by itself: descriptions of things that stay in the worker, abort signals,
// and errors that keep their class and fields.
import { transfer, transferHandlers } from "comlink";
import type { AttentionKind } from "../models/architecture.ts";
import * as errors from "../errors.ts";
import { MissingFileError } from "../load/source.ts";

/** A thing in the worker, by which it is found again. */
export type Id = number;

/** Attention maps of a kind, as a page knows them without asking. */
export interface MapsDescription {
  readonly layers: number;
  readonly heads: number;
  readonly captured: readonly number[];
  readonly shape: readonly [number, number, number, number];
  readonly queryTokens: readonly (readonly string[] | undefined)[];
  readonly keyTokens: readonly (readonly string[] | undefined)[];
}
export type AttentionsDescription = Readonly<Partial<Record<AttentionKind, MapsDescription>>>;

const CLASSES: Readonly<Record<string, new (...args: never[]) => Error>> = {
  FoveaError: errors.FoveaError,
  UnsupportedError: errors.UnsupportedError,
  CheckpointError: errors.CheckpointError,
  ConfigError: errors.ConfigError,
  InputError: errors.InputError,
  ShapeError: errors.ShapeError,
  ShaderError: errors.ShaderError,
  DeviceLostError: errors.DeviceLostError,
  MissingFileError,
};

/** As comlink sends errors, so that a side that was not taught reads one; beside it what makes it the same error again. */
interface WiredError {
  readonly isError: true;
  readonly value: { readonly message: string; readonly name: string; readonly stack: string | undefined };
  readonly class: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
type Wired = WiredError | { readonly isError: false; readonly value: unknown };

/** As comlink's own handler has it. */
interface Thrown {
  readonly value: unknown;
}

function pack(value: unknown): Wired {
  if (!(value instanceof Error)) return { isError: false, value };
  const { name, message, stack } = value;
  const fields = Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => (key === "name" || key === "cause" ? [] : [[key, cloneable(field)] as const])),
  );
  // Of several that fit the last, a child of those before. Minifiers rename classes, so names are not asked.
  const own = Object.entries(CLASSES).findLast(([, type]) => value instanceof type)?.[0] ?? "";
  return { isError: true, value: { message, name, stack }, class: own, fields };
}

function unpack(packed: Wired): unknown {
  if (!packed.isError) return packed.value;
  const { value, class: own, fields } = packed;
  const error = new Error(value.message);
  const type = CLASSES[own];
  if (type) Object.setPrototypeOf(error, type.prototype as object);
  // An abort's name is all that tells it.
  return Object.assign(Object.defineProperties(error, { name: plain(value.name), stack: plain(value.stack) }), fields);
}

const plain = (value: unknown) => ({ value, configurable: true, writable: true });

/** What cannot be sent stands as text. */
function cloneable(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    return String(value);
  }
}

let taught = false;

/** Teaches comlink on either side, once. The page may use it for workers of its own: theirs fail as before. */
export function teachComlink(): void {
  if (taught) return;
  taught = true;
  const kept = transferHandlers.get("throw")!;
  transferHandlers.set("throw", {
    canHandle: (value): value is Thrown => kept.canHandle(value),
    serialize: ({ value }: Thrown) => [pack(value), []],
    deserialize(packed: Wired) {
      if ("class" in packed) throw unpack(packed);
      return kept.deserialize(packed) as Thrown;
    },
  });
}

/** What goes with a call that a signal may stop: `port`, and when the call is over `close` lets go of both ends. */
export interface SentSignal {
  readonly port: MessagePort | undefined;
  readonly close: () => void;
}

export function sendSignal(signal: AbortSignal | undefined): SentSignal {
  if (!signal) return { port: undefined, close: () => undefined };
  const { port1, port2 } = new MessageChannel();
  const send = () => {
    port1.postMessage(pack(signal.reason));
    port1.close();
  };
  if (signal.aborted) send();
  else signal.addEventListener("abort", send, { once: true });
  const close = () => {
    signal.removeEventListener("abort", send);
    port1.close();
  };
  return { port: transfer(port2, [port2]), close };
}

/** The signal on the other side. */
export function receiveSignal(port: MessagePort | undefined): AbortSignal | undefined {
  if (!port) return undefined;
  const controller = new AbortController();
  port.addEventListener("message", ({ data }) => controller.abort(unpack(data as Wired)), { once: true });
  port.start();
  return controller.signal;
}
