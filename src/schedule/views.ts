// Which operands may be views. Kernels read those with an offset and a row stride; all others lie contiguous from the start
// of their buffer. Rules leave views only where this table has the operand, and `compile` holds every graph to it.

const OPERANDS: Readonly<Record<string, readonly string[]>> = {
  add: ["a", "b"],
  "additive-scores": ["q", "k", "v"],
  append: ["x0", "x1", "x2"],
  attention: ["q", "k", "v"],
  "attention-map": ["q", "k", "v"],
  heads: ["x"],
  "local-softmax": ["prediction"],
  map: ["a", "b"],
  matmul: ["x", "w", "residual"],
  norm: ["x", "weight", "residual"],
  "pick-token": ["x"],
  rotary: ["x"],
  "rotary-append": ["x0", "x1", "x2", "x3", "weight0", "weight1", "weight2", "weight3"],
};

/** Whether the operation reads this operand with offset and row stride. */
export const readsViews = (op: string, operand: string): boolean => OPERANDS[op]?.includes(operand) ?? false;
