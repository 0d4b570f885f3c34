// What this is, in one sentence.
import { t } from "../i18n/index.ts";
import { LanguageChoice } from "./language-choice.tsx";

export function PageHeader() {
  return (
    <header>
      <h1>fovea</h1>
      <LanguageChoice />
      <p>{t.value.tagline}</p>
    </header>
  );
}
