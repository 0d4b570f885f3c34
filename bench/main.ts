// The page: chooses suites and engines, runs them, shows tables and plots, gives the result as JSON. ?run starts at once, with
// ?suite=a,b&peer=c,d&budget=ms as chosen; <html data-state> tells a driver when it is done.
import { deviceDescriptor, isSupported } from "../src/index.ts";
import { describeAdapter, type Figure, isSoftware, type ResultFile } from "./environment.ts";
import { figuresOf } from "./figures.ts";
import { fovea } from "./peers/fovea.ts";
import { peers as others } from "./peers/index.ts";
import { plotResults } from "./plots.ts";
import { measureRoofline } from "./roofline.ts";
import { runSuites, type TaskResult } from "./runner.ts";
import { suites } from "./suites.ts";
import { HEADINGS, meanRatio, peersOf, rowOf } from "./table.ts";
import { readCheckpoint } from "./read-checkpoint.ts";
import type { Peer, PeerContext } from "./task.ts";

const MODEL = new URL("models/marian-en-fr-tatoeba/", document.baseURI);
const FIGURES = "figures";
const $ = <T extends HTMLElement>(id: string): T => document.getElementById(id) as T;
const query = new URLSearchParams(location.search);
const state = (value: "idle" | "running" | "done" | "failed") => (document.documentElement.dataset["state"] = value);
const say = (text: string) => ($("progress").textContent = text);

async function start(): Promise<void> {
  const { supported, reason } = await isSupported();
  if (!supported) throw new Error(reason);
  const adapter = (await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }))!;
  const device = await adapter.requestDevice(deviceDescriptor(adapter));
  const about = describeAdapter(device);
  $("adapter").textContent = `${about.name}. Features: ${about.features.join(", ") || "none"}.`;
  const software = isSoftware(device);
  const all = suites({ software });
  const [failures, peers] = await loadPeers(device);
  for (const failure of failures) note(failure);
  choices("suites", "suite", [
    ...all.map(({ name, about: title }) => ({ name, title })),
    { name: FIGURES, title: "loading, calls a token, capture" },
  ]);
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
  if (query.has("run")) $<HTMLFormElement>("choice").requestSubmit();
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
    const tasks: TaskResult[] = [];
    await runSuites(
      suites({ software }).filter(({ name }) => wanted.includes(name)),
      {
        peers: peers.filter(({ name }) => chosen("peers").includes(name)),
        context,
        budget: Number($<HTMLInputElement>("budget").value),
        onProgress: say,
        onResult: (result) => {
          tasks.push(result);
          showTable(tasks, result.suite);
        },
        signal,
      },
    );
    const figures = wanted.includes(FIGURES) ? await figuresOf(device, context, say) : [];
    showFigures(figures);
    const result: ResultFile = {
      version: 1,
      date: new Date().toISOString().slice(0, 10),
      platform: /(?:Chrome|Firefox|Version)\/[\d.]+/.exec(navigator.userAgent)?.[0] ?? "a browser",
      adapter: describeAdapter(device),
      roofline,
      tasks,
      figures,
    };
    plotResults($("results"), result);
    offer(result);
    say("Done.");
    state("done");
  } finally {
    stop.disabled = true;
  }
}

function showTable(tasks: readonly TaskResult[], suite: string): void {
  const own = tasks.filter((task) => task.suite === suite);
  const peers = peersOf(own);
  const rows = own.map((task) => ({ ...rowOf(task, peers), results: task.results }));
  const table = document.createElement("table");
  const line = (cells: readonly string[], tag: "th" | "td", titles: readonly (string | undefined)[] = []) => {
    const row = table.insertRow();
    cells.forEach((text, i) =>
      row.append(Object.assign(document.createElement(tag), { textContent: text, ...(titles[i] && { title: titles[i] }) })),
    );
  };
  line([suite, ...peers, ...HEADINGS.slice(1)], "th");
  for (const { task, cells, ratio, rate, results } of rows)
    line([task, ...cells, ratio === undefined ? "" : `${ratio.toFixed(2)}x`, rate], "td", [
      undefined,
      ...peers.map((peer) => results.find((r) => r.peer === peer)?.reason),
    ]);
  const mean = meanRatio(rows);
  if (mean !== undefined && rows.length > 1) line(["geometric mean", ...peers.map(() => ""), `${mean.toFixed(2)}x`, ""], "td");
  const section =
    document.getElementById(`suite-${suite}`) ??
    $("results").appendChild(Object.assign(document.createElement("div"), { id: `suite-${suite}`, className: "scroll" }));
  section.replaceChildren(table);
}

function showFigures(figures: readonly Figure[]): void {
  if (figures.length === 0) return;
  const table = document.createElement("table");
  for (const { name, value, unit } of figures) {
    const row = table.insertRow();
    row.insertCell().textContent = name;
    row.insertCell().textContent = `${value.toLocaleString("en-US", { maximumFractionDigits: 2 })} ${unit}`;
  }
  $("results").append(table);
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
  $("results").append(Object.assign(document.createElement("p"), { textContent: text, className: "notes" }));
}

function fail(error: unknown): void {
  say(`Ended: ${error instanceof Error ? error.message : String(error)}`);
  state("failed");
}

start().catch(fail);
