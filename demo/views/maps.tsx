// All that is seen of the chosen run's attention: how it is drawn, every head small, one large, its words with lines, and what
// else could have been written.
import { axes, displayed, kind } from "../state/displayed.ts";
import { Candidates } from "./candidates.tsx";
import { ColourBar } from "./colour-bar.tsx";
import { HeadGrid } from "./head-grid.tsx";
import { Heatmap } from "./heatmap.tsx";
import { Lines } from "./lines.tsx";
import { Options } from "./options.tsx";
import { Readout } from "./readout.tsx";
import { Switches } from "./switches.tsx";
import { ValuesTable } from "./values-table.tsx";

export function Maps() {
  if (!axes.value || !displayed.value) return null;
  return (
    <>
      <div class="toolbar">
        <Options />
        <ColourBar />
      </div>
      <div class="views">
        <HeadGrid />
        <div class="large">
          <Readout />
          <Switches />
          <Heatmap key={kind.value} />
          <ValuesTable />
        </div>
      </div>
      <Candidates />
      <Lines />
    </>
  );
}
