// model_type → the family's page, fetched on demand: a program that runs one family loads one page.
import { UnsupportedError } from "../errors.ts";
import type { Family } from "./architecture.ts";

const ROBERTA = async () => (await import("./roberta.ts")).roberta;
const T5 = async () => (await import("./t5.ts")).t5;

const PAGES: Readonly<Record<string, () => Promise<Family>>> = {
  albert: async () => (await import("./albert.ts")).albert,
  bart: async () => (await import("./bart.ts")).bart,
  bert: async () => (await import("./bert.ts")).bert,
  blenderbot: async () => (await import("./blenderbot.ts")).blenderbot,
  "blenderbot-small": async () => (await import("./blenderbot.ts")).blenderbotSmall,
  bloom: async () => (await import("./bloom.ts")).bloom,
  camembert: ROBERTA,
  cohere: async () => (await import("./cohere.ts")).cohere,
  cohere2: async () => (await import("./cohere.ts")).cohere2,
  distilbert: async () => (await import("./distilbert.ts")).distilbert,
  electra: async () => (await import("./electra.ts")).electra,
  gemma: async () => (await import("./gemma.ts")).gemma,
  gemma2: async () => (await import("./gemma.ts")).gemma2,
  gemma3_text: async () => (await import("./gemma.ts")).gemma3,
  gpt2: async () => (await import("./gpt2.ts")).gpt2,
  gpt_neox: async () => (await import("./gpt-neox.ts")).gptNeox,
  granite: async () => (await import("./granite.ts")).granite,
  llama: async () => (await import("./llama.ts")).llama,
  m2m_100: async () => (await import("./m2m100.ts")).m2m100,
  marian: async () => (await import("./marian.ts")).marian,
  mbart: async () => (await import("./mbart.ts")).mbart,
  mistral: async () => (await import("./mistral.ts")).mistral,
  modernbert: async () => (await import("./modernbert.ts")).modernbert,
  mpnet: async () => (await import("./mpnet.ts")).mpnet,
  mt5: T5,
  olmo2: async () => (await import("./olmo2.ts")).olmo2,
  opt: async () => (await import("./opt.ts")).opt,
  pegasus: async () => (await import("./pegasus.ts")).pegasus,
  phi3: async () => (await import("./phi3.ts")).phi3,
  qwen2: async () => (await import("./qwen.ts")).qwen2,
  qwen3: async () => (await import("./qwen.ts")).qwen3,
  roberta: ROBERTA,
  smollm3: async () => (await import("./smollm3.ts")).smollm3,
  stablelm: async () => (await import("./stablelm.ts")).stablelm,
  starcoder2: async () => (await import("./starcoder2.ts")).starcoder2,
  t5: T5,
  umt5: T5,
  "xlm-roberta": ROBERTA,
};

/** model_type values that can be loaded. */
export const MODEL_TYPES: readonly string[] = Object.keys(PAGES);

export async function familyOf(modelType: string): Promise<Family> {
  const page = Object.hasOwn(PAGES, modelType) ? PAGES[modelType] : undefined;
  if (!page)
    throw new UnsupportedError(`config.json: model_type "${modelType}" is not supported (supported: ${MODEL_TYPES.join(", ")})`, {
      feature: modelType,
    });
  return page();
}
