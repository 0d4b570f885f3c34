// A label for a text, or for a pair of texts, with its probability.
import { InputError } from "../errors.ts";
import { best, sigmoid, softmax } from "./scores.ts";
import { type CallOptions, forwardAll, labelOf, lengthLimit, listOf, requireHead, rowsOf, type TaskContext } from "./context.ts";

/** A text, or two: premise and hypothesis, question and answer. */
export type ClassifiedText = string | { readonly text: string; readonly textPair: string };

export interface Classification {
  readonly label: string;
  readonly score: number;
}

export interface ClassificationOptions extends CallOptions {
  /** Labels to give, best first; null: all. Default 1. */
  readonly topK?: number | null;
  /** From logits to scores. Default: as config.json's problem_type asks, else "sigmoid" for one label and "softmax" for more. */
  readonly function?: "softmax" | "sigmoid" | "none";
}

export interface TextClassification {
  /** One label: `[{ label, score }]`. */
  (text: ClassifiedText, options?: ClassificationOptions): Promise<Classification[]>;
  /** One label a text: a list of them; with `topK` other than 1 a list for each text. */
  (texts: readonly ClassifiedText[], options?: ClassificationOptions & { readonly topK?: 1 }): Promise<Classification[]>;
  (texts: readonly ClassifiedText[], options: ClassificationOptions): Promise<Classification[] | Classification[][]>;
}

export function textClassification(context: TaskContext): TextClassification {
  const { model, tokenizer } = context;
  requireHead(context, "sequence-classification");
  const call = async (texts: ClassifiedText | readonly ClassifiedText[], options: ClassificationOptions = {}) => {
    const { list, several } = listOf(texts);
    const { topK = 1 } = options;
    const encodings = list.map((entry) => {
      const { text, textPair } = typeof entry === "string" ? { text: entry, textPair: undefined } : entry;
      return tokenizer.encode(text, { maxLength: lengthLimit(context), ...(textPair !== undefined && { textPair }) });
    });
    const all = await forwardAll(context, encodings, options, async (run) =>
      (await rowsOf(run.logits, "logits")).map((logits): Classification[] => {
        const scores = apply(options.function ?? usualFunction(model.config, logits.length), logits);
        return best(scores, topK ?? scores.length).map((i) => ({ label: labelOf(model, i), score: scores[i]! }));
      }),
    );
    if (topK === 1) return all.flat();
    return several ? all : all[0]!;
  };
  return call as TextClassification;
}

function usualFunction(
  { problem_type: problem }: Readonly<Record<string, unknown>>,
  labels: number,
): NonNullable<ClassificationOptions["function"]> {
  if (problem === "regression") return "none";
  return problem === "multi_label_classification" || labels === 1 ? "sigmoid" : "softmax";
}

function apply(name: NonNullable<ClassificationOptions["function"]>, logits: Float32Array): Float64Array {
  if (name === "softmax") return softmax(logits);
  if (name === "sigmoid") return sigmoid(logits);
  if (name === "none") return Float64Array.from(logits);
  throw new InputError(`function must be "softmax", "sigmoid" or "none", got ${JSON.stringify(name)}`, {
    field: "function",
    expected: ["softmax", "sigmoid", "none"],
    got: name,
  });
}
