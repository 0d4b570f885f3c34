// What is going on: loading with its size, or what went wrong.
import { t } from "../i18n/index.ts";
import { scene, status } from "../state/runs.ts";

export function StatusLine() {
  const now = status.value;
  if (now.state === "failed") {
    return (
      <section id="status" class="failed" role="alert">
        <p id="status-text">{now.message}</p>
      </section>
    );
  }
  if (now.state !== "loading") return null;
  const text = t.value.loading((scene.value.bytes / 1e6).toFixed(0));
  return (
    <section id="status" aria-live="polite">
      <p id="status-text">{text}</p>
      <progress id="progress" max={Math.max(1, now.total)} value={now.loaded} aria-label={text} />
    </section>
  );
}
