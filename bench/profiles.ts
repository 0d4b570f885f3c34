// Where our own GPU time goes: an encoder, some steps of decoding, the embedded model's forward pass and its translation, dispatch
// by dispatch.
import { loadModel, type Profile } from "../src/index.ts";
import { dataOf } from "./data.ts";
import { fovea } from "./peers/fovea.ts";
import type { ProfileResult } from "./result.ts";
import { nameOf, samples } from "./suites.ts";
import type { PeerContext, Task } from "./task.ts";

/** Of so many profiles, the one of median time is kept. */
const ROUNDS = 5;

export interface ProfileOptions {
  readonly context: PeerContext;
  readonly software: boolean;
  readonly onProgress: (what: string) => void;
  readonly onResult?: (result: ProfileResult) => void;
  readonly signal?: AbortSignal;
}

export async function profilesOf(device: GPUDevice, options: ProfileOptions): Promise<ProfileResult[]> {
  if (!device.features.has("timestamp-query")) {
    options.onProgress("no profiles: the adapter has no timestamp-query");
    return [];
  }
  const { encoder, decode, translate } = samples(options);
  const results: ProfileResult[] = [];
  const add = async (name: string, profile: () => Promise<Profile>): Promise<void> => {
    options.signal?.throwIfAborted();
    options.onProgress(`profile: ${name}`);
    const result = resultOf(name, await profile());
    results.push(result);
    options.onResult?.(result);
  };
  for (const task of [encoder, decode, translate]) await add(nameOf(task), () => profileTask(device, task, options.context));
  await add("forward pass of the embedded model, 12 tokens to 12", async () => {
    using model = await loadModel(options.context.files(), { device });
    const inputIds = [translate.ids];
    const forward = async () => (await model.forward({ inputIds, decoderInputIds: inputIds })).dispose();
    await forward();
    return await typical(() => model.profile(forward));
  });
  return results;
}

/** After a first run: what that compiles and uploads is not of interest. */
async function profileTask(device: GPUDevice, task: Task, context: PeerContext): Promise<Profile> {
  const prepared = await fovea(device).prepare(task, dataOf(task), context);
  try {
    await prepared.run();
    await prepared.output();
    return await typical(() => prepared.profile!());
  } finally {
    await prepared.dispose();
  }
}

async function typical(profile: () => Promise<Profile>): Promise<Profile> {
  const profiles: Profile[] = [];
  while (profiles.length < ROUNDS) profiles.push(await profile());
  return profiles.sort((a, b) => a.micros - b.micros)[ROUNDS >> 1]!;
}

const resultOf = (name: string, profile: Profile): ProfileResult => ({
  name,
  dispatches: profile.dispatches.length,
  micros: profile.micros,
  caveats: profile.caveats,
  kernels: profile.by("kernel"),
  modules: profile.by("module"),
});
