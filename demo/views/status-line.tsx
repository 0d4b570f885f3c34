// What is going on: loading with its size, or what went wrong, with the engine's own words as the detail.
import { t } from "../i18n/index.ts";
import { megabytes } from "../maps/numbers.ts";
import { scene, status } from "../state/runs.ts";

export function StatusLine() {
  const now = status.value;
  const words = t.value;
  if (now.state === "failed") {
    const { kind, about, detail } = now.trouble;
    return (
      <section id="status" class="failed" role="alert">
        <p id="status-text">{words.troubles[kind](about)}</p>
        <details>
          <summary>{words.troubleDetail}</summary>
          <p id="status-detail" lang="en">
            {detail}
          </p>
        </details>
      </section>
    );
  }
  if (now.state !== "loading") return null;
  const bytes = scene.value.bytes ?? now.total;
  const text = bytes > 0 ? words.loading(megabytes(bytes)) : words.opening;
  return (
    <section id="status" aria-live="polite">
      <p id="status-text">{text}</p>
      <progress id="progress" max={Math.max(1, now.total)} value={now.loaded} aria-label={text} />
    </section>
  );
}
