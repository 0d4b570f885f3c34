// What might stand where a text has a mask.
import { InputError } from "../errors.ts";
import { best, softmax } from "./scores.ts";
import { type CallOptions, forwardAll, lengthLimit, listOf, requireHead, rowsOf, type TaskContext } from "./context.ts";

export interface Filling {
  readonly score: number;
  /** Its id. */
  readonly token: number;
  readonly token_str: string;
  /** The text with it in place of the mask. */
  readonly sequence: string;
}

export interface FillMaskOptions extends CallOptions {
  /** Default 5. */
  readonly topK?: number;
  /** Words to choose from, each a piece of the vocabulary. Default: all. */
  readonly targets?: readonly string[];
}

export interface FillMask {
  /** The best fillings, best first; of a text with several masks a list for each. */
  (text: string, options?: FillMaskOptions): Promise<Filling[] | Filling[][]>;
  (texts: readonly string[], options?: FillMaskOptions): Promise<(Filling[] | Filling[][])[]>;
}

export function fillMask(context: TaskContext): FillMask {
  const { tokenizer } = context;
  requireHead(context, "masked-lm");
  const { mask_token: mask } = tokenizer.specialTokens;
  const maskId = mask === undefined ? undefined : tokenizer.id(mask);
  if (maskId === undefined)
    throw new InputError(`pipeline("${context.task}"): the tokenizer has no mask token`, { field: "task", expected: "a mask token" });
  const call = async (texts: string | readonly string[], options: FillMaskOptions = {}) => {
    const { list, several } = listOf(texts);
    const { topK = 5, targets } = options;
    const wanted = targets && [...new Set(targets.map((target) => targetId(target)))];
    const encodings = list.map((text) => tokenizer.encode(text, { maxLength: lengthLimit(context) }));
    encodings.forEach(({ ids }, i) => {
      if (!ids.includes(maskId))
        throw new InputError(`fill-mask: text ${i} has no ${mask}`, { field: "text", expected: mask, got: list[i] });
    });
    const all = await forwardAll(context, encodings, options, async (run, batch) => {
      const rows = await rowsOf(run.logits, "logits");
      const vocabulary = run.logits!.shape.at(-1)!;
      return batch.encodings.map(({ ids }, row) => {
        const masks = ids.flatMap((id, at) => (id === maskId ? [at] : []));
        const filled = masks.map((at): Filling[] => {
          const scores = softmax(rows[row]!.subarray(at * vocabulary, (at + 1) * vocabulary));
          const among = wanted ?? Array.from(scores, (_, id) => id);
          return best(
            among.map((id) => scores[id]!),
            topK,
          ).map((i) => {
            const token = among[i]!;
            const sequence = tokenizer.decode(ids.with(at, token), { skipSpecialTokens: masks.length === 1 });
            return { score: scores[token]!, token, token_str: tokenizer.decode([token], { skipSpecialTokens: false }), sequence };
          });
        });
        return filled.length === 1 ? filled[0]! : filled;
      });
    });
    return several ? all : all[0]!;
  };
  return call as FillMask;

  /** Its piece, or the first of its pieces, as Hugging Face takes it: byte-level vocabularies have words with the space before them. */
  function targetId(target: string): number {
    const [piece] = tokenizer.encode(target, { addSpecialTokens: false }).ids;
    const id = tokenizer.id(target) ?? piece;
    if (id === undefined) throw new InputError(`fill-mask: the target is empty`, { field: "targets", expected: "words", got: target });
    return id;
  }
}
