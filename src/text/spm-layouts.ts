// Which ids a family gives to the pieces of its SentencePiece model, and what it puts around a text: as the slow tokenizers of Hugging
// Face's transformers do (tokenization_marian.py, …_m2m_100.py, …_mbart.py, …_mbart50.py, …_nllb.py, …_xlm_roberta.py, …_t5.py, …_pegasus.py,
// …_llama.py).
import { CheckpointError } from "../errors.ts";
import { ConfigReader } from "../load/config.ts";
import { M2M100, WMT21 } from "./language-codes.ts";
import type { SentencePiece } from "./sentencepiece.ts";
import type { SpmLayout } from "./spm-tokenizer.ts";

type Added = [text: string, token: { id: number; special: boolean }];

/** What the JSON files beside the model say. */
export interface SpmConfig {
  /** tokenizer_config.json over special_tokens_map.json. */
  readonly config: Readonly<Record<string, unknown>>;
  /** vocab.json, of Marian and M2M100. */
  readonly vocabulary?: Readonly<Record<string, unknown>>;
}

const special = (text: string, id: number): Added => [text, { id, special: true }];

function checked(vocabulary: Readonly<Record<string, unknown>>): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [piece, id] of Object.entries(vocabulary)) {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 0)
      throw new CheckpointError(`vocab.json: the id of ${JSON.stringify(piece)} is ${JSON.stringify(id)}`, {
        file: "vocab.json",
        field: piece,
        expected: "an integer from 0",
        got: id,
      });
    ids.set(piece, id);
  }
  return ids;
}

/** Tokens that the vocabulary must have: the ids of those among `names` that it has, as special ones. */
const specialsOf = (ids: ReadonlyMap<string, number>, names: readonly string[]): Added[] =>
  names.flatMap((name) => (ids.has(name) ? [special(name, ids.get(name)!)] : []));

/** `source.spm` cuts, `vocab.json` has the ids of source and target pieces; a target language may stand before the text. */
export function marianLayout(model: SentencePiece, { vocabulary = {} }: SpmConfig): SpmLayout {
  const ids = checked(vocabulary);
  return {
    model,
    ids,
    unknown: ids.get("<unk>") ?? 0,
    added: new Map(specialsOf(ids, ["</s>", "<unk>", "<pad>"])),
    prefix: [],
    suffix: ["</s>"],
    leading: /^>>.+<</u,
  };
}

/** `vocab.json` has the ids; languages, `__fr__`, come after them. */
export function m2m100Layout(model: SentencePiece, { vocabulary = {}, config }: SpmConfig): SpmLayout {
  const ids = checked(vocabulary);
  const codes = config["language_codes"] === "wmt21" ? WMT21 : M2M100;
  const languages = codes.map((code, i) => special(`__${code}__`, ids.size + i));
  const added = [...specialsOf(ids, ["<s>", "<pad>", "</s>", "<unk>"]), ...languages];
  const source = `__${text(config["src_lang"]) ?? "en"}__`;
  return {
    model,
    ids,
    unknown: ids.get("<unk>") ?? 3,
    added: new Map(added),
    prefix: languages.some(([name]) => name === source) ? [source] : [],
    suffix: ["</s>"],
  };
}

/** fairseq's order: `<s>`, `<pad>`, `</s>`, `<unk>`, then the model's pieces but its own first three. */
function fairseqIds(model: SentencePiece): Map<string, number> {
  const ids = new Map(model.pieces.map((piece, i) => [piece.text, i + 1]));
  for (const [i, name] of ["<s>", "<pad>", "</s>", "<unk>"].entries()) ids.set(name, i);
  return ids;
}

export function xlmRobertaLayout(model: SentencePiece): SpmLayout {
  const ids = fairseqIds(model);
  const added = [...specialsOf(ids, ["<s>", "<pad>", "</s>", "<unk>"]), special("<mask>", model.pieces.length + 1)];
  return { model, ids, unknown: 3, added: new Map(added), prefix: ["<s>"], suffix: ["</s>"] };
}

