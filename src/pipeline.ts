// fovea/pipeline: models as functions of texts, task by task, with the results that users of Hugging Face's pipelines know.
export { pipeline, type Pipeline, type Task, type Tasks, type TranslationTask } from "./tasks/pipeline.ts";
export type { Classification, ClassificationOptions, ClassifiedText, TextClassification } from "./tasks/classification.ts";
export type { CallOptions } from "./tasks/context.ts";
export type { Aggregation } from "./tasks/entities.ts";
export type { FeatureExtraction, FeatureOptions, Features, Pooling } from "./tasks/features.ts";
export type { FillMask, FillMaskOptions, Filling } from "./tasks/fill-mask.ts";
export type {
  ContinuationOptions,
  GeneratedChat,
  GeneratedText,
  Summary,
  TextGeneration,
  Translation,
  Writing,
  WritingOptions,
} from "./tasks/generation.ts";
export type { Answer, Question, QuestionAnswering, QuestionOptions } from "./tasks/question-answering.ts";
export type { EntityGroup, TokenClassification, TokenClassificationOptions, TokenEntity } from "./tasks/token-classification.ts";
