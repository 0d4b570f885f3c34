// From what was chosen to what is shown: loads the scene's model, runs it when the text changes, stops runs that are stale.
import { batch, computed, effect, signal, untracked } from "@preact/signals";
import { DeviceLostError, FoveaError } from "../../src/errors.ts";
import { type Own, own } from "../sessions/folder.ts";
import { isOpening, openingFor } from "../sessions/opening.ts";
import type { SessionLanguages } from "../sessions/languages.ts";
import type { RunRequest, Session, Shown } from "../sessions/session.ts";
import { sceneOf } from "../sessions/scenes.ts";
import { loadInWorker } from "../sessions/worker.ts";
import { chooseScene } from "./choose-scene.ts";
import { painted } from "./painted.ts";
import { type Trouble, troubleOf } from "./trouble.ts";
import { view } from "./view.ts";

/** Typing pauses this long before a run follows. */
const PAUSE_MS = 200;

export type Status =
  | { readonly state: "loading"; readonly loaded: number; readonly total: number }
  | { readonly state: "running" }
  | { readonly state: "ready" }
  | { readonly state: "failed"; readonly trouble: Trouble };

export const status = signal<Status>({ state: "loading", loaded: 0, total: 0 });
/** The run whose maps are shown. The one before stays until the next is there. */
export const shown = signal<Shown | undefined>(undefined);
/** What it is compared with: the second text's run, or, with heads off, the run with all of them. */
export const reference = signal<Shown | undefined>(undefined);
/** Counts what a growing run has added. */
export const growth = signal(0);
/** Those that the scene's model is told, where it is. */
export const languages = signal<SessionLanguages | undefined>(undefined);
export const scene = computed(() => sceneOf(view.scene.value));

const sessions = new Map<string, Promise<Session>>();
let running: AbortController | undefined;

let opening: AbortController | undefined;

/** Another model of the reader's own: what was loaded, or is on its way, makes room for it. */
export function openOwn(chosen: Own): void {
  opening?.abort();
  sessions.get("folder")?.then(
    (session) => session.dispose(),
    () => undefined,
  );
  sessions.delete("folder");
  batch(() => {
    chooseScene("folder");
    leave();
    // What was asked of the model before may be nothing to this one; a text that came with the link is meant for it.
    if (own.peek()) {
      view.text.value = "";
      view.from.value = view.to.value = undefined;
    }
    view.off.value = [];
    own.value = chosen;
  });
}

type Wanted = Pick<RunRequest, "text" | "target" | "off" | "beams" | "temperature" | "seed" | "from" | "to"> & {
  scene: string;
  compare: string | undefined;
};

/** Starts following the view; returns what stops it. */
export function follow(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before: string | undefined;
  const stop = effect(() => {
    const now = wanted();
    void own.value;
    clearTimeout(timer);
    const another = before !== now.scene;
    if (another) leave();
    before = now.scene;
    timer = setTimeout(() => void run(now), another ? 0 : PAUSE_MS);
  });
  // The lengths of value vectors do not come with the page.
  const stopOpening = effect(() => {
    if (view.weighting.value === "values" && isOpening(shown.value)) void run(untracked(wanted));
  });
  return () => {
    clearTimeout(timer);
    stop();
    stopOpening();
  };
}

const wanted = (): Wanted => ({
  scene: view.scene.value,
  text: view.text.value,
  off: view.off.value,
  beams: view.beams.value,
  temperature: view.temperature.value,
  seed: view.seed.value,
  from: view.from.value,
  to: view.to.value,
  compare: view.compare.value,
  ...(view.target.value !== undefined && { target: view.target.value }),
});

/** Another scene's runs say nothing of this one. */
function leave(): void {
  running?.abort();
  languages.value = undefined;
  replace(shown, undefined);
  replace(reference, undefined);
}

async function run(asked: Wanted): Promise<void> {
  running?.abort();
  const controller = (running = new AbortController());
  const { signal: stale } = controller;
  const { scene: id, compare, ...request } = asked;
  if (id === "folder" && !own.peek()) {
    replace(shown, undefined);
    return void (status.value = { state: "ready" });
  }
  try {
    const opening = shown.peek() || compare?.trim() ? undefined : await openingFor(sceneOf(id), request);
    stale.throwIfAborted();
    if (opening) {
      show(opening);
      // Only then is anything else fetched.
      await painted();
      stale.throwIfAborted();
    }
    const session = await open(id);
    stale.throwIfAborted();
    languages.value = session.languages;
    if (opening) return void (status.value = { state: "ready" });
    if (request.text.trim() === "") {
      status.value = { state: "ready" };
      // The text that is set here asks for the next run. Who has emptied the field wants it empty.
      if (!shown.peek() && sceneOf(id).examples.length === 0) view.text.value = session.starter;
      return;
    }
    status.value = { state: "running" };
    const grow = (soFar: Shown) => {
      if (!stale.aborted) show(soFar);
    };
    const ask = async (change: Partial<RunRequest> = {}): Promise<Shown> => {
      const result = await session.run({ ...request, signal: stale, onGrowth: () => {}, ...change });
      if (stale.aborted) result.dispose();
      stale.throwIfAborted();
      return result;
    };
    show(await ask({ onGrowth: grow }));
    if (compare?.trim()) replace(reference, await ask({ text: compare, beams: 1 }));
    else replace(reference, request.off.length > 0 ? await ask({ off: [], beams: 1 }) : undefined);
    status.value = { state: "ready" };
    // Only now: while it runs, the model goes on by itself on another device.
    void session.lost().then(() => (stale.aborted ? undefined : run(asked)));
  } catch (error) {
    if (stale.aborted) return;
    status.value = { state: "failed", trouble: troubleOf(error) };
    if (!(error instanceof FoveaError)) throw error;
  }
}

/** The scene's session, loaded once. A failure is not kept: the next run tries again. */
function open(id: string): Promise<Session> {
  let session = sessions.get(id);
  if (!session) {
    const controller = new AbortController();
    if (id === "folder") opening = controller;
    status.value = { state: "loading", loaded: 0, total: 0 };
    session = sceneOf(id).open({
      load: loadInWorker,
      locate: (folder) => new URL(folder, document.baseURI),
      onProgress: ({ loaded, total }) => {
        if (view.scene.peek() === id) status.value = { state: "loading", loaded, total };
      },
      signal: controller.signal,
    });
    const mine = session;
    sessions.set(id, session);
    session.catch(() => {
      if (sessions.get(id) === mine) sessions.delete(id);
    });
  }
  return session;
}

function show(next: Shown): void {
  replace(shown, next);
  growth.value++;
}

function replace(place: typeof shown, next: Shown | undefined): void {
  const last = place.peek();
  place.value = next;
  if (last && last !== next) last.dispose();
}

/** For a map whose device was lost while it was read, or whose run was replaced: new maps are on their way then. */
export function isLoss(error: unknown, run: Shown): boolean {
  const kept = [shown.peek(), reference.peek(), ...(shown.peek()?.alternatives ?? [])];
  return error instanceof DeviceLostError || !kept.includes(run);
}
