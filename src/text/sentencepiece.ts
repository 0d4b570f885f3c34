// A SentencePiece model file (.spm, spiece.model, sentencepiece.bpe.model, tokenizer.model): pieces with scores, and how text is
// normalised before it is cut into them. Fields by number as in google/sentencepiece, src/sentencepiece_model.proto.
import { PbfReader } from "pbf";
import { CheckpointError } from "../errors.ts";
import { precompiledNormalizer } from "./charsmap.ts";
import { mergePieces } from "./spm-bpe.ts";
import { likeliestPieces } from "./unigram.ts";
import { anyOf, bytePiece, type Piece, PIECE, SPACE, type Vocabulary, vocabularyOf } from "./vocabulary.ts";

/** TrainerSpec.ModelType */
const MODEL = { unigram: 1, bpe: 2 } as const;

export class SentencePiece {
  /** By the model's own ids. */
  readonly pieces: readonly Piece[];
  readonly #vocabulary: Vocabulary;
  readonly #spec: ModelSpec;
  readonly #userDefined: RegExp | undefined;
  readonly #charsmap: (text: string) => string;

  /** @param file its name, for errors */
  constructor(bytes: Uint8Array, file: string) {
    this.#spec = readModel(bytes, file);
    const { pieces, type, charsmap } = this.#spec;
    this.pieces = pieces;
    if (type !== MODEL.unigram && type !== MODEL.bpe)
      throw new CheckpointError(`${file}: a SentencePiece model of type ${type} is not supported: unigram (1) and BPE (2) are`, {
        file,
        expected: [MODEL.unigram, MODEL.bpe],
        got: type,
      });
    this.#vocabulary = vocabularyOf(pieces);
    this.#userDefined = anyOf(this.#vocabulary.userDefined);
    this.#charsmap = charsmap.length > 0 ? precompiledNormalizer(charsmap) : (text) => text;
  }

  /** The text as it is cut: characters replaced, spaces one at a time and written `▁`, one before the first word. */
  normalize(text: string): string {
    const { dummyPrefix, removeExtraSpaces, escapeSpaces, spaceAsSuffix } = this.#spec;
    let out = this.#untouched(text, this.#charsmap);
    if (removeExtraSpaces) out = out.replaceAll(/ +/g, " ").replaceAll(/^ | $/g, "");
    if (out === "") return "";
    // At the end, those that the text has in their written form are spaces, too.
    if (removeExtraSpaces && escapeSpaces) out = withoutSpacesBehind(out);
    if (out === "" && !spaceAsSuffix) return "";
    if (dummyPrefix) out = spaceAsSuffix ? `${out} ` : ` ${out}`;
    return escapeSpaces ? out.replaceAll(" ", SPACE) : out;
  }

  /** A text's pieces. What the vocabulary lacks stands as it is, run by run, or byte by byte where the model has pieces for bytes. */
  encode(text: string): string[] {
    const { byteFallback, type } = this.#spec;
    const cut = type === MODEL.bpe ? mergePieces : likeliestPieces;
    const out: string[] = [];
    let unknownBefore = false;
    for (const piece of cut(this.normalize(text), this.#vocabulary)) {
      const unknown = !this.#vocabulary.pieces.has(piece);
      if (unknown && byteFallback) for (const byte of new TextEncoder().encode(piece)) out.push(bytePiece(byte));
      else if (unknown && unknownBefore) out[out.length - 1] += piece;
      else out.push(piece);
      unknownBefore = unknown;
    }
    return out;
  }

  /** User-defined symbols are what they are; the text between them is changed. */
  #untouched(text: string, change: (text: string) => string): string {
    if (!this.#userDefined) return change(text);
    return text
      .split(this.#userDefined)
      .map((part, i) => (i % 2 === 1 ? part : change(part)))
      .join("");
  }
}

function withoutSpacesBehind(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === SPACE || text[end - 1] === " ")) end--;
  return text.slice(0, end);
}

interface ModelSpec {
  pieces: Piece[];
  type: number;
  byteFallback: boolean;
  spaceAsSuffix: boolean;
  charsmap: Uint8Array;
  dummyPrefix: boolean;
  removeExtraSpaces: boolean;
  escapeSpaces: boolean;
}

function readModel(bytes: Uint8Array, file: string): ModelSpec {
  const spec: ModelSpec = {
    pieces: [],
    type: MODEL.unigram,
    byteFallback: false,
    spaceAsSuffix: false,
    charsmap: new Uint8Array(),
    dummyPrefix: true,
    removeExtraSpaces: true,
    escapeSpaces: true,
  };
  try {
    new PbfReader(bytes).readFields((field, _, pbf) => {
      if (field === 1) spec.pieces.push(readPiece(pbf));
      else if (field === 2) pbf.readMessage(readTrainer, spec);
      else if (field === 3) pbf.readMessage(readNormalizer, spec);
    }, spec);
  } catch (cause) {
    throw new CheckpointError(`${file} is no SentencePiece model: ${String(cause)}`, { file, cause });
  }
  if (spec.pieces.length === 0) throw new CheckpointError(`${file} is no SentencePiece model: it has no pieces`, { file });
  return spec;
}

function readPiece(pbf: PbfReader): Piece {
  return pbf.readMessage(
    (field, piece) => {
      if (field === 1) piece.text = pbf.readString();
      else if (field === 2) piece.score = pbf.readFloat();
      else if (field === 3) piece.type = pbf.readVarint();
    },
    { text: "", score: 0, type: PIECE.normal as number },
  );
}

function readTrainer(field: number, spec: ModelSpec, pbf: PbfReader): void {
  if (field === 3) spec.type = pbf.readVarint();
  else if (field === 24) spec.spaceAsSuffix = pbf.readBoolean();
  else if (field === 35) spec.byteFallback = pbf.readBoolean();
}

function readNormalizer(field: number, spec: ModelSpec, pbf: PbfReader): void {
  if (field === 2) spec.charsmap = pbf.readBytes();
  else if (field === 3) spec.dummyPrefix = pbf.readBoolean();
  else if (field === 4) spec.removeExtraSpaces = pbf.readBoolean();
  else if (field === 5) spec.escapeSpaces = pbf.readBoolean();
}
