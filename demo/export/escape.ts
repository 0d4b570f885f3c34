// Text for XML and HTML. Tokens may be anything: markup, quotes, control characters that XML cannot hold at all.

const NAMES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
/** What XML 1.0 has no way to write. */
// oxlint-disable-next-line no-control-regex -- these are the characters in question
const FORBIDDEN = /[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g;
/** Unicode has a picture of each C0 control character, in their order. */
const PICTURES = 0x2400;
const REPLACEMENT = "\uFFFD";

/** For text and for attribute values in double quotes. Control characters become their pictures (␀), halves of characters �. */
export function escape(text: string): string {
  return text
    .toWellFormed()
    .replace(FORBIDDEN, (c) => (c < " " ? String.fromCharCode(PICTURES + c.charCodeAt(0)) : REPLACEMENT))
    .replace(/[&<>"']/g, (c) => NAMES[c]!);
}
