// Tensors by the names that the families' pages use: exports of one family differ in them.
import type { Checkpoint } from "./safetensors.ts";

/** What the norms of the first BERT checkpoints, translated from TensorFlow, call their tensors. */
const NORMS: readonly (readonly [RegExp, string])[] = [
  [/\.gamma$/, ".weight"],
  [/\.beta$/, ".bias"],
];

/**
 * The checkpoint with further names for its tensors.
 * @param prefix with which those of a whole model begin; where none does, the bare base model was saved, and all get it
 */
export function canonicalNames({ tensors }: Checkpoint, prefix?: string): Checkpoint {
  const named = new Map(tensors);
  const bare = prefix !== undefined && ![...tensors.keys()].some((name) => name.startsWith(`${prefix}.`));
  for (const [name, tensor] of tensors) {
    const renamed = NORMS.reduce((n, [from, to]) => n.replace(from, to), name);
    for (const alias of bare ? [renamed, `${prefix}.${renamed}`] : [renamed]) if (!named.has(alias)) named.set(alias, tensor);
  }
  return { tensors: named };
}