/** NLLB, mBART and mBART-50: languages after the pieces, then `<mask>`. */
export function languagesLayout(model: SentencePiece, { config }: SpmConfig, defaults: readonly string[], prefixed: boolean): SpmLayout {
  const ids = fairseqIds(model);
  const named = additional(config);
  const languages = named.length > 0 ? named : defaults;
  const added = [
    ...specialsOf(ids, ["<s>", "<pad>", "</s>", "<unk>"]),
    ...languages.map((name, i) => special(name, model.pieces.length + 1 + i)),
    special("<mask>", model.pieces.length + 1 + languages.length),
  ];
  const source = text(config["src_lang"]) ?? (languages.includes("en_XX") ? "en_XX" : "eng_Latn");
  const own = languages.includes(source) ? [source] : [];
  return { model, ids, unknown: 3, added: new Map(added), prefix: prefixed ? own : [], suffix: prefixed ? ["</s>"] : ["</s>", ...own] };
}

/** T5 and mT5: the model's own ids; `<extra_id_0>` is the last of those after them. */
export function t5Layout(model: SentencePiece, { config }: SpmConfig): SpmLayout {
  const ids = new Map(model.pieces.map((piece, i) => [piece.text, i]));
  const extra = count(config, "extra_ids", 100);
  const sentinels = Array.from({ length: extra }, (_, i) => special(`<extra_id_${i}>`, model.pieces.length + extra - 1 - i));
  const added = [...specialsOf(ids, ["<pad>", "</s>", "<unk>"]), ...sentinels];
  return { model, ids, unknown: ids.get("<unk>") ?? 2, added: new Map(added), prefix: [], suffix: ["</s>"] };
}

/** Pegasus: 103 ids of its own come first. */
export function pegasusLayout(model: SentencePiece, { config }: SpmConfig): SpmLayout {
  const offset = count(config, "offset", 103);
  const ids = new Map(model.pieces.map((piece, i) => [piece.text, i + offset]));
  const own = ["<pad>", "</s>", "<mask_1>", "<mask_2>", ...Array.from({ length: Math.max(0, offset - 4) }, (_, i) => `<unk_${i + 2}>`)];
  const added = [...own.map((name, i) => special(name, i)), ...specialsOf(ids, ["<unk>"])];
  return { model, ids, unknown: ids.get("<unk>") ?? offset + 2, added: new Map(added), prefix: [], suffix: ["</s>"] };
}

/** Llama and its kin: the model's own ids, `<s>` before the text. */
export function llamaLayout(model: SentencePiece, { config }: SpmConfig): SpmLayout {
  const ids = new Map(model.pieces.map((piece, i) => [piece.text, i]));
  const [bos, eos] = [text(config["bos_token"]) ?? "<s>", text(config["eos_token"]) ?? "</s>"];
  const added = specialsOf(ids, ["<unk>", bos, eos, text(config["pad_token"]) ?? "<pad>"]);
  const [begin, end] = [config["add_bos_token"] !== false && ids.has(bos), config["add_eos_token"] === true && ids.has(eos)];
  return { model, ids, unknown: ids.get("<unk>") ?? 0, added: new Map(added), prefix: begin ? [bos] : [], suffix: end ? [eos] : [] };
}

/** Some thousand tokens at most, all of which are made. */
const count = (config: SpmConfig["config"], field: string, usual: number): number =>
  new ConfigReader(config, "tokenizer_config.json").int(field, { min: 0, max: 1 << 14, default: usual });

/** A token as the files write it: a string, or an object with its content. */
const text = (value: unknown): string | undefined => {
  const content: unknown = typeof value === "object" && value !== null ? (value as { content?: unknown }).content : value;
  return typeof content === "string" ? content : undefined;
};

const additional = (config: Readonly<Record<string, unknown>>): string[] => {
  const list = config["additional_special_tokens"];
  return Array.isArray(list) ? list.flatMap((token) => text(token) ?? []) : [];
};
