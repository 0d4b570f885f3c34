// Tokens inside of sentences. A right-to-left word, or a mark of direction among the tokens, would turn the words around it; in
// markup <bdi> prevents that, in plain text (titles, labels, files) these two characters do.
const FIRST_STRONG_ISOLATE = "\u2068";
const POP_DIRECTIONAL_ISOLATE = "\u2069";

export const isolate = (text: string): string => FIRST_STRONG_ISOLATE + text + POP_DIRECTIONAL_ISOLATE;
