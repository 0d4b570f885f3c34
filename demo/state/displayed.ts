// The chosen head's map as it is drawn: read from the run, then changed as the reader wants it (words, sinks, differences).
import { computed, effect, signal } from "@preact/signals";
import type { Axes, MapData } from "../maps/data.ts";
import { byWords } from "../maps/words.ts";
import { growth, isLoss, shown } from "./runs.ts";
import { view } from "./view.ts";

/** The chosen kind, or the run's first where it has none of that. */
export const kind = computed(() => {
  const kinds = shown.value?.kinds ?? [];
  return kinds.includes(view.kind.value) ? view.kind.value : kinds[0];
});

export const axes = computed((): Axes | undefined => {
  void growth.value;
  return kind.value && shown.value?.axes(kind.value);
});

/** The chosen head, kept inside of what the model has. */
export const head = computed(() => {
  const { layer, head } = view.head.value;
  return { layer: Math.min(layer, (axes.value?.layers ?? 1) - 1), head: Math.min(head, (axes.value?.heads ?? 1) - 1) };
});

/** The chosen head's map, token by token; undefined until one was read. */
export const tokenMap = signal<MapData | undefined>(undefined);

/** The map that is drawn. */
export const displayed = computed((): MapData | undefined => {
  const map = tokenMap.value;
  return map && view.unit.value === "word" ? byWords(map) : map;
});

/** Starts reading maps as they are chosen; returns what stops it. */
export function readMaps(): () => void {
  return effect(() => {
    void growth.value;
    const [run, of, at, values] = [shown.value, kind.value, head.value, view.weighting.value === "values"];
    if (!run || !of) return;
    const { queries, keys } = run.axes(of);
    run.read(of, at, { values }).then(
      (weights) => {
        const current = shown.peek() === run && kind.peek() === of && head.peek().layer === at.layer && head.peek().head === at.head;
        if (current) tokenMap.value = { weights, queries, keys };
      },
      (error: unknown) => {
        if (!isLoss(error)) throw error;
      },
    );
  });
}
