// From which language to which: of translators between many.
import { language, t } from "../i18n/index.ts";
import { languageName } from "../i18n/language-names.ts";
import { pairOf } from "../sessions/languages.ts";
import { languages } from "../state/runs.ts";
import { view } from "../state/view.ts";

export function Between() {
  const known = languages.value;
  if (!known) return null;
  const page = language.value;
  const { from, to } = pairOf(known, { from: view.from.value, to: view.to.value });
  const all = known.names.map((name) => ({ name, text: languageName(name, page) })).toSorted((a, b) => a.text.localeCompare(b.text, page));
  const choice = (id: "from" | "to", label: string, value: string) => (
    <label>
      {label}{" "}
      <select id={`language-${id}`} value={value} onChange={(event) => (view[id].value = event.currentTarget.value)}>
        {all.map(({ name, text }) => (
          <option key={name} value={name}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
  const words = t.value.between;
  return (
    <p class="writing">
      {from !== undefined && choice("from", words.from, from)}
      {choice("to", words.to, to)}
    </p>
  );
}
