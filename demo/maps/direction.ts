// Which way a text runs.
import type { Token } from "./data.ts";

const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;
const LETTER = /\p{L}/u;

/** By most of its tokens: names and numbers of the other direction may come first. */
export function directionOf(tokens: readonly Token[]): "ltr" | "rtl" {
  const written = tokens.filter(({ text, special }) => !special && LETTER.test(text));
  const leftwards = written.filter(({ text }) => RIGHT_TO_LEFT.test(text));
  return 2 * leftwards.length > written.length ? "rtl" : "ltr";
}
