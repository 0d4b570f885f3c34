// What the large map is of, in words.
import { computed } from "@preact/signals";
import { t } from "../i18n/index.ts";
import { head } from "../state/displayed.ts";
import { view } from "../state/view.ts";

export const headTitle = computed((): string => {
  const { layer, head: number } = head.value;
  switch (view.average.value) {
    case "none":
      return t.value.headName(layer, number);
    case "layer":
      return t.value.maps.meanOfLayer(layer);
    case "all":
      return t.value.maps.meanOfAll;
  }
});
