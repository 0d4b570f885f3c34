// From what was chosen to what is shown: loads the scene's model, runs it when the text changes, stops runs that are stale.
import { computed, effect, signal } from "@preact/signals";
import { DeviceLostError, FoveaError } from "../../src/index.ts";
import { type Session, type Shown } from "../sessions/session.ts";
import { sceneOf } from "../sessions/scenes.ts";
import { view } from "./view.ts";

/** Typing pauses this long before a run follows. */
const PAUSE_MS = 200;

export type Status =
  | { readonly state: "loading"; readonly loaded: number; readonly total: number }
  | { readonly state: "running" }
  | { readonly state: "ready" }
  | { readonly state: "failed"; readonly message: string };

export const status = signal<Status>({ state: "loading", loaded: 0, total: 0 });
/** The run whose maps are shown. The one before stays until the next is there. */
export const shown = signal<Shown | undefined>(undefined);
/** Counts what a growing run has added. */
export const growth = signal(0);
export const scene = computed(() => sceneOf(view.scene.value));

const sessions = new Map<string, Promise<Session>>();
let running: AbortController | undefined;

/** Starts following the view; returns what stops it. */
export function follow(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before: string | undefined;
  return effect(() => {
    const wanted = {
      scene: view.scene.value,
      text: view.text.value,
      target: view.target.value,
      off: view.off.value,
      temperature: view.temperature.value,
      seed: view.seed.value,
    };
    clearTimeout(timer);
    const another = before !== wanted.scene;
    before = wanted.scene;
    timer = setTimeout(() => void run(wanted), another ? 0 : PAUSE_MS);
  });
}

type Wanted = Pick<Parameters<Session["run"]>[0], "text" | "target" | "off" | "temperature" | "seed"> & { scene: string };

async function run(wanted: Wanted): Promise<void> {
  const { scene: id, ...request } = wanted;
  running?.abort();
  const controller = (running = new AbortController());
  const { signal: stale } = controller;
  try {
    const session = await open(id);
    stale.throwIfAborted();
    if (request.text.trim() === "") return void (status.value = { state: "ready" });
    status.value = { state: "running" };
    const result = await session.run({
      ...request,
      signal: stale,
      onGrowth: (soFar) => {
        if (!stale.aborted) show(soFar);
      },
    });
    if (stale.aborted) return result.dispose();
    show(result);
    status.value = { state: "ready" };
    // Only now: while it runs, the model goes on by itself on another device.
    void session.lost().then(() => (stale.aborted ? undefined : run(wanted)));
  } catch (error) {
    if (stale.aborted) return;
    status.value = { state: "failed", message: error instanceof FoveaError ? error.message : `Something went wrong: ${String(error)}` };
    if (!(error instanceof FoveaError)) throw error;
  }
}

/** The scene's session, loaded once. A failure is not kept: the next run tries again. */
function open(id: string): Promise<Session> {
  let session = sessions.get(id);
  if (!session) {
    session = sceneOf(id).open({
      onProgress: ({ loaded, total }) => {
        if (view.scene.peek() === id) status.value = { state: "loading", loaded, total };
      },
      signal: new AbortController().signal,
    });
    sessions.set(id, session);
    session.catch(() => sessions.delete(id));
  }
  return session;
}

function show(next: Shown): void {
  const last = shown.peek();
  shown.value = next;
  growth.value++;
  if (last && last !== next) last.dispose();
}

/** For a map that is read while its device is lost: new maps are on their way then. */
export const isLoss = (error: unknown): boolean => error instanceof DeviceLostError;
