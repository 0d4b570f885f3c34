// fovea/nn: the parts under the models, for architectures of your own. Write a graph of ops, compile it, run it.
export {
  Graph,
  type Dim,
  type DType,
  type Shape,
  type Value,
  type Node,
  type Op,
  defineOp,
  features,
  reshape,
  slice,
} from "./schedule/graph.ts";
export { compile, type CompileOptions } from "./schedule/compile.ts";
export { Executable, type ExecutableOptions, type RunOptions, type RunOutput, type TensorData } from "./schedule/executable.ts";
export { Plan } from "./schedule/plan.ts";
export type { Candidate, Candidates, Choices, Site } from "./schedule/candidates.ts";
export type { DispatchTime, Profile, ProfileRow } from "./gpu/profile.ts";
export { type Lowered, type LowerContext, lowering, type Lowering } from "./schedule/lowering.ts";
export { rules } from "./schedule/rules/index.ts";
export { rebuild, type Rule, usesOf } from "./schedule/rewrite.ts";
export { type Binding, entryPoint, instantiate, type Kernel, type KernelInstance } from "../shaders/kernel.ts";
export { wgsl } from "../shaders/wgsl.ts";
export type { Activation } from "../shaders/snippets.ts";

export { add } from "./ops/add.ts";
export { append } from "./ops/append.ts";
export { attention, type AttentionOptions } from "./ops/attention.ts";
export { attentionMap } from "./ops/attention-map.ts";
export { additiveScores, localSoftmax, type LocalSoftmaxOptions } from "./ops/classic.ts";
export { embedding, type EmbeddingOptions } from "./ops/embedding.ts";
export { mergeHeads, splitHeads } from "./ops/heads.ts";
export { activation, gated, mul, scaleBy, softcap } from "./ops/map.ts";
export { matmul, type MatmulOptions } from "./ops/matmul.ts";
export { narrow } from "./ops/narrow.ts";
export { pickToken } from "./ops/pick-token.ts";
export { rotary } from "./ops/rotary.ts";
export { scaleHeads } from "./ops/scale-heads.ts";
export { logSoftmax, softmax, type SoftmaxOptions } from "./ops/softmax.ts";
export { argmax, topK } from "./ops/vocabulary.ts";

export { attend, crossAttention, multiHeadAttention, type MultiHeadOptions, type ProjectionNames } from "./nn/attention.ts";
export {
  additiveAttention,
  type AdditiveOptions,
  attentionPooling,
  type ClassicAttention,
  luongAttention,
  luongLocalAttention,
  type LuongLocalOptions,
  type LuongOptions,
  type LuongScore,
  type PoolingOptions,
} from "./nn/classic.ts";
export { decoder, decoderBlock, type DecoderBlockOptions, type DecoderNames, type Memory } from "./nn/decoder.ts";
export { type BlockOptions, encoder, encoderBlock, type EncoderBlockOptions, type EncoderNames, type StackOptions } from "./nn/encoder.ts";
export { type ScaledDotProduct, scaledDotProductAttention } from "./nn/scaled-dot-product.ts";
export { feedForward, type FeedForwardOptions } from "./nn/feed-forward.ts";
export { type HeadByHeadOptions, projectHeadByHead } from "./nn/head-by-head.ts";
export { conv1d, linear, type Linear, type LinearOptions } from "./nn/linear.ts";
export { layerNorm, rmsNorm } from "./nn/norm.ts";
export { alibi, fairseqSinusoids, relativeBuckets, sinusoidHalves, sinusoids } from "./nn/position.ts";
export { rotaryAngles, type RopeScaling, type RotaryOptions, type SequenceLengths } from "./nn/rotary.ts";
export { sublayer } from "./nn/residual.ts";
