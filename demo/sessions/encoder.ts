// Models that only read: one forward pass.
import type { Model } from "../../src/index.ts";
import { labels, type Marks } from "../maps/tokens.ts";
import { holding } from "./holding.ts";
import { headScale, liveShown } from "./live.ts";
import type { RunRequest, Shown } from "./session.ts";

export async function readOnly(model: Model, marks: Marks, { text, off, signal }: RunRequest): Promise<Shown> {
  const { ids } = model.tokenizer!.encode(text);
  const run = await model.forward({ inputIds: [ids] }, { capture: "all", headScale: headScale(off), signal });
  const source = labels(model.tokenizer!, marks, ids);
  return liveShown({
    attentions: run.attentions,
    input: text,
    output: "",
    steps: [],
    source,
    target: [],
    held: holding(() => run.dispose()),
  });
}
