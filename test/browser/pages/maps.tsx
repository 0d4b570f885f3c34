// The page's maps over a made-up run: any size, any script, no model. `?tokens=512&layers=12&heads=12&rtl`
import { render } from "preact";
import type { Token } from "../../../demo/maps/data.ts";
import type { Shown } from "../../../demo/sessions/session.ts";
import { mapsAreThere, readMaps } from "../../../demo/state/displayed.ts";
import { shown } from "../../../demo/state/runs.ts";
import { view } from "../../../demo/state/view.ts";
import "../../../demo/styles/maps.css";
import "../../../demo/styles/stage.css";
import { Candidates } from "../../../demo/views/candidates.tsx";
import { HeadGrid } from "../../../demo/views/head-grid.tsx";
import { LargeMap } from "../../../demo/views/large-map.tsx";
import { Lines } from "../../../demo/views/lines.tsx";
import { madeUpWeight } from "./made-up.ts";

const query = new URLSearchParams(location.search);
const number = (name: string, otherwise: number) => Number(query.get(name) ?? otherwise);
const [count, layers, heads] = [number("tokens", 512), number("layers", 12), number("heads", 12)];
const words = query.has("rtl") ? ["قال", "إن", "القطة", "נראה", "בבית", "2024"] : ["the", "cat", "un", "see", "n", "house"];
const tokens = Array.from({ length: count }, (_, i): Token => ({
  text: i === count - 1 ? "</s>" : words[i % words.length]!,
  wordStart: i === count - 1 || i % words.length !== 3,
  special: i === count - 1,
}));

const reads: string[] = [];
Object.assign(globalThis, { reads });
const run: Shown = {
  input: "",
  output: "",
  steps: [],
  kinds: ["encoder"],
  valueWeighted: true,
  axes: () => ({ layers, heads, queries: tokens, keys: tokens }),
  async read(_, { layer, head }, { values = false } = {}) {
    reads.push(`${layer} ${head}`);
    const weights = new Float32Array(count * count);
    for (let row = 0; row < count; row++)
      for (let column = 0; column < count; column++) weights[row * count + column] = madeUpWeight(count, layer, head, row, column);
    return values ? weights.map((w) => 5 * w) : weights;
  },
  dispose: () => undefined,
};

view.kind.value = "encoder";
shown.value = run;
readMaps();

function Page() {
  return mapsAreThere.value ? (
    <>
      <div class="stage">
        <div class="seen">
          <LargeMap />
        </div>
        <HeadGrid />
      </div>
      <Lines />
      <Candidates />
    </>
  ) : null;
}
render(<Page />, document.getElementById("page")!);
