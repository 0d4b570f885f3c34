// Where in a text its tokens stand, for highlighting. The library tells no offsets, so they are found by lining the pieces up with the text:
// both are bytes without white space, the text's normalised character by character, so that each byte knows the characters it came from.
// What cannot be told for sure is undefined: white space alone, and unknown text next to other unknown text of the same word.
import type { TextModel } from "./text-model.ts";
import { byteOf, SPACE } from "./vocabulary.ts";

/** [start, end) in UTF-16 units, without the space before a word; undefined where it cannot be told. */
export type Offset = readonly [start: number, end: number] | undefined;

/** The text's visible bytes, in the order of its pieces. */
interface Line {
  readonly bytes: number[];
  /** The characters that each came from. */
  readonly from: (readonly [start: number, end: number])[];
  /** Whether a word begins with it: after white space, and at marks of punctuation and after them. */
  readonly starts: boolean[];
}

/** Bytes of a line, [start, end). */
type Place = readonly [start: number, end: number] | undefined;

const encoder = new TextEncoder();
/** As BERT's pre-tokenizer has it: ASCII's symbols count. */
const PUNCTUATION = /[\p{P}$+<=>^`|~]/u;
const isSpace = (code: number): boolean => code === 0x20 || (code >= 0x09 && code <= 0x0d);

export function offsetsOf(text: string, pieces: readonly string[], model: TextModel): Offset[] {
  // By characters, or where these change together (accents of their own) by graphemes.
  const line = lineOf(text, model, codePoints) ?? lineOf(text, model, graphemes);
  const surfaces = pieces.map((piece) => surfaceOf(piece, model));
  // A WordPiece vocabulary knows a word or does not.
  const words = model.spelling !== "bytes" && model.spelling.continuation !== "";
  const places = line && ((words ? alignWords(line, surfaces) : undefined) ?? align(line, surfaces));
  return pieces.map((_, i): Offset => {
    const place = places?.[i];
    return place && place[0] < place[1] ? trim(text, line!.from[place[0]]![0], line!.from[place[1] - 1]![1]) : undefined;
  });
}

type Segmentation = (text: string) => Iterable<{ readonly segment: string; readonly index: number }>;

const graphemes: Segmentation = (text) => new Intl.Segmenter(undefined, { granularity: "grapheme" }).segment(text);

function* codePoints(text: string): Generator<{ segment: string; index: number }> {
  let index = 0;
  for (const segment of text) {
    yield { segment, index };
    index += segment.length;
  }
}

function trim(text: string, start: number, end: number): Offset {
  const own = text.slice(start, end);
  return [start + own.length - own.trimStart().length, end - (own.length - own.trimEnd().length)];
}

/** Undefined where normalising segment by segment is not normalising the whole. */
function lineOf(text: string, model: TextModel, segments: Segmentation): Line | undefined {
  const line: Line = { bytes: [], from: [], starts: [] };
  const whole: number[] = [];
  let spaced = true;
  const push = (normal: string, range: readonly [number, number]) => {
    for (const character of normal) {
      const bytes = visible(character, model);
      const mark = PUNCTUATION.test(character);
      spaced ||= mark;
      bytes.forEach((byte, i) => {
        line.bytes.push(byte);
        line.from.push(range);
        line.starts.push(spaced && i === 0);
      });
      spaced = mark || bytes.length === 0;
    }
  };
  for (const { part, at, added } of split(text, model.added)) {
    if (added) {
      spaced = true;
      push(part, [at, at + part.length]);
      spaced = true;
      for (const byte of visible(part, model)) whole.push(byte);
      continue;
    }
    for (const { segment, index } of segments(part)) {
      // A lone space may be trimmed away by normalising, and separates all the same.
      if (segment.trim() === "") spaced = true;
      else push(model.normalize(segment), [at + index, at + index + segment.length]);
    }
    for (const byte of visible(model.normalize(part), model)) whole.push(byte);
  }
  return whole.length === line.bytes.length && whole.every((byte, i) => byte === line.bytes[i]) ? line : undefined;
}

/** The text's added tokens, and what is between them. */
function* split(text: string, added: TextModel["added"]): Generator<{ part: string; at: number; added: boolean }> {
  const written = [...added.keys()].filter((token) => token !== "").toSorted((a, b) => b.length - a.length);
  let start = 0;
  for (let at = 0; at < text.length;) {
    const token = written.find((t) => text.startsWith(t, at));
    if (token === undefined) {
      at++;
      continue;
    }
    if (at > start) yield { part: text.slice(start, at), at: start, added: false };
    yield { part: token, at, added: true };
    at += token.length;
    start = at;
  }
  if (start < text.length) yield { part: text.slice(start), at: start, added: false };
}

function visible(text: string, { spelling }: TextModel): number[] {
  const shown = spelling === "bytes" ? text : text.replaceAll(SPACE, "");
  return [...encoder.encode(shown)].filter((byte) => !isSpace(byte));
}

/** The visible bytes that a piece stands for; undefined for unknown text. */
function surfaceOf(piece: string, model: TextModel): readonly number[] | undefined {
  if (model.unknown !== undefined && piece === model.piece(model.unknown)) return undefined;
  if (model.added.has(piece)) return visible(piece, model);
  if (model.spelling === "bytes") return Array.from(piece, (c) => BYTES.get(c) ?? 0x20).filter((byte) => !isSpace(byte));
  const byte = byteOf(piece);
  if (byte !== undefined) return isSpace(byte) ? [] : [byte];
  const { continuation } = model.spelling;
  const own = continuation !== "" && piece.startsWith(continuation) ? piece.slice(continuation.length) : piece;
  return visible(own.endsWith("</w>") ? own.slice(0, -4) : own, model);
}

/** GPT-2's characters for bytes: printable ones are themselves, the others come after U+00FF in order. */
const BYTES: ReadonlyMap<string, number> = (() => {
  const printable = (byte: number) => (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return new Map(Array.from({ length: 256 }, (_, byte) => [String.fromCharCode(printable(byte) ? byte : next++), byte]));
})();

/** With unknown pieces that stand for one word each. Undefined where pieces and text do not say the same. */
function alignWords({ bytes, starts }: Line, surfaces: readonly (readonly number[] | undefined)[]): Place[] | undefined {
  const places: Place[] = [];
  let at = 0;
  for (const surface of surfaces) {
    const begin = at;
    if (!surface) {
      do at++;
      while (at < bytes.length && !starts[at]);
    } else {
      if (!surface.every((byte, i) => byte === bytes[at + i])) return undefined;
      at += surface.length;
    }
    places.push([begin, at]);
  }
  return at === bytes.length ? places : undefined;
}

/** With unknown pieces of any length. Undefined where pieces and text do not say the same. */
function align({ bytes, starts }: Line, surfaces: readonly (readonly number[] | undefined)[]): Place[] | undefined {
  const places: Place[] = surfaces.map(() => undefined);
  const matches = (surface: readonly number[], at: number) => surface.every((byte, i) => byte === bytes[at + i]);
  let [low, high] = [0, bytes.length];
  let [first, last] = [0, surfaces.length - 1];
  // From both ends to the first and the last unknown piece.
  for (; first <= last && surfaces[first]; first++) {
    const surface = surfaces[first]!;
    if (!matches(surface, low)) return undefined;
    places[first] = [low, (low += surface.length)];
  }
  for (; last >= first && surfaces[last]; last--) {
    const surface = surfaces[last]!;
    if (high - surface.length < low || !matches(surface, high - surface.length)) return undefined;
    places[last] = [(high -= surface.length), high + surface.length];
  }
  // Between them: each run of known pieces where it occurs only once.
  while (first <= last) {
    let known = first;
    while (known <= last && !surfaces[known]) known++;
    let unknown = known;
    while (unknown <= last && surfaces[unknown]) unknown++;
    const run = surfaces.slice(known, unknown).flatMap((surface) => [...surface!]);
    const found = known > last ? [high] : occurrences(run, low + 1, high);
    if (found.length !== 1) return places;
    const gap = unknownPlaces([low, found[0]!], known - first, starts);
    for (let i = first; i < known; i++) places[i] = gap[i - first];
    low = found[0]!;
    for (let i = known; i < unknown; i++) places[i] = [low, (low += surfaces[i]!.length)];
    first = unknown;
  }
  return low === high ? places : undefined;

  function occurrences(run: readonly number[], from: number, to: number): number[] {
    const all: number[] = [];
    for (let at = from; at + run.length <= to && all.length < 2; at++) if (matches(run, at)) all.push(at);
    return all;
  }
}

/** Unknown pieces next to each other are words, if there are as many words. */
function unknownPlaces([low, high]: readonly [number, number], count: number, starts: readonly boolean[]): Place[] {
  if (count === 1) return [[low, high]];
  const words = [low];
  for (let at = low + 1; at < high; at++) if (starts[at]) words.push(at);
  return Array.from({ length: count }, (_, i) => (words.length === count ? [words[i]!, words[i + 1] ?? high] : undefined));
}
