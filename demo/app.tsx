// The page as a whole: what is asked above, what was looked at below.
import { t } from "./i18n/index.ts";
import { axes, displayed } from "./state/displayed.ts";
import { ColourBar } from "./views/colour-bar.tsx";
import { Explanation, KindTabs } from "./views/kinds.tsx";
import { HeadGrid } from "./views/head-grid.tsx";
import { Heatmap } from "./views/heatmap.tsx";
import { Lines } from "./views/lines.tsx";
import { Readout } from "./views/readout.tsx";
import { Scales } from "./views/scales.tsx";
import { StatusLine } from "./views/status-line.tsx";
import { TextPanel } from "./views/text-panel.tsx";

export function App() {
  const words = t.value;
  return (
    <>
      <header>
        <h1>fovea</h1>
        <p>{words.tagline}</p>
      </header>
      <main>
        <StatusLine />
        <TextPanel />
        {axes.value && displayed.value && (
          <section id="attention">
            <div class="toolbar">
              <KindTabs />
              <Scales />
              <ColourBar />
            </div>
            <Explanation />
            <div class="views">
              <HeadGrid />
              <div class="large">
                <Readout />
                <Heatmap />
              </div>
            </div>
            <Lines />
            <p class="honest">{words.honest}</p>
          </section>
        )}
      </main>
    </>
  );
}
