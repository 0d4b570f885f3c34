// How the model writes: greedy or searched, at what temperature, or not at all, where the reader types the target.
import { t } from "../i18n/index.ts";
import { scene, shown } from "../state/runs.ts";
import { view } from "../state/view.ts";

const BEAMS = [1, 4];

export function Writing() {
  const words = t.value.writing;
  const kinds = shown.value?.kinds ?? [];
  if (!scene.value.writes || kinds.length === 0 || !kinds.includes("decoder")) return null;
  const forced = view.target.value !== undefined;
  return (
    <div class="writing">
      <label>
        <input
          type="checkbox"
          id="force"
          checked={forced}
          onChange={(event) =>
            (view.target.value = event.currentTarget.checked
              ? (shown.value?.output.slice(kinds.includes("cross") ? 0 : view.text.value.length) ?? "")
              : undefined)
          }
        />{" "}
        {words.force}
      </label>
      {!forced && kinds.includes("cross") && (
        <label>
          {words.beams}{" "}
          <select
            id="beams"
            value={view.beams.value}
            onChange={(event) => {
              view.beams.value = Number(event.currentTarget.value);
              view.sequence.value = 0;
            }}
          >
            {BEAMS.map((beams) => (
              <option key={beams} value={beams}>
                {beams}
              </option>
            ))}
          </select>
        </label>
      )}
      {!forced && !kinds.includes("cross") && (
        <>
          <label>
            {words.temperature(view.temperature.value.toFixed(1))}{" "}
            <input
              type="range"
              id="temperature"
              min={0}
              max={1.5}
              step={0.1}
              value={view.temperature.value}
              onInput={(event) => (view.temperature.value = Number(event.currentTarget.value))}
            />
          </label>
          {view.temperature.value > 0 && (
            <label>
              {words.seed}{" "}
              <input
                type="number"
                id="seed"
                min={0}
                max={4294967295}
                step={1}
                value={view.seed.value}
                onInput={(event) => (view.seed.value = Math.max(0, Math.floor(Number(event.currentTarget.value)) || 0))}
              />
            </label>
          )}
        </>
      )}
    </div>
  );
}
