// What is read, and what was written.
import { t } from "../i18n/index.ts";
import { scene, shown, status } from "../state/runs.ts";
import { view } from "../state/view.ts";

export function TextPanel() {
  const words = t.value;
  const { id, examples } = scene.value;
  const names = words.scenes[id as keyof typeof words.scenes];
  return (
    <section id="translation">
      <label for="source">{names.input}</label>
      <textarea
        id="source"
        rows={2}
        maxLength={400}
        spellcheck={false}
        value={view.text.value}
        onInput={(event) => (view.text.value = event.currentTarget.value)}
      />
      <p id="examples" aria-label={words.examples}>
        {examples.map((example) => (
          <button key={example} type="button" onClick={() => (view.text.value = example)}>
            {example}
          </button>
        ))}
      </p>
      <span class="label">{names.output}</span>
      <p id="target" aria-live="polite" class={status.value.state === "running" ? "busy" : ""}>
        {shown.value?.output}
      </p>
    </section>
  );
}
