// Labels of a text's tokens: names of people and places, parts of speech.
import { InputError } from "../errors.ts";
import type { Encoding } from "../text/tokenizer.ts";
import { type CallOptions, forwardAll, labelOf, lengthLimit, listOf, requireHead, rowsOf, type TaskContext } from "./context.ts";
import { aggregate, type Aggregation, type LabelledToken } from "./entities.ts";
import { softmax } from "./scores.ts";

interface Place {
  readonly score: number;
  readonly word: string;
  /** In the text; undefined where it cannot be told. */
  readonly start: number | undefined;
  readonly end: number | undefined;
}
/** A token, with aggregation "none". */
export interface TokenEntity extends Place {
  readonly entity: string;
  /** Position in the sequence, special tokens counted. */
  readonly index: number;
}
/** A word or a name, with the other aggregations. */
export interface EntityGroup extends Place {
  readonly entity_group: string;
}

export interface TokenClassificationOptions extends CallOptions {
  /** How tokens are joined. Default "none". */
  readonly aggregation?: Aggregation;
  /** Labels to leave out. Default ["O"]. */
  readonly ignoreLabels?: readonly string[];
}

type Grouped = TokenClassificationOptions & { readonly aggregation: Exclude<Aggregation, "none"> };

export interface TokenClassification {
  (text: string, options: Grouped): Promise<EntityGroup[]>;
  (texts: readonly string[], options: Grouped): Promise<EntityGroup[][]>;
  (text: string, options?: TokenClassificationOptions): Promise<TokenEntity[]>;
  (texts: readonly string[], options?: TokenClassificationOptions): Promise<TokenEntity[][]>;
}

const STRATEGIES: readonly Aggregation[] = ["none", "simple", "first", "average", "max"];

export function tokenClassification(context: TaskContext): TokenClassification {
  const { model, tokenizer } = context;
  requireHead(context, "token-classification");
  const call = async (texts: string | readonly string[], options: TokenClassificationOptions = {}) => {
    const { list, several } = listOf(texts);
    const { aggregation = "none", ignoreLabels = ["O"] } = options;
    if (!STRATEGIES.includes(aggregation))
      throw new InputError(`aggregation must be one of ${STRATEGIES.join(", ")}, got ${JSON.stringify(aggregation)}`, {
        field: "aggregation",
        expected: STRATEGIES,
        got: aggregation,
      });
    const textOf = new Map<Encoding, string>();
    const encodings = list.map((text) => {
      const encoding = tokenizer.encode(text, { maxLength: lengthLimit(context), offsets: true });
      textOf.set(encoding, text);
      return encoding;
    });
    const all = await forwardAll(context, encodings, options, async (run, batch) => {
      const rows = await rowsOf(run.logits, "logits");
      const labels = run.logits!.shape.at(-1)!;
      return batch.encodings.map((encoding, row) => {
        const tokens = tokensOf(encoding, textOf.get(encoding)!, (at) => softmax(rows[row]!.subarray(at * labels, (at + 1) * labels)));
        return aggregate(tokens, aggregation, (i) => labelOf(model, i))
          .filter(({ entity }) => !ignoreLabels.includes(entity))
          .map(({ entity, score, ids, start, end, index }): TokenEntity | EntityGroup =>
            aggregation === "none"
              ? { entity, score, index, word: tokenizer.token(ids[0]!), start, end }
              : { entity_group: entity, score, word: tokenizer.decode(ids), start, end },
          );
      });
    });
    return several ? all : all[0]!;
  };
  return call as TokenClassification;

  /** The text's own tokens. */
  function tokensOf({ ids, tokens, offsets, sequences }: Encoding, text: string, scores: (at: number) => Float64Array): LabelledToken[] {
    return ids.flatMap((id, index) => {
      if (sequences[index] === undefined) return [];
      const [start, end] = offsets![index] ?? [];
      const unknown = tokens[index] === tokenizer.specialTokens.unk_token;
      const marked = unknown ? false : tokenizer.isContinuation(tokens[index]!);
      // Where the vocabulary marks no continuations, a word ends at white space.
      const continues = marked ?? (start !== undefined && start > 0 && !/\s/.test(text[start - 1]!));
      return [{ ids: [id], index, scores: scores(index), start, end, continues }];
    });
  }
}
