// Light or dark, as the reader's system has it.
import { signal } from "@preact/signals";

const query = matchMedia("(prefers-color-scheme: dark)");
export const dark = signal(query.matches);
query.addEventListener("change", ({ matches }) => (dark.value = matches));
