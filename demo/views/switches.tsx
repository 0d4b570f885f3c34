// Switching heads off, or comparing with another text: what changes is the best evidence of what a head does.
import { t } from "../i18n/index.ts";
import { sameHead } from "../maps/data.ts";
import { head, kind } from "../state/displayed.ts";
import { reference, shown } from "../state/runs.ts";
import { view } from "../state/view.ts";
import { StartComparing } from "./compare.tsx";

export function Switches() {
  const words = t.value.switches;
  const [of, at, off] = [kind.value!, head.value, view.off.value];
  const isOff = off.some((other) => other.kind === of && sameHead(other, at));
  const toggle = () =>
    (view.off.value = isOff ? off.filter((other) => other.kind !== of || !sameHead(other, at)) : [...off, { kind: of, ...at }]);
  const before = view.compare.value === undefined ? reference.value : undefined;
  return (
    <div class="switches">
      <button type="button" id="switch-head" aria-pressed={isOff} onClick={toggle}>
        {isOff ? words.on : words.off}
      </button>
      <StartComparing />
      {off.length > 0 && (
        <>
          {(off.length > 1 || !isOff) && (
            <button
              type="button"
              id="switch-reset"
              onClick={() => {
                view.off.value = [];
              }}
            >
              {words.reset(off.length)}
            </button>
          )}
          <label>
            <input type="checkbox" checked={view.change.value} onChange={(event) => (view.change.value = event.currentTarget.checked)} />{" "}
            {words.change}
          </label>
          {before && before.output !== "" && (
            <p id="before" class="hint">
              {before.output === shown.value?.output ? words.same : words.before} <bdi>{before.output}</bdi>
            </p>
          )}
        </>
      )}
    </div>
  );
}
