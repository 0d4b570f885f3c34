// The page's tabs: one per model. Arrows, Home and End move, as in every tab list.
import { useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { scenes } from "../sessions/scenes.ts";
import { chooseScene } from "../state/choose-scene.ts";
import { view } from "../state/view.ts";

export function SceneTabs() {
  const list = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent) => {
    const at = scenes.findIndex(({ id }) => id === view.scene.value);
    const next: Readonly<Record<string, number>> = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: scenes.length - 1 };
    const to = next[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const { id } = scenes[(to + scenes.length) % scenes.length]!;
    chooseScene(id);
    list.current!.querySelector<HTMLButtonElement>(`[data-scene="${id}"]`)!.focus();
  };
  return (
    <nav aria-label={t.value.sceneTabs}>
      <div id="scenes" ref={list} role="tablist" aria-label={t.value.sceneTabs} onKeyDown={onKeyDown}>
        {scenes.map(({ id }) => {
          const selected = view.scene.value === id;
          return (
            <button
              key={id}
              type="button"
              role="tab"
              data-scene={id}
              aria-selected={selected}
              aria-controls="scene"
              tabIndex={selected ? 0 : -1}
              onClick={() => chooseScene(id)}
            >
              {t.value.scenes[id as keyof typeof t.value.scenes].tab}
            </button>
          );
        })}
      </div>
    </nav>
  );
}
