// Marks of the Performance API, for whoever measures the page.
import { effect } from "@preact/signals";
import { tokenMap } from "./displayed.ts";
import { painted } from "./painted.ts";

/** The first map was on the screen. */
export const FIRST_MAP = "fovea:first-map";

export function markFirstMap(): void {
  const stop = effect(() => {
    if (!tokenMap.value) return;
    stop();
    void painted().then(() => performance.mark(FIRST_MAP));
  });
}
