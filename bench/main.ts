// The page: chooses suites and engines, runs them, shows tables and plots, gives the result as JSON. ?run starts at once, with
// ?suite=a,b&peer=c,d&budget=ms as chosen; <html data-state> tells a driver when it is done.
import { deviceDescriptor, isSupported } from "../src/index.ts";
import { describeAdapter, isSoftware } from "./environment.ts";
import { figuresOf, type Memory } from "./figures/index.ts";
import { fovea } from "./peers/fovea.ts";
import { peers as others } from "./peers/index.ts";
import { profilesOf } from "./profiles.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import { readResult, type ResultFile } from "./result.ts";
import { measureRoofline } from "./roofline.ts";
import { runSuites, type TaskResult } from "./runner.ts";
import { suites } from "./suites.ts";
import type { Peer, PeerContext } from "./task.ts";
import { showResult, showTasks } from "./view/results.ts";

const MODEL = new URL("models/marian-en-fr-tatoeba/", document.baseURI);
/** Beside the suites. */
const EXTRAS = [
  { name: "figures", title: "compiling, loading, calls and bytes a token, capture, sizes" },
  { name: "profile", title: "GPU time by kernel and module" },
];
const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const query = new URLSearchParams(location.search);
const state = (value: "idle" | "running" | "done" | "failed") => (document.documentElement.dataset["state"] = value);
const say = (text: string) => ($("progress").textContent = text);

async function start(): Promise<void> {
  const { supported, reason } = await isSupported();
  if (!supported) throw new Error(reason);
  const device = await openDevice();
  const about = describeAdapter(device);
  $("adapter").textContent = `${about.name}. Features: ${about.features.join(", ") || "none"}.`;
  const software = isSoftware(device);
  const all = suites({ software });
  const [failures, peers] = await loadPeers(device);
  for (const failure of failures) note(failure);
  choices("suites", "suite", [...all.map(({ name, about: title }) => ({ name, title })), ...EXTRAS]);
  choices(
    "peers",
    "peer",
    peers.map(({ name, about: title }) => ({ name, title })),
  );
  $<HTMLInputElement>("budget").value = query.get("budget") ?? (software ? "4000" : "1500");
  let controller: AbortController | undefined;
  $("stop").addEventListener("click", () => controller?.abort(new Error("stopped")));
  $("choice").addEventListener("submit", (event) => {
    event.preventDefault();
    controller = new AbortController();
    run(device, peers, controller.signal).catch(fail);
  });
  $("saved").addEventListener("change", () => void show().catch(fail));
  if (query.has("run")) $<HTMLFormElement>("choice").requestSubmit();
}

async function openDevice(): Promise<GPUDevice> {
  const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
  return adapter.requestDevice(deviceDescriptor(adapter));
}

async function loadPeers(device: GPUDevice): Promise<[failures: string[], peers: Peer[]]> {
  const failures: string[] = [];
  const peers: Peer[] = [fovea(device)];
  for (const load of others) {
    try {
      peers.push(await load());
    } catch (error) {
      failures.push(`An engine did not load: ${String(error)}`);
    }
  }
  return [failures, peers];
}

function choices(field: string, parameter: string, list: readonly { name: string; title: string }[]): void {
  const wanted = query.get(parameter)?.split(",");
  for (const { name, title } of list) {
    const label = document.createElement("label");
    const box = Object.assign(document.createElement("input"), {
      type: "checkbox",
      value: name,
      checked: !wanted || wanted.includes(name),
    });
    label.title = title;
    label.append(box, ` ${name}`);
    $(field).append(label);
  }
}

const chosen = (field: string): string[] => [...$(field).querySelectorAll<HTMLInputElement>("input:checked")].map(({ value }) => value);

async function run(device: GPUDevice, peers: readonly Peer[], signal: AbortSignal): Promise<void> {
  state("running");
  const stop = $<HTMLButtonElement>("stop");
  stop.disabled = false;
  $("results").replaceChildren();
  $("export").hidden = true;
  try {
    const software = isSoftware(device);
    const context: PeerContext = { files: () => MODEL, checkpoint: () => readCheckpoint(MODEL) };
    say("Measuring what the device can do...");
    const roofline = await measureRoofline(device, software);
    const wanted = chosen("suites");
    const common = { context, software, onProgress: say, signal };
    const figures = wanted.includes("figures")
      ? await figuresOf(device, { ...common, openDevice, memory: heapMemory(), build: __BUILD__ })
      : [];
    const tasks: TaskResult[] = [];
    await runSuites(
      suites({ software }).filter(({ name }) => wanted.includes(name)),
      {
        ...common,
        peers: peers.filter(({ name }) => chosen("peers").includes(name)),
        budget: Number($<HTMLInputElement>("budget").value),
        onResult: (result) => {
          tasks.push(result);
          showTasks($("results"), tasks);
        },
      },
    );
    const profiles = wanted.includes("profile") ? await profilesOf(device, common) : [];
    const result: ResultFile = {
      version: 2,
      date: new Date().toISOString().slice(0, 10),
      ...(__BUILD__.revision && { revision: __BUILD__.revision }),
      platform: /(?:Chrome|Firefox|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? "a browser",
      adapter: describeAdapter(device),
      roofline,
      tasks,
      figures,
      profiles,
    };
    showResult($("results"), result);
    offer(result);
    say("Done.");
    state("done");
  } finally {
    stop.disabled = true;
  }
}

/** A result file that was saved before. */
async function show(): Promise<void> {
  const file = $<HTMLInputElement>("saved").files?.[0];
  if (!file) return;
  const result = readResult(await file.text());
  showResult($("results"), result);
  say(`${result.adapter.name}, ${result.platform}, ${result.date}`);
}

/**
 * Chrome's own count, array buffers included. Coarse and stale unless it was started with --enable-precise-memory-info, as the
 * headless one is: what does not move is not reported. measureUserAgentSpecificMemory would come too late for a peak.
 */
function heapMemory(): Memory | undefined {
  const page = performance as { readonly memory?: { readonly usedJSHeapSize: number } };
  if (!page.memory) return undefined;
  const { gc = () => {} } = globalThis as { gc?: () => void };
  // A new object each time, with the numbers of then.
  return { bytes: () => page.memory!.usedJSHeapSize, what: "JavaScript heap with array buffers", collect: () => gc() };
}

function offer(result: ResultFile): void {
  const json = JSON.stringify(result, null, 1);
  Object.assign(globalThis, { foveaResult: result });
  $("export").hidden = false;
  $("copy").onclick = () => void navigator.clipboard.writeText(json);
  $("save").onclick = () => {
    const link = Object.assign(document.createElement("a"), {
      href: URL.createObjectURL(new Blob([json], { type: "application/json" })),
      download: `fovea-${result.date}.json`,
    });
    link.click();
    URL.revokeObjectURL(link.href);
  };
}

function note(text: string): void {
  $("notes").append(Object.assign(document.createElement("p"), { textContent: text }));
}

function fail(error: unknown): void {
  say(`Ended: ${error instanceof Error ? error.message : String(error)}`);
  state("failed");
}

start().catch(fail);
