// The chosen head's map as it is drawn: read from the run, then changed as the reader wants it (words, sinks, differences).
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import { palette } from "../maps/colour.ts";
import type { Axes, MapData } from "../maps/data.ts";
import { difference } from "../maps/difference.ts";
import type { Colours } from "../maps/pixels.ts";
import { telling } from "../maps/strongest.ts";
import { endsOf, roundUp } from "../maps/range.ts";
import { transform, type Wishes } from "../maps/transform.ts";
import type { Shown } from "../sessions/session.ts";
import { dark } from "./appearance.ts";
import { largestRead, readMap } from "./reading.ts";
import { growth, isLoss, reference, shown, status } from "./runs.ts";
import { type Cell, view } from "./view.ts";

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

/** Whether maps can be weighed by the length of the value vectors, and are. */
export const byValues = computed(() => current.value?.valueWeighted === true && view.weighting.value === "values");

/** The chosen head's map, token by token; undefined until one was read. */
export const tokenMap = signal<MapData | undefined>(undefined);
const referenceMap = signal<MapData | undefined>(undefined);

const wishes = computed((): Wishes => ({ kind: kind.value ?? "cross", unit: view.unit.value, sinks: view.sinks.value }));

/** Any head's map as the reader wants it. */
export const asWanted = (map: MapData): MapData => transform(map, wishes.value);

/** A head's map as it is drawn: what it is compared with is subtracted. */
export const asDrawn = (map: MapData, other: MapData | undefined): MapData =>
  other ? difference(asWanted(map), asWanted(other)) : asWanted(map);

/** The run whose maps are subtracted. */
export const subtracted = computed((): Shown | undefined =>
  compared.value && kind.value && reference.value?.kinds.includes(kind.value) ? reference.value : undefined,
);

/** The map that is drawn. */
export const displayed = computed(
  (): MapData | undefined => tokenMap.value && asDrawn(tokenMap.value, subtracted.value && referenceMap.value),
);

/** Whether there is a run, and its first map was read. */
export const mapsAreThere = computed(() => axes.value !== undefined && displayed.value !== undefined);

/** A cell that says what the map shows, where the reader has pointed nothing out; not while the text grows, when it would wander. */
export const example = computed((): Cell | undefined => {
  const untouched = view.pins.value.length === 0 && view.cell.value === undefined && status.value.state !== "running";
  return untouched && displayed.value ? telling(displayed.value) : undefined;
});

/** The end of the range that all heads share. Weights have 1; α‖v‖ the largest that was read, rounded up. */
export const sharedEnd = computed(() => {
  if (!byValues.value || !kind.value) return 1;
  const of = kind.value;
  return roundUp(Math.max(0, ...[current.value, subtracted.value].map((run) => (run ? largestRead(run, of) : 0))));
});

/** What turns a map's weights into colours. */
export const coloursOf = (map: MapData): Colours => ({
  scale: view.scale.value,
  palette: palette(dark.value, map.signed === true),
  ends: endsOf(map, view.range.value, sharedEnd.value),
});

/** Changes when maps are to be drawn again, other than by what was read. */
export const drawing = computed(() => ({
  wishes: wishes.value,
  scale: view.scale.value,
  range: view.range.value,
  dark: dark.value,
  end: sharedEnd.value,
}));

/** Of the map that is drawn. */
export const colours = computed((): Colours | undefined => displayed.value && coloursOf(displayed.value));

/** Starts reading maps as they are chosen; returns what stops it. */
export function readMaps(): () => void {
  const stops = [follow(current, tokenMap), follow(reference, referenceMap)];
  return () => stops.forEach((stop) => stop());
}

function follow(from: ReadonlySignal<Shown | undefined>, to: typeof tokenMap): () => void {
  let newest = 0;
  return effect(() => {
    void growth.value;
    const [run, of, at, average, values] = [from.value, kind.value, head.value, view.average.value, byValues.value];
    const mine = ++newest;
    if (!run || !of || !run.kinds.includes(of)) return void (to.value = undefined);
    readMap(run, of, at, { values, average }).then(
      (map) => {
        if (mine === newest) to.value = map;
      },
      (error: unknown) => {
        // A run that was replaced meanwhile is disposed.
        if (mine === newest && !isLoss(error, run)) throw error;
      },
    );
  });
}
