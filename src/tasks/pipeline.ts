// pipeline(task, model): a model as a function of texts, with the results that users of Hugging Face's pipelines know.
import { InputError } from "../errors.ts";
import { loadModel, type LoadOptions } from "../load/load-model.ts";
import { keptFiles } from "../load/cache/store.ts";
import { type SourceInput, toSource } from "../load/source.ts";
import { Model } from "../model.ts";
import { textClassification, type TextClassification } from "./classification.ts";
import { contextOf, type TaskContext } from "./context.ts";
import { featureExtraction, type FeatureExtraction } from "./features.ts";
import { fillMask, type FillMask } from "./fill-mask.ts";
import {
  type GeneratedText,
  type Summary,
  textGeneration,
  type TextGeneration,
  type Translation,
  writing,
  type Writing,
} from "./generation.ts";
import { questionAnswering, type QuestionAnswering } from "./question-answering.ts";
import { tokenClassification, type TokenClassification } from "./token-classification.ts";

/** Tasks and what their functions are. */
export interface Tasks {
  "text-classification": TextClassification;
  "sentiment-analysis": TextClassification;
  "token-classification": TokenClassification;
  ner: TokenClassification;
  "question-answering": QuestionAnswering;
  "fill-mask": FillMask;
  "feature-extraction": FeatureExtraction;
  translation: Writing<Translation>;
  summarization: Writing<Summary>;
  "text2text-generation": Writing<GeneratedText>;
  "text-generation": TextGeneration;
}

/** `translation_en_to_fr` is a translation, for models whose config has settings under that name (T5). */
export type TranslationTask = `translation_${string}_to_${string}`;
export type Task = keyof Tasks | TranslationTask;

/** A task's function, and the model behind it. */
export type Pipeline<T> = T & {
  readonly task: string;
  readonly model: Model;
  /** Frees the model, unless it was yours. Idempotent. */
  dispose(): void;
  [Symbol.dispose](): void;
};

const MAKERS: { readonly [K in keyof Tasks]: (context: TaskContext) => Tasks[K] | Promise<Tasks[K]> } = {
  "text-classification": textClassification,
  "sentiment-analysis": textClassification,
  "token-classification": tokenClassification,
  ner: tokenClassification,
  "question-answering": questionAnswering,
  "fill-mask": fillMask,
  "feature-extraction": featureExtraction,
  translation: (context) => writing(context, "translation"),
  summarization: (context) => writing(context, "summarization"),
  "text2text-generation": (context) => writing(context, "text2text-generation"),
  "text-generation": textGeneration,
};

/**
 * A function that does a task with a model: `await (await pipeline("ner", "/models/bert-ner/"))("I live in Paris")`.
 * @param model a loaded model, which stays yours, or what `loadModel` takes
 * @param options of `loadModel`, for models that are loaded here
 * @throws InputError where the model's head is not the task's
 */
export function pipeline<T extends keyof Tasks>(task: T, model: Model | SourceInput, options?: LoadOptions): Promise<Pipeline<Tasks[T]>>;
export function pipeline(task: TranslationTask, model: Model | SourceInput, options?: LoadOptions): Promise<Pipeline<Writing<Translation>>>;
export async function pipeline(task: Task, input: Model | SourceInput, options?: LoadOptions): Promise<Pipeline<object>> {
  const kind = /^translation_.+_to_.+$/.test(task) ? "translation" : task;
  if (!Object.hasOwn(MAKERS, kind))
    throw new InputError(`pipeline: there is no task "${task}"; tasks are ${Object.keys(MAKERS).join(", ")}`, {
      field: "task",
      expected: Object.keys(MAKERS),
      got: task,
    });
  const own = !(input instanceof Model);
  const source = own ? toSource(input, options, keptFiles(options?.device)) : undefined;
  const model = own ? await loadModel(input, options) : input;
  const dispose = () => {
    if (own) model.dispose();
  };
  try {
    const run = await MAKERS[kind as keyof Tasks](contextOf(task, model, source));
    return Object.assign(run, { task, model, dispose, [Symbol.dispose]: dispose });
  } catch (error) {
    dispose();
    throw error;
  }
}
