// The chosen head's map, large, with what it is of above it and how it is drawn below.
import { kind } from "../state/displayed.ts";
import { Heatmap } from "./heatmap.tsx";
import { Explanation, KindTabs } from "./kinds.tsx";
import { Options } from "./options.tsx";
import { Readout } from "./readout.tsx";
import { Switches } from "./switches.tsx";
import { ValuesTable } from "./values-table.tsx";

export function LargeMap() {
  return (
    <section id="attention" aria-labelledby="map-title">
      <KindTabs />
      <Explanation />
      <Readout />
      <Heatmap key={kind.value} />
      <Options />
      <Switches />
      <ValuesTable />
    </section>
  );
}
