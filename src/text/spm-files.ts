// Tokenizers of checkpoints that have SentencePiece models in place of a tokenizer.json: which files a family has, and which layout.
import { readJson, readOptionalJson, type Source } from "../load/source.ts";
import { MBART, MBART_50 } from "./language-codes.ts";
import { SentencePiece } from "./sentencepiece.ts";
import {
  languagesLayout,
  llamaLayout,
  m2m100Layout,
  marianLayout,
  pegasusLayout,
  type SpmConfig,
  t5Layout,
  xlmRobertaLayout,
} from "./spm-layouts.ts";
import { type SpmLayout, SpmTokenizer } from "./spm-tokenizer.ts";

interface Files {
  readonly modelType: string;
  /** The SentencePiece model, or the source's of two. */
  readonly first: Uint8Array;
  readonly config: SpmConfig["config"];
  readonly signal: AbortSignal | undefined;
}

export async function spmTokenizer(source: Source, files: Files): Promise<SpmTokenizer> {
  return new SpmTokenizer(await layoutOf(source, files));
}

async function layoutOf(source: Source, { modelType, first, config, signal }: Files): Promise<SpmLayout> {
  if (modelType === "marian") {
    const vocabulary = await readJson(source, "vocab.json", signal);
    return marianLayout(new SentencePiece(first, "source.spm"), { config, vocabulary });
  }
  if (modelType === "m2m_100") {
    const vocabulary = await readOptionalJson(source, "vocab.json", signal);
    const model = new SentencePiece(first, "sentencepiece.bpe.model");
    // NLLB has none.
    return vocabulary
      ? m2m100Layout(model, { config, vocabulary })
      : languagesLayout(model, { config }, [], config["legacy_behaviour"] !== true);
  }
  if (modelType === "mbart") {
    const fifty = String(config["tokenizer_class"]).startsWith("MBart50");
    const model = new SentencePiece(first, "sentencepiece.bpe.model");
    return languagesLayout(model, { config }, fifty ? MBART_50 : MBART, fifty);
  }
  if (modelType === "xlm-roberta") return xlmRobertaLayout(new SentencePiece(first, "sentencepiece.bpe.model"));
  if (modelType === "t5" || modelType === "mt5")
    return t5Layout(new SentencePiece(first, "spiece.model"), { config: modelType === "mt5" ? { extra_ids: 0, ...config } : config });
  if (modelType === "pegasus") return pegasusLayout(new SentencePiece(first, "spiece.model"), { config });
  return llamaLayout(new SentencePiece(first, "tokenizer.model"), { config });
}
