// What the kinds of attention are called, by what the scene reads and writes: "French → English".
import { t } from "../i18n/index.ts";
import type { Kind } from "../maps/data.ts";
import { scene } from "./runs.ts";

export function kindName(of: Kind): string {
  const { input, output } = t.value.scenes[scene.value.id];
  return t.value.kinds[of](input, output);
}
