// The page starts here: language, view from the link, the first scene, and the effects that keep them in step.
import { effect } from "@preact/signals";
import { render } from "preact";
import { isSupported } from "../src/index.ts";
import { App } from "./app.tsx";
import { bestLanguage, language, t } from "./i18n/index.ts";
import { readMaps } from "./state/displayed.ts";
import { follow, scene, status } from "./state/runs.ts";
import { view } from "./state/view.ts";
import "./styles/writing.css";

language.value = bestLanguage(navigator.languages);
effect(() => {
  document.documentElement.lang = language.value;
  document.title = t.value.title;
});
const { examples, start } = scene.value;
view.text.value = examples[0] ?? "";
view.head.value = start[view.kind.value] ?? { layer: 0, head: 0 };
readMaps();
render(<App />, document.getElementById("page")!);
const support = await isSupported();
if (support.supported) follow();
else status.value = { state: "failed", message: support.reason };
