// The page as a whole: what is asked above, what was looked at below.
import { t } from "./i18n/index.ts";
import { axes, displayed, kind } from "./state/displayed.ts";
import { scene } from "./state/runs.ts";
import { BeamTree } from "./views/beam-tree.tsx";
import { Candidates } from "./views/candidates.tsx";
import { ColourBar } from "./views/colour-bar.tsx";
import { Compare } from "./views/compare.tsx";
import { DropTarget, FolderPicker } from "./views/folder-drop.tsx";
import { Explanation, KindTabs } from "./views/kinds.tsx";
import { ExportMenu } from "./views/export-menu.tsx";
import { HeadGrid } from "./views/head-grid.tsx";
import { Heatmap } from "./views/heatmap.tsx";
import { PageFooter } from "./views/page-footer.tsx";
import { PageHeader } from "./views/page-header.tsx";
import { Lines } from "./views/lines.tsx";
import { Options } from "./views/options.tsx";
import { Readout } from "./views/readout.tsx";
import { StatusLine } from "./views/status-line.tsx";
import { Switches } from "./views/switches.tsx";
import { TextPanel } from "./views/text-panel.tsx";
import { ValuesTable } from "./views/values-table.tsx";

export function App() {
  const words = t.value;
  return (
    <>
      <PageHeader />
      <main>
        <StatusLine />
        {scene.value.id === "folder" && <FolderPicker />}
        <TextPanel />
        <BeamTree />
        {axes.value && displayed.value && (
          <section id="attention">
            <div class="toolbar">
              <KindTabs />
            </div>
            <Explanation />
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
            <Compare />
            <ExportMenu />
            <p class="honest">{words.honest}</p>
          </section>
        )}
      </main>
      <PageFooter />
      <DropTarget />
    </>
  );
}
