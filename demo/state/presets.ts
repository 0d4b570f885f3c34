// The heads worth seeing of the run that is shown, and which of them is chosen.
import { computed } from "@preact/signals";
import { sameHead } from "../maps/data.ts";
import { head, kind } from "./displayed.ts";
import { scene, shown } from "./runs.ts";
import { view } from "./view.ts";

export const offeredPresets = computed(() => scene.value.presets.filter((preset) => shown.value?.kinds.includes(preset.kind)));

export const shownPreset = computed(() =>
  view.average.value === "none"
    ? offeredPresets.value.find((preset) => preset.kind === kind.value && sameHead(preset, head.value))
    : undefined,
);
