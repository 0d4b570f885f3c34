// The suites under Node on Dawn, our engine alone: `npm run bench:node`, or as one file (`npm run bench:bundle`) with a dawn.node
// that DAWN_NODE names, on a machine that has nothing else. --suite matmul,decode --json FILE --budget MS --software
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { directory, openDevice } from "../src/node.ts";
import { describeAdapter, type Figure, isSoftware, type ResultFile } from "./environment.ts";
import { figuresOf } from "./figures.ts";
import { fovea } from "./peers/fovea.ts";
import { measureRoofline } from "./roofline.ts";
import { runSuites } from "./runner.ts";
import { schedulerCost } from "./scheduler.ts";
import { suites } from "./suites.ts";
import { markdown } from "./table.ts";
import type { PeerContext } from "./task.ts";

const { values } = parseArgs({
  options: {
    suite: { type: "string" },
    json: { type: "string" },
    budget: { type: "string", default: "4000" },
    software: { type: "boolean", default: false },
    model: { type: "string", default: "demo/public/models/marian-en-fr-tatoeba" },
  },
});

const device = await openDevice({ software: values.software });
const context: PeerContext = {
  files: () => directory(values.model),
  checkpoint: () => Promise.reject(new Error("no peer under Node needs it")),
};
const say = (what: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${what}`);
const wanted = values.suite?.split(",");
const software = isSoftware(device);
const chosen = suites({ software }).filter(({ name }) => !wanted || wanted.includes(name));
const roofline = await measureRoofline(device, software);
const tasks = await runSuites(chosen, { peers: [fovea(device)], context, budget: Number(values.budget), onProgress: say });
const figures: Figure[] = [];
if (!wanted || wanted.includes("figures")) {
  figures.push(...(await figuresOf(device, context, say)));
  const nothing = await openDevice({ backend: "null" });
  figures.push(...(await schedulerCost(nothing)));
  nothing.destroy();
}
say("");
const result: ResultFile = {
  version: 1,
  date: new Date().toISOString().slice(0, 10),
  platform: `Node ${process.versions.node}, Dawn`,
  adapter: describeAdapter(device),
  roofline,
  tasks,
  figures,
};
console.log(markdown(result));
if (values.json) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
}
device.destroy();
