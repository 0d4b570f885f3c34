// The page's languages, each named in itself.
import { chooseLanguage, type Language, LANGUAGES, language, t } from "../i18n/index.ts";

export function LanguageChoice() {
  return (
    <label id="language">
      <span class="visually-hidden">{t.value.language}</span>
      <select value={language.value} onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}>
        {Object.entries(LANGUAGES).map(([tag, { name }]) => (
          <option key={tag} value={tag} lang={tag}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
