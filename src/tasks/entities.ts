// Labels of tokens joined to labels of words and of names, as the strategies of Hugging Face's TokenClassificationPipeline do.

/** A token with the scores of its labels. */
export interface LabelledToken {
  readonly ids: readonly number[];
  readonly scores: Float64Array;
  /** In the text; undefined where it cannot be told. */
  readonly start: number | undefined;
  readonly end: number | undefined;
  /** Position in the sequence. */
  readonly index: number;
  /** Whether it goes on with the word before it. */
  readonly continues: boolean;
}

/** A stretch with one label. */
export interface Labelled {
  readonly entity: string;
  readonly score: number;
  readonly ids: readonly number[];
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly index: number;
}

/**
 * "none": tokens by themselves. "simple": neighbours with one label joined. The others first give each word one label: that of its first
 * token, that with the greatest score of any, or that with the greatest mean.
 */
export type Aggregation = "none" | "simple" | "first" | "average" | "max";

export function aggregate(tokens: readonly LabelledToken[], strategy: Aggregation, label: (index: number) => string): Labelled[] {
  const words = strategy === "none" || strategy === "simple" ? tokens.map((token) => [token]) : wordsOf(tokens);
  const labelled = words.map((word): Labelled => {
    const scores = scoresOf(word, strategy);
    const winner = scores.reduce((best, score, i) => (score > scores[best]! ? i : best), 0);
    return {
      entity: label(winner),
      score: scores[winner]!,
      ids: word.flatMap(({ ids }) => ids),
      ...placeOf(word),
      index: word[0]!.index,
    };
  });
  return strategy === "none" ? labelled : group(labelled);
}

/** From the first that stands somewhere to the last. */
const placeOf = (parts: readonly Pick<Labelled, "start" | "end">[]) => ({
  start: parts.find(({ start }) => start !== undefined)?.start,
  end: parts.findLast(({ end }) => end !== undefined)?.end,
});

function wordsOf(tokens: readonly LabelledToken[]): LabelledToken[][] {
  const words: LabelledToken[][] = [];
  for (const token of tokens) {
    if (token.continues && words.length > 0) words.at(-1)!.push(token);
    else words.push([token]);
  }
  return words;
}

function scoresOf(word: readonly LabelledToken[], strategy: Aggregation): Float64Array {
  const [first] = word;
  if (strategy === "average") return first!.scores.map((_, i) => word.reduce((sum, { scores }) => sum + scores[i]!, 0) / word.length);
  if (strategy === "max") {
    const surest = (token: LabelledToken) => token.scores.reduce((a, b) => Math.max(a, b));
    return word.reduce((most, token) => (surest(token) > surest(most) ? token : most)).scores;
  }
  return first!.scores;
}

/** Neighbours of one kind; `B-` begins anew. */
function group(labelled: readonly Labelled[]): Labelled[] {
  const groups: Labelled[][] = [];
  for (const entity of labelled) {
    const last = groups.at(-1)?.at(-1);
    const { begins, kind } = kindOf(entity.entity);
    if (last && !begins && kindOf(last.entity).kind === kind) groups.at(-1)!.push(entity);
    else groups.push([entity]);
  }
  return groups.map((entities) => ({
    entity: kindOf(entities[0]!.entity).kind,
    score: entities.reduce((sum, { score }) => sum + score, 0) / entities.length,
    ids: entities.flatMap(({ ids }) => ids),
    ...placeOf(entities),
    index: entities[0]!.index,
  }));
}

/** `B-PER` begins a PER; labels without a mark go on. */
const kindOf = (label: string): { begins: boolean; kind: string } =>
  /^[BI]-/.test(label) ? { begins: label.startsWith("B-"), kind: label.slice(2) } : { begins: false, kind: label };
