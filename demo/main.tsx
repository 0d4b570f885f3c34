// The page starts here: the view from the link, the language, the first scene, and the effects that keep them in step.
import "./styles/export-menu.css";
import "./styles/frame.css";
import "./styles/writing.css";
import { effect } from "@preact/signals";
import { render } from "preact";
import { isSupported } from "../src/index.ts";
import { App } from "./app.tsx";
import { language, t } from "./i18n/index.ts";
import { readMaps } from "./state/displayed.ts";
import { followLink } from "./state/link.ts";
import { follow, status } from "./state/runs.ts";
import "./styles/maps.css";

followLink();
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t.value.title;
});
readMaps();
render(<App />, document.getElementById("page")!);
const support = await isSupported();
if (support.supported) follow();
else status.value = { state: "failed", message: support.reason };
