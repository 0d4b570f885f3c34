// fovea: every public export.
export { loadModel, type LoadOptions } from "./load/load-model.ts";
export { Model, type ForwardInput, type ForwardCallOptions } from "./model.ts";
export { deviceDescriptor, isSupported, type Support } from "./gpu/device.ts";
export type { TunedSites, TuningStore } from "./tune/store.ts";
export type { DispatchTime, Profile, ProfileRow } from "./gpu/profile.ts";
export * from "./errors.ts";
export { MissingFileError, type Source, type SourceInput } from "./load/source.ts";
export type { Tokenizer } from "./load/tokenizer.ts";
export type { LoadProgress } from "./load/stream.ts";
export type { Run, RunTensor } from "./engine/forward.ts";
export type { IdsInput } from "./engine/inputs.ts";
export type { AttentionMaps, CaptureSelection, MapRequest } from "./capture/attentions.ts";
export type { HeadScale, ScaledHead } from "./capture/selection.ts";
export type { Attentions } from "./capture/session.ts";
export type { BeamCandidate, BeamStep, EndedBeam } from "./generate/beam.ts";
export type { Candidate, ScoredToken } from "./generate/candidates.ts";
export type { Generation, GeneratedSequence, Piece, Prompt } from "./generate/generate.ts";
export type { GenerateOptions } from "./generate/options.ts";
