// Answers that stand in a text: the span whose first and last tokens are likeliest, over windows of a text too long for one (as Hugging
// Face's QuestionAnsweringPipeline).
import type { Encoding } from "../text/tokenizer.ts";
import { type CallOptions, forwardAll, lengthLimit, listOf, requireHead, rowsOf, type TaskContext } from "./context.ts";
import { softmax } from "./scores.ts";

export interface Question {
  readonly question: string;
  readonly context: string;
}

export interface Answer {
  readonly score: number;
  /** Where it stands in the context; 0 and 0 for "no answer". */
  readonly start: number;
  readonly end: number;
  readonly answer: string;
}

export interface QuestionOptions extends CallOptions {
  /** Answers to give, best first. Default 1: the answer itself, and no list of one. */
  readonly topK?: number;
  /** Most tokens of an answer. Default 15. */
  readonly maxAnswerLength?: number;
  /** Most tokens of question and context together; longer contexts are read in windows. Default: the model's, at most 384. */
  readonly maxLength?: number;
  /** Tokens that neighbouring windows share. Default 128, at most half of maxLength and of what the question leaves of it. */
  readonly docStride?: number;
  /** Let "no answer", the empty one, win where it is likelier. Default false. */
  readonly handleImpossible?: boolean;
  /** Whole words only. Default true. */
  readonly alignToWords?: boolean;
}

export interface QuestionAnswering {
  (question: Question, options?: QuestionOptions & { readonly topK?: 1 }): Promise<Answer>;
  (question: Question, options: QuestionOptions): Promise<Answer | Answer[]>;
  (questions: readonly Question[], options?: QuestionOptions & { readonly topK?: 1 }): Promise<Answer[]>;
  (questions: readonly Question[], options: QuestionOptions): Promise<Answer[] | Answer[][]>;
}

/** Tokens of a window, by position. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly score: number;
}

export function questionAnswering(context: TaskContext): QuestionAnswering {
  const { tokenizer } = context;
  requireHead(context, "question-answering");
  const call = async (questions: Question | readonly Question[], options: QuestionOptions = {}) => {
    const { list, several } = listOf(questions);
    const { topK = 1 } = options;
    const all: Answer[][] = [];
    for (const question of list) all.push((await answers(question, options)).slice(0, topK));
    if (topK === 1) return several ? all.flat() : all[0]![0]!;
    return several ? all : all[0]!;
  };
  return call as QuestionAnswering;

  async function answers({ question, context: text }: Question, options: QuestionOptions): Promise<Answer[]> {
    const { topK = 1, maxAnswerLength = 15, handleImpossible = false, alignToWords = true } = options;
    const maxLength = options.maxLength ?? Math.min(lengthLimit(context), 384);
    // What a question of ordinary length leaves is more than the stride; of a long one's, half.
    const room = maxLength - tokenizer.encode(question, { textPair: "" }).ids.length;
    const stride = options.docStride ?? Math.max(0, Math.min(128, Math.floor(maxLength / 2), Math.floor(room / 2)));
    const windows = tokenizer.windows(question, text, { maxLength, stride });
    let nothing = Infinity;
    const found = await forwardAll(context, windows, options, async (run, batch) => {
      const [starts, ends] = await Promise.all([rowsOf(run.startLogits, "startLogits"), rowsOf(run.endLogits, "endLogits")]);
      return batch.encodings.map((encoding, row): Answer[] => {
        const [start, end] = [starts, ends].map((side) => probabilities(side[row]!, encoding)) as [Float64Array, Float64Array];
        // The first token stands for "no answer".
        nothing = Math.min(nothing, start[0]! * end[0]!);
        // Several may be the same words.
        const most = alignToWords ? 2 * topK + 10 : topK;
        return bestSpans(start, end, encoding, { most, maxAnswerLength }).flatMap((span) => answerOf(span, encoding, text, alignToWords));
      });
    });
    const all = joined(found.flat());
    if (handleImpossible) all.push({ score: nothing, start: 0, end: 0, answer: "" });
    return all.sort((a, b) => b.score - a.score);
  }
}

/** Of each token, among the context's and the first. */
function probabilities(logits: Float32Array, { sequences }: Encoding): Float64Array {
  return softmax(sequences.map((sequence, at) => (sequence === 1 || at === 0 ? logits[at]! : -Infinity)));
}

/** The best spans within the context, best first. */
function bestSpans(
  start: Float64Array,
  end: Float64Array,
  { sequences }: Encoding,
  { most, maxAnswerLength }: { most: number; maxAnswerLength: number },
): Span[] {
  const spans: Span[] = [];
  for (const [first, sequence] of sequences.entries()) {
    if (sequence !== 1) continue;
    for (let last = first; last < Math.min(first + maxAnswerLength, sequences.length) && sequences[last] === 1; last++)
      spans.push({ first, last, score: start[first]! * end[last]! });
  }
  return spans.sort((a, b) => b.score - a.score).slice(0, most);
}

/** Undefined places are no answer: nobody could show it. */
function answerOf({ first, last, score }: Span, { offsets }: Encoding, text: string, alignToWords: boolean): Answer[] {
  const begin = offsets!.slice(first).find((offset) => offset !== undefined);
  // A space is of the word behind it.
  const finish = alignToWords
    ? offsets!.slice(last).find((offset) => offset !== undefined)
    : offsets!.slice(first, last + 1).findLast((offset) => offset !== undefined);
  if (!begin || !finish) return [];
  let [start, end] = [begin[0], finish[1]];
  if (alignToWords) {
    while (start > 0 && insideWord(text, start)) start--;
    while (end < text.length && insideWord(text, end)) end++;
  }
  return [{ score, start, end, answer: text.slice(start, end) }];
}

/** The same answer found more than once is likelier by as much. */
function joined(answers: readonly Answer[]): Answer[] {
  const all = new Map<string, Answer>();
  for (const answer of answers) {
    const key = answer.answer.toLowerCase();
    const before = all.get(key);
    all.set(key, before ? { ...before, score: before.score + answer.score } : answer);
  }
  return [...all.values()];
}

/** Whether letters or digits stand on both sides. */
const insideWord = (text: string, at: number): boolean => /^[\p{L}\p{N}\p{M}]{2}$/u.test(text.slice(at - 1, at + 1));
