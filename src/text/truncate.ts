// Cutting a text, or a pair, to a number of tokens: as huggingface/tokenizers does (utils/truncation.rs).
import { InputError } from "../errors.ts";

/** Which text of a pair loses tokens. */
export type Truncation = "longest_first" | "only_first" | "only_second";

export function truncate<T>(
  a: readonly T[],
  b: readonly T[] | undefined,
  room: number | undefined,
  how: Truncation,
): [readonly T[], readonly T[] | undefined] {
  const total = a.length + (b?.length ?? 0);
  if (room === undefined || total <= room) return [a, b];
  const refuse = (why: string) => new InputError(`encode: ${why}`, { field: "maxLength", expected: `room for ${total} tokens`, got: room });
  if (room < 0) throw refuse("maxLength leaves no room beside the special tokens");
  if (!b) {
    if (how === "only_second") throw refuse('truncation "only_second" needs a pair');
    return [a.slice(0, room), b];
  }
  if (how !== "longest_first") {
    const [cut, kept] = how === "only_first" ? [a, b] : [b, a];
    if (kept.length > room) throw refuse(`truncation "${how}" cannot make the pair short enough`);
    const short = cut.slice(0, room - kept.length);
    return how === "only_first" ? [short, kept] : [kept, short];
  }
  // The longer one first, until both are equally long.
  const least = Math.min(a.length, b.length);
  const short = Math.min(least, room);
  const long = Math.max(short, room - short);
  const [fromShort, fromLong] = short + long > room ? [Math.floor(room / 2), Math.ceil(room / 2)] : [short, long];
  return a.length > b.length ? [a.slice(0, fromLong), b.slice(0, fromShort)] : [a.slice(0, fromShort), b.slice(0, fromLong)];
}
