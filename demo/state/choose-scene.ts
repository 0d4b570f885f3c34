// Going from tab to tab: each keeps what was chosen in it.
import { batch } from "@preact/signals";
import { sceneOf } from "../sessions/scenes.ts";
import type { Scene, SceneId } from "../sessions/session.ts";
import { focus, view } from "./view.ts";

/** What belongs to one scene; scales, words or tokens and the like are the reader's for all. */
const own = ["text", "target", "kind", "head", "pins", "off", "compare", "change", "beams", "sequence"] as const;
type Own = { readonly [name in (typeof own)[number]]: (typeof view)[name]["value"] };

const left = new Map<SceneId, Own>();

/** How a scene is first seen: its first example by the first head of its first kind, or of another. */
export function start({ examples, kinds, start: heads }: Scene, kind = kinds[0]!): Own {
  return {
    text: examples[0] ?? "",
    target: undefined,
    kind,
    head: heads[kind] ?? { layer: 0, head: 0 },
    pins: [],
    off: [],
    compare: undefined,
    change: false,
    beams: 1,
    sequence: 0,
  };
}

export function chooseScene(id: SceneId): void {
  const from = view.scene.peek();
  if (id === from) return;
  batch(() => {
    left.set(from, Object.fromEntries(own.map((name) => [name, view[name].peek()])) as Own);
    const next = left.get(id) ?? start(sceneOf(id));
    for (const name of own) (view[name].value as unknown) = next[name];
    focus.value = undefined;
    view.scene.value = id;
  });
}
