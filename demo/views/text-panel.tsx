// What is read, and what was written.
import { t } from "../i18n/index.ts";
import { current } from "../state/displayed.ts";
import { scene, shown, status } from "../state/runs.ts";
import { view } from "../state/view.ts";
import { Writing } from "./writing.tsx";

export function TextPanel() {
  const words = t.value;
  const { id, examples, languages } = scene.value;
  const names = words.scenes[id as keyof typeof words.scenes];
  const exampleNames: readonly string[] | undefined = words.exampleNames[id as keyof typeof words.exampleNames];
  const kinds = shown.value?.kinds ?? scene.value.kinds;
  return (
    <section id="translation">
      <label for="source">{names.input}</label>
      <textarea
        id="source"
        dir="auto"
        lang={languages?.input}
        rows={2}
        maxLength={400}
        spellcheck={false}
        value={view.text.value}
        onInput={(event) => (view.text.value = event.currentTarget.value)}
      />
      <p id="examples" role="group" aria-label={words.examples}>
        {examples.map((example, i) => (
          <button
            key={example}
            type="button"
            title={example}
            lang={exampleNames?.[i] ? undefined : languages?.input}
            onClick={() => (view.text.value = example)}
          >
            {exampleNames?.[i] ?? example}
          </button>
        ))}
      </p>
      {kinds.includes("decoder") && (
        <>
          {view.target.value === undefined ? (
            <>
              <span class="label">{names.output}</span>
              <p id="target" dir="auto" lang={languages?.output} aria-live="polite" class={status.value.state === "running" ? "busy" : ""}>
                {current.value?.output}
              </p>
            </>
          ) : (
            <>
              <label for="forced">{names.output}</label>
              <textarea
                id="forced"
                dir="auto"
                lang={languages?.output}
                rows={2}
                maxLength={400}
                spellcheck={false}
                value={view.target.value}
                onInput={(event) => (view.target.value = event.currentTarget.value)}
              />
            </>
          )}
          <Writing />
        </>
      )}
    </section>
  );
}
