// What goes between a page and its worker, beside what comlink takes by itself: descriptions of things that stay in the worker, abort signals,
// and errors that keep their class and fields.
import { transferHandlers } from "comlink";
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

interface WiredError {
  readonly class: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** As comlink's own handler has it. */
interface Thrown {
  readonly value: unknown;
}

function pack(value: unknown): WiredError | { readonly value: unknown } {
  if (!(value instanceof Error)) return { value };
  const fields = Object.fromEntries(
    Object.entries(value).flatMap(([key, field]) => (key === "name" || key === "cause" ? [] : [[key, cloneable(field)] as const])),
  );
  // Of two that fit the child: minifiers rename classes, so names are not asked.
  const own = Object.entries(CLASSES).findLast(([, type]) => value.constructor === type)?.[0] ?? "";
  return { class: own, name: value.name, message: value.message, stack: value.stack, fields };
}

function unpack(packed: WiredError | { readonly value: unknown }): unknown {
  if (!("message" in packed)) return packed.value;
  const { class: own, name, message, stack, fields } = packed;
  const error = new Error(message);
  const type = CLASSES[own];
  if (type) Object.setPrototypeOf(error, type.prototype as object);
  // An abort's name is all that tells it.
  return Object.assign(Object.defineProperties(error, { name: plain(name), stack: plain(stack) }), fields);
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

/** Teaches comlink on either side. */
export function teachComlink(): void {
  const kept = transferHandlers.get("throw")!;
  transferHandlers.set("throw", {
    canHandle: (value): value is Thrown => kept.canHandle(value),
    serialize: ({ value }: Thrown) => [pack(value), []],
    deserialize: (packed: WiredError | { readonly value: unknown }) => {
      throw unpack(packed);
    },
  });
  transferHandlers.set("abort-signal", {
    canHandle: (value): value is AbortSignal => value instanceof AbortSignal,
    serialize(signal: AbortSignal) {
      const { port1, port2 } = new MessageChannel();
      const send = () => {
        port1.postMessage(pack(signal.reason));
        port1.close();
      };
      if (signal.aborted) send();
      else signal.addEventListener("abort", send, { once: true });
      return [port2, [port2]];
    },
    deserialize(port: MessagePort) {
      const controller = new AbortController();
      port.addEventListener("message", ({ data }) => controller.abort(unpack(data as WiredError)), { once: true });
      port.start();
      return controller.signal;
    },
  });
}
