// The page's words: one file per language, all of the same shape; English is the measure. The reader's choice goes before the
// browser's wish, and is remembered where the browser allows it.
import { computed, signal } from "@preact/signals";
import { en, type Words } from "./en.ts";
import { zhCN } from "./zh-CN.ts";

export const LANGUAGES = { en, "zh-CN": zhCN } satisfies Readonly<Record<string, Words>>;
export type Language = keyof typeof LANGUAGES;

/** The language file for a list of wishes, most wanted first (`navigator.languages`). */
export function bestLanguage(wanted: readonly string[]): Language {
  for (const tag of wanted) {
    const primary = tag.split("-")[0]!.toLowerCase();
    const found = (Object.keys(LANGUAGES) as Language[]).find((l) => l.split("-")[0] === primary);
    if (found) return found;
  }
  return "en";
}

/** Chosen by the reader or by the link; undefined: as the browser wishes. */
export const chosenLanguage = signal<Language | undefined>(undefined);
export const language = computed(
  (): Language => chosenLanguage.value ?? remembered() ?? bestLanguage(globalThis.navigator?.languages ?? []),
);
/** The words of the chosen language: `t.value.title`. */
export const t = computed((): Words => LANGUAGES[language.value]);

const STORED = "fovea language";

/** Chooses a language, for this page and for the next visit. */
export function chooseLanguage(to: Language): void {
  chosenLanguage.value = to;
  try {
    localStorage.setItem(STORED, to);
  } catch {
    // Storage may be full, or forbidden to this page: then the choice ends with the visit.
  }
}

function remembered(): Language | undefined {
  try {
    const stored = localStorage.getItem(STORED);
    return (Object.keys(LANGUAGES) as Language[]).find((l) => l === stored);
  } catch {
    return undefined;
  }
}
