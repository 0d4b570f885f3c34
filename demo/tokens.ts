// How vocabulary pieces are shown: without the word-start mark, pieces inside a word with a leading hyphen.
const WORD_START = "▁";

const isMarked = (token: string) => /^<.*>$/.test(token);

/** What a label shows for a piece. */
export function display(token: string): string {
  if (token === WORD_START) return "␣";
  if (token.startsWith(WORD_START)) return token.slice(1);
  return isMarked(token) || /^\p{P}+$/u.test(token) ? token : `-${token}`;
}
