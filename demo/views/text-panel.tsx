// What is read, and what was written.
import { t } from "../i18n/index.ts";
import { tagOf } from "../i18n/language-names.ts";
import { pairOf } from "../sessions/languages.ts";
import { current } from "../state/displayed.ts";
import { languages, scene, shown, status } from "../state/runs.ts";
import { LONGEST_TEXT } from "../state/url.ts";
import { view } from "../state/view.ts";
import { Sequences } from "./beam-tree.tsx";
import { Between } from "./between.tsx";
import { SecondText } from "./compare.tsx";
import { Writing } from "./writing.tsx";

const TEXT = { rows: 2, spellcheck: false, dir: "auto" } as const;

export function TextPanel() {
  const words = t.value;
  const { id, examples, languages: spoken } = scene.value;
  const pair = languages.value && pairOf(languages.value, { from: view.from.value, to: view.to.value });
  const [input, output] = [spoken?.input ?? (pair?.from && tagOf(pair.from)), spoken?.output ?? (pair && tagOf(pair.to))];
  const names = words.scenes[id];
  const exampleNames: readonly string[] = id in words.exampleNames ? words.exampleNames[id as keyof typeof words.exampleNames] : examples;
  const kinds = shown.value?.kinds ?? scene.value.kinds;
  return (
    <section id="translation">
      <Between />
      <label for="source">
        {names.input}
        {"notation" in names && ` (${names.notation})`}
      </label>
      <textarea
        {...TEXT}
        id="source"
        lang={input}
        maxLength={LONGEST_TEXT}
        value={view.text.value}
        onInput={(event) => (view.text.value = event.currentTarget.value)}
      />
      {examples.length > 0 && (
        <p id="examples" role="group" aria-label={words.examples}>
          {examples.map((example, i) => (
            <button key={example} type="button" title={example} onClick={() => (view.text.value = example)}>
              {exampleNames[i]}
            </button>
          ))}
        </p>
      )}
      {kinds.includes("decoder") && (
        <>
          <div class="written">
            {view.target.value === undefined ? <span class="label">{names.output}</span> : <label for="forced">{names.output}</label>}
            <Writing />
          </div>
          {view.target.value === undefined ? (
            <p id="target" dir="auto" lang={output} aria-live="polite" class={status.value.state === "running" ? "busy" : ""}>
              {current.value?.output}
            </p>
          ) : (
            <textarea
              {...TEXT}
              id="forced"
              lang={output}
              maxLength={LONGEST_TEXT}
              value={view.target.value}
              onInput={(event) => (view.target.value = event.currentTarget.value)}
            />
          )}
          <Sequences />
        </>
      )}
      <SecondText />
    </section>
  );
}
