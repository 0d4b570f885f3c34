// What else could have been written at the place in focus: the likeliest tokens as bars. With nothing in focus the newest token
// while the text grows, and where the model was least sure when it is whole.
import { t } from "../i18n/index.ts";
import { current } from "../state/displayed.ts";
import type { Step } from "../sessions/session.ts";
import { status } from "../state/runs.ts";
import { focus, view } from "../state/view.ts";

export function Candidates() {
  const steps = current.value?.steps ?? [];
  const newest = status.value.state === "running" ? steps.findLastIndex((step) => step.candidates) : leastSure(steps);
  const row = [focus.value?.row, view.pins.value.at(-1)].find((at) => at !== undefined && steps[at]?.candidates) ?? newest;
  // Rows are words then.
  if (view.unit.value === "word") return null;
  const { text, probability, candidates, filled } = steps[row] ?? {};
  if (text === undefined || probability === undefined || !candidates) return null;
  const words = t.value.candidates;
  return (
    <section class="candidates" aria-labelledby="candidates-title">
      <h2 id="candidates-title">{filled ? words.filled : words.title}</h2>
      <p class="hint">{(filled ? words.likeliest : words.chosen)(text, percent(probability))}</p>
      <ol>
        {candidates.map((candidate, i) => (
          <li key={i} class={candidate.text === text ? "written" : ""}>
            <bdi>{candidate.text}</bdi>
            <span class="bar" style={{ "--share": candidate.probability }} aria-hidden="true" />
            <span>{percent(candidate.probability)}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

const leastSure = (steps: readonly Step[]): number =>
  steps.reduce((least, { probability = 1 }, i) => (probability < (steps[least]?.probability ?? 1) ? i : least), 0);

const percent = (share: number): string => (share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
