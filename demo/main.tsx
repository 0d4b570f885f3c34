// The page starts here: the view from the link, the language, the first scene, and the effects that keep them in step.
import "./styles/export-menu.css";
import "./styles/frame.css";
import "./styles/writing.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { App } from "./app.tsx";
import { language, t } from "./i18n/index.ts";
import { readMaps } from "./state/displayed.ts";
import { followLink } from "./state/link.ts";
import { markFirstMap } from "./state/marks.ts";
import { follow } from "./state/runs.ts";
import "./styles/maps.css";
import "./styles/stage.css";
import "./styles/molecules.css";
import "./styles/scene-tabs.css";
import "./styles/status-line.css";

followLink();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t.value.title;
});
readMaps();
markFirstMap();
render(<App />, document.getElementById("page")!);
follow();
