// The page of ../check-peers.ts: runs one peer on one case when it is told to.
import { peers } from "../peers/index.ts";
import { readCheckpoint } from "../read-checkpoint.ts";
import type { Peer } from "../task.ts";
import { cases, dataOf } from "./cases.ts";

export interface Introduction {
  readonly name: string;
  readonly about: string;
}

export interface Outcome {
  readonly status: "ran" | "error" | "unsupported";
  readonly detail: string;
  /** Of the third run: those before may have left something behind. */
  readonly output: readonly number[];
  /** How long the third run took, in ms. */
  readonly ms: number;
}

export interface CheckPage {
  introduce(peer: number): Promise<Introduction>;
  run(peer: number, index: number): Promise<Outcome>;
}

const FOLDER = "models/marian-en-fr-tatoeba/";
const loaded = new Map<number, Promise<Peer>>();

function load(index: number): Promise<Peer> {
  if (!loaded.has(index)) loaded.set(index, peers[index]!());
  return loaded.get(index)!;
}

const checkpoint = () => readCheckpoint(new URL(FOLDER, document.baseURI));

async function run(index: number, which: number): Promise<Outcome> {
  const nothing = { output: [], ms: 0 };
  try {
    const peer = await load(index);
    const { task } = cases[which]!;
    const supported = peer.supports(task);
    if (supported !== true) return { status: "unsupported", detail: supported, ...nothing };
    const prepared = await peer.prepare(task, dataOf(task), { checkpoint, files: () => FOLDER });
    // The first run may compile and record, the second replay; the third is as all after it.
    await prepared.run();
    await prepared.run();
    const start = performance.now();
    await prepared.run();
    const ms = performance.now() - start;
    const output = [...(await prepared.output())];
    await prepared.dispose();
    return { status: "ran", detail: "", output, ms };
  } catch (error) {
    return { status: "error", detail: error instanceof Error ? error.message : String(error), ...nothing };
  }
}

const page: CheckPage = {
  introduce: async (index) => {
    const { name, about } = await load(index);
    return { name, about };
  },
  run,
};
Object.assign(globalThis, { page });
