// What all tasks share: the model with what it must have, and texts run through it batch by batch.
import { FoveaError, InputError } from "../errors.ts";
import type { Run, RunTensor } from "../engine/forward.ts";
import type { Source } from "../load/source.ts";
import type { Model } from "../model.ts";
import type { Head } from "../models/architecture.ts";
import type { Batch, Encoding, Tokenizer } from "../text/tokenizer.ts";

export interface TaskContext {
  /** As it was asked for. */
  readonly task: string;
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** Where the model was loaded from; undefined for models that the caller loaded. */
  readonly source: Source | undefined;
}

/** Options that every task takes. */
export interface CallOptions {
  /** Texts that the model reads at once. Default 8. */
  readonly batchSize?: number;
  readonly signal?: AbortSignal;
}

const BATCH_SIZE = 8;

export function contextOf(task: string, model: Model, source: Source | undefined): TaskContext {
  const { tokenizer } = model;
  if (!tokenizer)
    throw new FoveaError(
      `pipeline("${task}"): this checkpoint has no tokenizer.json (nor older files that say the same), and the task needs one`,
    );
  return { task, model, tokenizer, source };
}

/** @throws InputError for models with another head */
export function requireHead({ task, model }: TaskContext, ...heads: readonly Head[]): void {
  if (heads.includes(model.head)) return;
  throw new InputError(`pipeline("${task}"): the model's head is "${model.head}", and the task needs ${heads.join(" or ")}`, {
    field: "task",
    expected: heads,
    got: model.head,
  });
}

/** A call's inputs as a list, and whether it was one. */
export const listOf = <T>(inputs: T | readonly T[]): { readonly list: readonly T[]; readonly several: boolean } =>
  Array.isArray(inputs) ? { list: inputs as readonly T[], several: true } : { list: [inputs as T], several: false };

/** Items in parts of at most `batchSize`. */
export function* chunks<T>(items: readonly T[], batchSize = BATCH_SIZE): Generator<readonly T[]> {
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new InputError(`batchSize must be an integer from 1, got ${batchSize}`, { field: "batchSize", expected: "≥ 1", got: batchSize });
  for (let at = 0; at < items.length; at += batchSize) yield items.slice(at, at + batchSize);
}

/** The longest that texts are cut to: what model and tokenizer both take. */
export const lengthLimit = ({ model, tokenizer }: TaskContext): number => Math.min(model.maxTokens, tokenizer.maxLength ?? Infinity);

/** What `read` makes of each encoding's row, in their order. Runs are freed as they are read. */
export async function forwardAll<T>(
  { model, tokenizer }: TaskContext,
  encodings: readonly Encoding[],
  { batchSize, signal }: CallOptions,
  read: (run: Run, batch: Batch) => Promise<readonly T[]>,
): Promise<T[]> {
  const results: T[] = [];
  for (const part of chunks(encodings, batchSize)) {
    const batch = tokenizer.pad(part);
    const { inputIds, attentionMask, tokenTypeIds } = batch;
    using run = await model.forward({ inputIds, attentionMask, ...(hasTypes(model) && { tokenTypeIds }) }, { signal });
    results.push(...(await read(run, batch)));
  }
  return results;
}

/** BERT and its kin have segments; others' encodings may number them too. */
function hasTypes({ config }: Model): boolean {
  const usual = ["albert", "bert", "electra"].includes(String(config["model_type"])) ? 2 : 0;
  const count = config["type_vocab_size"] ?? usual;
  return typeof count === "number" && count > 1;
}

/** A tensor's rows along its first axis. */
export async function rowsOf(tensor: RunTensor | undefined, name: string): Promise<Float32Array[]> {
  if (!tensor) throw new FoveaError(`the model gives no ${name}`);
  const data = await tensor.read();
  const size = data.length / tensor.shape[0]!;
  return Array.from({ length: tensor.shape[0]! }, (_, row) => data.subarray(row * size, (row + 1) * size));
}

/** The name of a class, as config.json has it. */
export function labelOf({ config }: Model, index: number): string {
  const labels = config["id2label"] as Readonly<Record<string, unknown>> | undefined;
  const label = labels?.[String(index)];
  return typeof label === "string" ? label : `LABEL_${index}`;
}
