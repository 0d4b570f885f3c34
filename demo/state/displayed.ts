// The chosen head's map as it is drawn: read from the run, then changed as the reader wants it (words, differences).
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { type Axes, type MapData, sameHead } from "../maps/data.ts";
import { difference } from "../maps/difference.ts";
import { byWords } from "../maps/words.ts";
import type { Shown } from "../sessions/session.ts";
import { growth, isLoss, reference, shown } from "./runs.ts";
import { view } from "./view.ts";

/** The run, or the sequence of its beam search that is seen. */
export const current = computed((): Shown | undefined => shown.value?.alternatives?.[view.sequence.value] ?? shown.value);

/** The chosen kind, or the run's first where it has none of that. */
export const kind = computed(() => {
  const kinds = shown.value?.kinds ?? [];
  return kinds.includes(view.kind.value) ? view.kind.value : kinds[0];
});

export const axes = computed((): Axes | undefined => {
  void growth.value;
  return kind.value && current.value?.axes(kind.value);
});

/** The chosen head, kept inside of what the model has. */
export const head = computed(() => {
  const { layer, head } = view.head.value;
  return { layer: Math.min(layer, (axes.value?.layers ?? 1) - 1), head: Math.min(head, (axes.value?.heads ?? 1) - 1) };
});

/** Whether what is drawn is a difference. */
export const compared = computed(() => reference.value !== undefined && (view.compare.value !== undefined || view.change.value));

/** The chosen head's map, token by token; undefined until one was read. */
export const tokenMap = signal<MapData | undefined>(undefined);
const referenceMap = signal<MapData | undefined>(undefined);

/** The map that is drawn. */
export const displayed = computed((): MapData | undefined => {
  const map = tokenMap.value;
  const whole = map && compared.value && referenceMap.value ? difference(map, referenceMap.value) : map;
  return whole && view.unit.value === "word" ? byWords(whole) : whole;
});

/** Starts reading maps as they are chosen; returns what stops it. */
export function readMaps(): () => void {
  const stops = [follow(current, tokenMap), follow(reference, referenceMap)];
  return () => stops.forEach((stop) => stop());
}

function follow(of: ReadonlySignal<Shown | undefined>, to: typeof tokenMap): () => void {
  return effect(() => {
    void growth.value;
    const [run, which, at, values] = [of.value, kind.value, head.value, view.weighting.value === "values"];
    if (!run || !which || !run.kinds.includes(which)) return void (to.value = undefined);
    const { queries, keys } = run.axes(which);
    run.read(which, at, { values }).then(
      (weights) => {
        const still =
          of.peek() === run && kind.peek() === which && sameHead(head.peek(), at) && (view.weighting.peek() === "values") === values;
        if (still) to.value = { weights, queries, keys };
      },
      (error: unknown) => {
        if (!isLoss(error, run)) throw error;
      },
    );
  });
}
