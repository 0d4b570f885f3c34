// The first or the last token of every row, of values that lie in rows of others too.
import { expect, test } from "vitest";
import { pickToken } from "../../src/ops/pick-token.ts";
import { Executable } from "../../src/schedule/executable.ts";
import { Graph } from "../../src/schedule/graph.ts";
import { getDevice } from "../setup/gpu.ts";
import { columnsInput } from "../support/columns.ts";

test.each(
  [1, 3, 17, 65].flatMap((columns) => [
    [columns, false, false],
    [columns, true, false],
    [columns, true, true],
  ]) as [number, boolean, boolean][],
)("%i features, last: %s, of a view: %s", async (columns, last, view) => {
  const [rows, tokens] = [3, 5];
  const g = new Graph();
  const x = columnsInput(g, "x", [rows, tokens, columns], { view, seed: columns });
  const lengths = Int32Array.of(5, 1, 3);
  g.output("out", pickToken(g, x.value, last ? { lengths: g.input("lengths", [rows], "i32") } : {}));
  using run = await Executable.create(await getDevice(), g);
  const { out } = await run.run({ inputs: { x: x.buffer, ...(last && { lengths }) } });
  const gold = Array.from(lengths, (length, b) => {
    const at = (b * tokens + (last ? length - 1 : 0)) * columns;
    return Array.from(x.data.slice(at, at + columns));
  });
  expect([...out!.data]).toEqual(gold.flat());
});
