// The suites under Node on Dawn, our engine alone: `npm run bench:node`, or as one file (`npm run bench:bundle`) with a dawn.node
// that DAWN_NODE names, on a machine that has nothing else. --suite matmul,figures,profile --json FILE --budget MS --software
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { directory, openDevice } from "../src/node.ts";
import { buildOf } from "./build.ts";
import { describeAdapter, isSoftware } from "./environment.ts";
import { figuresOf } from "./figures/index.ts";
import { schedulerCost } from "./figures/scheduler.ts";
import { fovea } from "./peers/fovea.ts";
import { profilesOf } from "./profiles.ts";
import type { Figure, ResultFile } from "./result.ts";
import { measureRoofline } from "./roofline.ts";
import { runSuites } from "./runner.ts";
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

const openGpu = () => openDevice({ software: values.software, withoutToggles: ["timestamp_quantization"] });
const device = await openGpu();
const context: PeerContext = {
  files: () => directory(values.model),
  checkpoint: () => Promise.reject(new Error("no peer under Node needs it")),
};
const build = typeof __BUILD__ === "undefined" ? buildOf() : __BUILD__;
const onProgress = (what: string) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${what}`);
const wanted = values.suite?.split(",");
const wants = (name: string) => !wanted || wanted.includes(name);
const software = isSoftware(device);
const roofline = await measureRoofline(device, software);
const figures: Figure[] = [];
if (wants("figures")) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const memory = { bytes: () => process.memoryUsage().arrayBuffers, what: "array buffers", collect };
  figures.push(...(await figuresOf(device, { context, software, openDevice: openGpu, memory, build, onProgress })));
  const nothing = await openDevice({ backend: "null" });
  figures.push(...(await schedulerCost(nothing)));
  nothing.destroy();
}
const tasks = await runSuites(
  suites({ software }).filter(({ name }) => wants(name)),
  { peers: [fovea(device)], context, budget: Number(values.budget), onProgress },
);
const profiles = wants("profile") ? await profilesOf(device, { context, software, onProgress }) : [];
onProgress("");
const result: ResultFile = {
  version: 2,
  date: new Date().toISOString().slice(0, 10),
  ...(build.revision && { revision: build.revision }),
  platform: `Node ${process.versions.node}, Dawn`,
  adapter: describeAdapter(device),
  roofline,
  tasks,
  figures,
  profiles,
};
console.log(markdown([result]));
if (values.json) {
  mkdirSync(dirname(values.json), { recursive: true });
  writeFileSync(values.json, `${JSON.stringify(result, null, 1)}\n`);
}
device.destroy();
