// The address bar and the view, kept in step: the address is read at the start and whenever it changes, and rewritten (in place: the
// back button leaves the page) once the reader has chosen something.
import { batch, effect } from "@preact/signals";
import { chosenLanguage } from "../i18n/index.ts";
import { sceneOf } from "../sessions/scenes.ts";
import { start } from "./choose-scene.ts";
import { type Choices, decode, encode } from "./url.ts";
import { type View, view } from "./view.ts";

/** Browsers refuse more than about a hundred changes of the address in 30 s. */
const PAUSE_MS = 400;

const KEYS = Object.keys(view) as (keyof View)[];

const choices = (): Choices =>
  Object.fromEntries([...KEYS.map((key) => [key, view[key].value]), ["language", chosenLanguage.value]]) as unknown as Choices;

/** As the page begins, before anybody chose. */
const beginning = choices();

function apply(hash: string): void {
  const said = decode(hash);
  const scene = sceneOf(said.scene ?? beginning.scene);
  const kind = scene.kinds.find((k) => k === said.kind);
  const all = { ...beginning, ...start(scene, kind), ...said, scene: scene.id };
  batch(() => {
    for (const key of KEYS) set(key, all[key]);
    if (said.language) chosenLanguage.value = said.language;
  });
}

const signals: { readonly [K in keyof View]: { value: Choices[K] } } = view;

function set<K extends keyof View>(key: K, value: Choices[K]): void {
  signals[key].value = value;
}

/** Takes the view from the address, and keeps both in step from then on; returns what stops it. */
export function followLink(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let chosen = false;
  const changed = () => apply(location.hash);
  apply(location.hash);
  addEventListener("hashchange", changed);
  const stop = effect(() => {
    const next = hash();
    clearTimeout(timer);
    // The address that somebody came with stays as it is until something is chosen.
    if (chosen) timer = setTimeout(() => history.replaceState(history.state, "", `#${next}`), PAUSE_MS);
    chosen = true;
  });
  return () => {
    stop();
    clearTimeout(timer);
    removeEventListener("hashchange", changed);
  };
}

const hash = (): string => encode(choices(), beginning);

/** The whole address of what is seen now. */
export function link(): string {
  const url = new URL(location.href);
  url.hash = hash();
  return url.href;
}
