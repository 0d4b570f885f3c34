// Light or dark, wide or narrow, as the reader's system has it.
import { signal } from "@preact/signals";

const query = matchMedia("(prefers-color-scheme: dark)");
export const dark = signal(query.matches);
query.addEventListener("change", ({ matches }) => (dark.value = matches));

const phone = matchMedia("(max-width: 46rem)");
/** Whether the page is one column. */
export const narrow = signal(phone.matches);
phone.addEventListener("change", ({ matches }) => (narrow.value = matches));
