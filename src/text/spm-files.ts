// Tokenizers of checkpoints that have SentencePiece models in place of a tokenizer.json: which files a family has, and which layout.
import { readJson, readOptionalJson, type Source } from "../load/source.ts";
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
    return languagesLayout(model, { config }, fifty ? [...MBART, ...MBART_50] : MBART, fifty);
  }
  if (modelType === "xlm-roberta") return xlmRobertaLayout(new SentencePiece(first, "sentencepiece.bpe.model"));
  if (modelType === "t5" || modelType === "mt5")
    return t5Layout(new SentencePiece(first, "spiece.model"), { config: modelType === "mt5" ? { extra_ids: 0, ...config } : config });
  if (modelType === "pegasus") return pegasusLayout(new SentencePiece(first, "spiece.model"), { config });
  return llamaLayout(new SentencePiece(first, "tokenizer.model"), { config });
}

/** The languages of mBART, in the order of their ids: the files of older checkpoints do not tell. */
const MBART = (
  "ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX ro_RO ru_RU " +
  "si_LK tr_TR vi_VN zh_CN"
).split(" ");
const MBART_50 = (
  "af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN te_IN th_TH " +
  "tl_XX uk_UA ur_PK xh_ZA gl_ES sl_SI"
).split(" ");
