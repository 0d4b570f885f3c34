// Under the large map: zooming by buttons, what a click or a finger does, and what the marks mean.
import { t } from "../i18n/index.ts";
import type { MapData } from "../maps/data.ts";

export interface MapToolsProps {
  readonly map: MapData;
  readonly zoomed: boolean;
  /** In, out, or back to all of the map. */
  readonly zoom: (to: "in" | "out" | "all") => void;
}

export function MapTools({ map, zoomed, zoom }: MapToolsProps) {
  const { maps } = t.value;
  const special = [...map.queries, ...map.keys].some((token) => token.special);
  return (
    <div class="map-tools">
      <button id="zoom-in" type="button" aria-label={maps.zoomIn} onClick={() => zoom("in")}>
        +
      </button>
      <button id="zoom-out" type="button" aria-disabled={!zoomed} aria-label={maps.zoomOut} onClick={() => zoom("out")}>
        −
      </button>
      <button id="zoom-all" type="button" aria-disabled={!zoomed} onClick={() => zoom("all")}>
        {maps.zoomAll}
      </button>
      <p class="hint">
        <span class="pointer-hint">{maps.pointerHint}</span>
        <span class="touch-hint">{maps.touchHint}</span> {special && maps.specialHint} {map.hidden && maps.hiddenColumn}
      </p>
      <span id="map-keys" class="unseen">
        {maps.keysHint}
      </span>
    </div>
  );
}
