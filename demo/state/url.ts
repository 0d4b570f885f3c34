// The view as the part of an address after #, and back: `scene=translation&text=…&kind=cross&layer=0&head=7`. Pure. An address comes
// from anywhere: what it says is read value by value, and a value that is none of ours is as good as absent.
import { LANGUAGES, type Language } from "../i18n/index.ts";
import { type Kind, KINDS } from "../maps/data.ts";
import type { HeadOf, SceneId } from "../sessions/session.ts";
import type { Cell, View } from "./view.ts";

/** All that a link holds, as plain values. */
export type Choices = { readonly [K in keyof View]: View[K]["value"] } & {
  /** Undefined: as the browser wishes. */
  readonly language: Language | undefined;
};

export const LONGEST_TEXT = 2000;
const MOST_ITEMS = 64;
const LARGEST_INDEX = 9999;

interface Field<T> {
  /** The parameters of a value; none where it is undefined. */
  write(value: T): Readonly<Record<string, string>>;
  /** Undefined where the parameters are absent or make no sense. */
  read(params: URLSearchParams): T | undefined;
}

/** One field per choice, in the order of a link. A choice that is added to the view is asked for here by the compiler. */
const FIELDS: { readonly [K in keyof Choices]: Field<Choices[K]> } = {
  scene: oneOf<SceneId>("scene", { translation: "translation", reactions: "reactions", stories: "stories", folder: "folder" }),
  text: text("text"),
  target: optional(text("target")),
  kind: oneOf<Kind>("kind", { cross: "cross", encoder: "encoder", decoder: "decoder" }),
  head: {
    write: ({ layer, head }) => ({ layer: String(layer), head: String(head) }),
    read: (params) => {
      const [layer, head] = [index(params.get("layer")), index(params.get("head"))];
      return layer === undefined || head === undefined ? undefined : { layer, head };
    },
  },
  average: oneOf("average", { none: "none", layer: "layer", all: "all" }),
  pins: list("pins", String, index),
  cell: optional(cell("cell")),
  scale: oneOf("scale", { "square root": "sqrt", linear: "linear", logarithmic: "log" }),
  range: oneOf("range", { shared: "shared", row: "row", map: "map" }),
  sinks: oneOf("sinks", { show: "show", clip: "clip", hide: "hide" }),
  unit: oneOf("unit", { token: "token", word: "word" }),
  weighting: oneOf("weighting", { attention: "attention", values: "values" }),
  off: list("off", ({ kind, layer, head }) => `${kind}.${layer}.${head}`, headOf),
  compare: optional(text("compare")),
  change: flag("change"),
  beams: number("beams", { least: 1, most: 8, whole: true }),
  sequence: number("sequence", { most: 7, whole: true }),
  from: optional(name("from")),
  to: optional(name("to")),
  temperature: number("temperature", { most: 1.5 }),
  seed: number("seed", { most: 2 ** 32 - 1, whole: true }),
  language: optional(oneOf("language", Object.fromEntries(Object.keys(LANGUAGES).map((l) => [l, l])) as Record<Language, string>)),
};

const KEYS = Object.keys(FIELDS) as (keyof Choices)[];
/** In every link, whatever the page would choose by itself: what is seen is not to change when examples do. */
const ALWAYS: readonly (keyof Choices)[] = ["scene", "text", "kind", "head"];

/** The address part of these choices, without `#`. What is as in `defaults` is left out. */
export function encode(choices: Choices, defaults: Choices): string {
  const params = new URLSearchParams();
  for (const key of KEYS) {
    const written = write(key, choices);
    if (!ALWAYS.includes(key) && JSON.stringify(written) === JSON.stringify(write(key, defaults))) continue;
    for (const [name, value] of Object.entries(written)) params.set(name, value);
  }
  return params.toString();
}

const write = <K extends keyof Choices>(key: K, choices: Choices) => FIELDS[key].write(choices[key]);

/** What an address part says, with or without `#`. Never throws; what it does not say, or says wrongly, is missing. */
export function decode(hash: string): Partial<Choices> {
  const params = new URLSearchParams(hash.replace(/^#/, ""));
  return Object.fromEntries(KEYS.map((key) => [key, FIELDS[key].read(params)] as const).filter(([, value]) => value !== undefined));
}

function text(name: string): Field<string> {
  return { write: (value) => ({ [name]: value }), read: (params) => bounded(params.get(name)) };
}

/** A language as some model names it. */
function name(name: string): Field<string> {
  return { write: (value) => ({ [name]: value }), read: (params) => /^[A-Za-z][\w-]{0,23}$/.exec(params.get(name) ?? "")?.[0] };
}

/** At most LONGEST_TEXT UTF-16 units, and no half of a character at the end. */
function bounded(value: string | null): string | undefined {
  return value?.slice(0, LONGEST_TEXT).replace(/[\uD800-\uDBFF]$/, "");
}

function oneOf<T extends string>(name: string, words: Readonly<Record<T, string>>): Field<T> {
  const values = Object.keys(words) as T[];
  return { write: (value) => ({ [name]: words[value] }), read: (params) => values.find((value) => words[value] === params.get(name)) };
}

function optional<T>(field: Field<T>): Field<T | undefined> {
  return { write: (value) => (value === undefined ? {} : field.write(value)), read: (params) => field.read(params) };
}

function number(name: string, { least = 0, most, whole = false }: { least?: number; most: number; whole?: boolean }): Field<number> {
  return {
    write: (value) => ({ [name]: String(value) }),
    read: (params) => {
      const written = params.get(name);
      if (written === null || written.trim() === "") return undefined;
      const value = Number(written);
      return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : undefined;
    },
  };
}

function cell(name: string): Field<Cell> {
  return {
    write: ({ row, column }) => ({ [name]: `${row}.${column}` }),
    read(params) {
      const [row, column, more] = (params.get(name) ?? "").split(".").map(index);
      return row === undefined || column === undefined || more !== undefined ? undefined : { row, column };
    },
  };
}

function flag(name: string): Field<boolean> {
  const answers = oneOf(name, { yes: "yes", no: "no" });
  return {
    write: (value) => answers.write(value ? "yes" : "no"),
    read: (params) => {
      const answer = answers.read(params);
      return answer && answer === "yes";
    },
  };
}

/** Comma-separated; empty where nothing was chosen. Items that make no sense are left out, and what was said before. */
function list<T>(name: string, one: (item: T) => string, parse: (item: string) => T | undefined): Field<readonly T[]> {
  return {
    write: (items) => ({ [name]: items.map(one).join(",") }),
    read: (params) => {
      const written = params.get(name);
      if (written === null) return undefined;
      const items = [...new Set(written.split(",", MOST_ITEMS))];
      return items.map(parse).filter((item) => item !== undefined);
    },
  };
}

function index(written: string | null): number | undefined {
  return written !== null && /^(0|[1-9]\d*)$/.test(written) && Number(written) <= LARGEST_INDEX ? Number(written) : undefined;
}

function headOf(written: string): HeadOf | undefined {
  const [of, at, number, ...rest] = written.split(".");
  const kind = KINDS.find((k) => k === of);
  const [layer, head] = [index(at ?? null), index(number ?? null)];
  return kind && layer !== undefined && head !== undefined && rest.length === 0 ? { kind, layer, head } : undefined;
}
