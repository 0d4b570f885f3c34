// What choosing one thing does to the others.
import type { HeadOf } from "../sessions/session.ts";
import { wordOf } from "../maps/words.ts";
import { tokenMap } from "./displayed.ts";
import { focus, type Unit, view } from "./view.ts";

/** Chooses a head, and its kind. Rows of another kind are other words: they are let go. */
export function chooseHead({ kind, layer, head }: HeadOf): void {
  if (kind !== view.kind.peek()) letGo();
  view.kind.value = kind;
  view.head.value = { layer, head };
  view.average.value = "none";
}

/** Rows of tokens become rows of their words, and back their first tokens. */
export function chooseUnit(unit: Unit): void {
  const map = tokenMap.peek();
  if (unit === view.unit.peek() || !map) return;
  const words = wordOf(map.queries);
  const to = (row: number) => (unit === "word" ? words[row] : words.indexOf(row));
  const rows = view.pins.peek().flatMap((row) => to(row) ?? []);
  letGo();
  view.pins.value = [...new Set(rows)];
  view.unit.value = unit;
}

function letGo(): void {
  view.pins.value = [];
  view.cell.value = undefined;
  focus.value = undefined;
}
