// The page's words: one file per language, all of the same shape; English is the measure. The browser's language chooses.
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

export const language = signal<Language>("en");
/** The words of the chosen language: `t.value.title`. */
export const t = computed((): Words => LANGUAGES[language.value]);
