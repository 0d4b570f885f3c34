// The page as a whole: what is asked beside what is looked at, and under both what goes further.
import { t } from "./i18n/index.ts";
import { own } from "./sessions/folder.ts";
import { mapsAreThere } from "./state/displayed.ts";
import { scene } from "./state/runs.ts";
import { BeamTree } from "./views/beam-tree.tsx";
import { Candidates } from "./views/candidates.tsx";
import { ExportMenu } from "./views/export-menu.tsx";
import { DropTarget, FolderPicker } from "./views/folder-drop.tsx";
import { HeadGrid } from "./views/head-grid.tsx";
import { LargeMap } from "./views/large-map.tsx";
import { Lines } from "./views/lines.tsx";
import { PageFooter } from "./views/page-footer.tsx";
import { PageHeader } from "./views/page-header.tsx";
import { ScenePanel } from "./views/scene-panel.tsx";
import { SceneTabs } from "./views/scene-tabs.tsx";
import { StatusLine } from "./views/status-line.tsx";
import { TextPanel } from "./views/text-panel.tsx";

export function App() {
  const maps = mapsAreThere.value;
  const isFolder = scene.value.id === "folder";
  return (
    <>
      <PageHeader />
      <SceneTabs />
      <main id="scene">
        <StatusLine />
        <div class="stage">
          <div class="asked">
            {isFolder && <FolderPicker />}
            {(!isFolder || own.value) && <TextPanel />}
          </div>
          <div class="seen">
            <ScenePanel />
            {maps && <LargeMap />}
          </div>
          {maps && <HeadGrid />}
        </div>
        {maps && (
          <>
            <Lines />
            <Candidates />
            <BeamTree />
            <ExportMenu />
            <p class="honest">{t.value.honest}</p>
          </>
        )}
      </main>
      <PageFooter />
      <DropTarget />
    </>
  );
}
