// The page as a whole: what is asked above, what was looked at below.
import { t } from "./i18n/index.ts";
import { axes, displayed } from "./state/displayed.ts";
import { scene } from "./state/runs.ts";
import { BeamTree } from "./views/beam-tree.tsx";
import { Compare } from "./views/compare.tsx";
import { ExportMenu } from "./views/export-menu.tsx";
import { DropTarget, FolderPicker } from "./views/folder-drop.tsx";
import { Explanation, KindTabs } from "./views/kinds.tsx";
import { Maps } from "./views/maps.tsx";
import { PageFooter } from "./views/page-footer.tsx";
import { PageHeader } from "./views/page-header.tsx";
import { ScenePanel } from "./views/scene-panel.tsx";
import { SceneTabs } from "./views/scene-tabs.tsx";
import { StatusLine } from "./views/status-line.tsx";
import { TextPanel } from "./views/text-panel.tsx";

export function App() {
  const words = t.value;
  return (
    <>
      <PageHeader />
      <SceneTabs />
      <main id="scene">
        <StatusLine />
        {scene.value.id === "folder" && <FolderPicker />}
        <TextPanel />
        <BeamTree />
        <ScenePanel />
        {axes.value && displayed.value && (
          <section id="attention">
            <div class="toolbar">
              <KindTabs />
            </div>
            <Explanation />
            <Maps />
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
