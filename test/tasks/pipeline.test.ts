// Tasks against Hugging Face's pipelines over the same tiny checkpoints (fixtures/text/make_tasks.py).
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { InputError, loadModel, type Message, type Model } from "../../src/index.ts";
import { directory } from "../../src/node.ts";
import { type Aggregation, type Answer, type Filling, pipeline, type Pipeline, type Tasks } from "../../src/pipeline.ts";
import { fillMask } from "../../src/tasks/fill-mask.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModel, readModelGolden, readPack } from "../support/conformance.ts";

const FOLDER = new URL("../fixtures/text/tasks/", import.meta.url);
interface Labelled {
  readonly label: string;
  readonly score: number;
}
interface Golden {
  readonly inputs: { sentences: string[]; context: string; question: string };
  readonly classification: { bert: Labelled[][]; pair: Labelled[]; roberta: Labelled[][]; none: Labelled[] };
  readonly tokens: Record<"bert" | "roberta", Record<Aggregation, Record<string, unknown>[][]>>;
  readonly answers: Record<"bert" | "roberta", { one: Answer; three: Answer[]; tokens: Answer; windows: Answer[]; impossible: Answer[] }>;
  readonly masks: { one: Filling[]; two: Filling[][]; targets: Filling[] };
  readonly features: { none: number[][][][]; sentence: number[][] };
  readonly texts: Record<"full" | "new" | "beams", { generated_text: string }[]> & { chat: { generated_text: Message[] }[] };
  readonly t5: { summary: { summary_text: string }[]; translation: { translation_text: string }[]; text: { generated_text: string }[] };
}
const golden = JSON.parse(readFileSync(new URL("golden.json", FOLDER), "utf8")) as Golden;
const { sentences, context, question } = golden.inputs;

const path = (name: string) => fileURLToPath(new URL(name, FOLDER));
const open = async <T extends keyof Tasks>(task: T, name: string): Promise<Pipeline<Tasks[T]>> =>
  pipeline(task, directory(path(name)), { device: await getDevice() });

/** The same but for rounding of numbers. */
function expectAlike(got: unknown, gold: unknown, where = ""): void {
  if (typeof gold === "number" && typeof got === "number") expect(Math.abs(got - gold), where).toBeLessThan(2e-5);
  else if (Array.isArray(gold)) {
    expect((got as unknown[]).length, where).toBe(gold.length);
    gold.forEach((x, i) => expectAlike((got as unknown[])[i], x, `${where}[${i}]`));
  } else if (typeof gold === "object" && gold !== null) {
    expect(Object.keys(got as object).toSorted(), where).toEqual(Object.keys(gold).toSorted());
    for (const [key, x] of Object.entries(gold)) expectAlike((got as Record<string, unknown>)[key], x, `${where}.${key}`);
  } else expect(got, where).toEqual(gold);
}

describe("text-classification", () => {
  it("of one text, of several, of all labels", async () => {
    using classify = await open("text-classification", "bert-classes");
    const gold = golden.classification.bert;
    expectAlike(await classify(sentences, { topK: null, batchSize: 3 }), gold);
    expectAlike(await classify(sentences[0]!), gold[0]!.slice(0, 1));
    expectAlike(
      await classify(sentences),
      gold.map(([first]) => first),
    );
    expectAlike(await classify(sentences[1]!, { topK: 2 }), gold[1]!.slice(0, 2));
    expectAlike(await classify({ text: sentences[0]!, textPair: sentences[1]! }, { topK: null }), golden.classification.pair);
    expect(await classify([])).toEqual([]);
  });

  it("with several labels at once, and as logits", async () => {
    using classify = await open("sentiment-analysis", "roberta-classes");
    expectAlike(await classify(sentences, { topK: null }), golden.classification.roberta);
    expectAlike(await classify(sentences[0]!, { topK: null, function: "none" }), golden.classification.none);
    await expect(classify("a", { function: "tanh" as "none" })).rejects.toThrow(InputError);
    await expect(classify("a", { signal: AbortSignal.abort(new Error("stop")) })).rejects.toThrow("stop");
  });
});

describe.each(["bert", "roberta"] as const)("token-classification by %s", (family) => {
  let ner: Pipeline<Tasks["ner"]>;
  beforeAll(async () => {
    ner = await open("ner", `${family}-tokens`);
  });
  afterAll(() => ner.dispose());

  it.each(["none", "simple", "first", "average", "max"] as const)("%s", async (aggregation) => {
    const got = aggregation === "none" ? await ner(sentences) : await ner(sentences, { aggregation });
    const gold = golden.tokens[family][aggregation];
    got.forEach((entities, i) =>
      expectAlike(
        entities.map((entity, at) => comparable({ ...entity }, gold[i]![at])),
        gold[i]!.map((entity) => comparable(entity, entity)),
        `text ${i}`,
      ),
    );
  });

  /** Spaces at the ends of a word stand nowhere here, and somewhere for Hugging Face, who also decodes broken bytes within words. */
  function comparable(
    { word, start, end, ...rest }: Record<string, unknown>,
    gold: Record<string, unknown> | undefined,
  ): Record<string, unknown> {
    const text = String(gold?.["word"]);
    if (/[\uFFFDĠ]/.test(text)) return rest;
    return text.trim() === text ? { word, start, end, ...rest } : { word, ...rest };
  }

  it("leaves out the labels it is told", async () => {
    const all = await ner(sentences[0]!, { ignoreLabels: [] });
    const some = await ner(sentences[0]!, { ignoreLabels: [all[0]!.entity] });
    expect(some.length).toBeLessThan(all.length);
    expect(some.some(({ entity }) => entity === all[0]!.entity)).toBe(false);
  });
});

describe.each(["bert", "roberta"] as const)("question-answering by %s", (family) => {
  it("finds spans, in windows of a long text too", async () => {
    using answer = await open("question-answering", `${family}-answers`);
    const gold = golden.answers[family];
    const ask = (text: string) => ({ question, context: text });
    expectAlike(await answer(ask(sentences[0]!)), gold.one);
    expectAlike(await answer([ask(sentences[0]!), ask(sentences[0]!)]), [gold.one, gold.one]);
    expectAlike(await answer(ask(sentences[1]!), { topK: 3, maxAnswerLength: 4 }), gold.three);
    expectAlike(await answer(ask(sentences[1]!), { alignToWords: false }), gold.tokens);
    // Words that a window's edge cuts are whole here; BERT's windows cut none.
    if (family === "bert")
      expectAlike(await answer(ask(context), { topK: 2, maxLength: 48, docStride: 12, maxAnswerLength: 5 }), gold.windows);
    expectAlike(await answer(ask(sentences[0]!), { topK: 30, handleImpossible: true }), gold.impossible);
  });
});

describe("fill-mask", () => {
  it("fills one mask or several", async () => {
    using fill = await open("fill-mask", "bert-mask");
    expectAlike(await fill("I have never [MASK] a black cat."), golden.masks.one);
    expectAlike(await fill("I [MASK] never seen a [MASK] cat.", { topK: 2 }), golden.masks.two);
    expectAlike(await fill("I have never [MASK] a black cat.", { targets: ["fox", "cat", "the"] }), golden.masks.targets);
    await expect(fill("no mask at all")).rejects.toThrow(/\[MASK\]/);
  });

  it("takes targets as they are written: with a space before it a byte-level word is another piece", async () => {
    const tokenizer = (await loadTokenizer(directory(path("roberta-classes")), { model_type: "roberta" }))!;
    const [spaced, bare] = [tokenizer.id("Ġc")!, tokenizer.id("c")!];
    // A model that finds every piece as likely as any other.
    const forward = ({ inputIds }: { inputIds: number[][] }) => {
      const shape = [1, inputIds[0]!.length, 300];
      return Promise.resolve({
        logits: { shape, read: () => Promise.resolve(new Float32Array(shape[1]! * 300)) },
        [Symbol.dispose]: () => undefined,
      });
    };
    const model = { head: "masked-lm", maxTokens: 64, config: {}, forward } as unknown as Model;
    const fill = fillMask({ task: "fill-mask", model, tokenizer, source: undefined });
    const tokens = async (targets: string[]) => ((await fill("A <mask>.", { targets })) as Filling[]).map(({ token }) => token);
    expect(await tokens([" cat"])).toEqual([spaced]);
    expect(await tokens(["cat"])).toEqual([bare]);
    // Two words for one piece are one target.
    expect(await tokens(["cat", "cold", " cat"])).toEqual([bare, spaced]);
  });

  it("works with the reaction model", async () => {
    const { cases } = readModelGolden("rxnmapper-albert");
    using fill = await pipeline("fill-mask", directory(readModel("rxnmapper-albert").directory), { device: await getDevice() });
    const [best] = (await fill(cases[0]!.reaction.replace("C", "[MASK]"), { topK: 1 })) as Filling[];
    expect(best!.sequence).toBe(cases[0]!.reaction.replace("C", best!.token_str));
  });
});

describe("feature-extraction", () => {
  it("gives hidden states, or a vector as sentence-transformers makes it", async () => {
    using features = await open("feature-extraction", "bert-sentences");
    const none = await features(sentences, { pooling: "none", normalize: false, batchSize: 2 });
    const tokens = none.tolist() as number[][][];
    // The checkpoint says that it reads nine tokens; without that all of them are the pipeline's.
    golden.features.none.forEach(([gold], i) => {
      if (gold!.length <= 9) expectAlike(tokens[i]!.slice(0, gold!.length), gold, `text ${i}`);
    });
    const own = await features(sentences);
    expect(own.shape).toEqual([sentences.length, 16]);
    expectAlike(own.tolist(), golden.features.sentence);
    const first = await features(sentences[0]!, { pooling: "cls", normalize: true });
    const length = Math.hypot(...tokens[0]![0]!);
    expectAlike(first.tolist(), [tokens[0]![0]!.map((x) => x / length)]);
  });

  it("of a model that was loaded before", async () => {
    using model = await loadModel(directory(path("bert-sentences")), { device: await getDevice() });
    const features = await pipeline("feature-extraction", model);
    const states = await features(sentences);
    golden.features.none.forEach(([gold], i) => expectAlike((states.tolist()[i] as number[][]).slice(0, gold!.length), gold, `text ${i}`));
    features.dispose();
    // It stays its owner's.
    expect((await features(sentences[0]!)).shape[0]).toBe(1);
  });
});

describe("text-generation", () => {
  let write: Pipeline<Tasks["text-generation"]>;
  beforeAll(async () => {
    write = await open("text-generation", "gpt2");
  });
  afterAll(() => write.dispose());

  it("continues texts and chats", async () => {
    expect(await write("the quick brown", { maxNewTokens: 12 })).toEqual(golden.texts.full);
    expect(await write("the quick brown", { maxNewTokens: 7, returnFullText: false })).toEqual(golden.texts.new);
    expect(await write("a black", { numBeams: 3, numReturnSequences: 2, maxNewTokens: 8 })).toEqual(golden.texts.beams);
    const chat: Message[] = [{ role: "user", content: "the cat" }];
    expect(await write(chat, { maxNewTokens: 6 })).toEqual(golden.texts.chat);
    expect(await write([chat, chat], { maxNewTokens: 6 })).toEqual([golden.texts.chat, golden.texts.chat]);
    expect(await write(["the quick brown", "a"], { maxNewTokens: 12 })).toMatchObject([golden.texts.full, [{}]]);
  });

  it("streams, to a function or as an iterable", async () => {
    const pieces: string[] = [];
    const streamed = await write("the quick brown", { maxNewTokens: 12, streamer: (text) => pieces.push(text) });
    expect(streamed).toEqual(golden.texts.full);
    let text = "";
    for await (const piece of write.stream("the quick brown", { maxNewTokens: 12 })) text += piece.text;
    expect([`the quick brown${pieces.join("")}`, `the quick brown${text}`]).toEqual(
      Array.from({ length: 2 }, () => golden.texts.full[0]!.generated_text),
    );
    await expect(write(["a", "b"], { streamer: () => {} })).rejects.toThrow(InputError);
  });
});

describe("writing something else", () => {
  it("by T5, with what its config says of the task", async () => {
    const device = await getDevice();
    const source = directory(path("t5"));
    using summarize = await pipeline("summarization", source, { device });
    expect(await summarize(sentences.slice(0, 3), { maxNewTokens: 9 })).toEqual(golden.t5.summary);
    const translate = await pipeline("translation_en_to_fr", summarize.model);
    expect(await translate(sentences.slice(0, 3), { maxNewTokens: 9 })).toEqual(golden.t5.translation);
    const byLanguages = await pipeline("translation", summarize.model);
    expect(await byLanguages(sentences[0]!, { maxNewTokens: 9, srcLang: "en", tgtLang: "fr" })).toEqual(golden.t5.translation.slice(0, 1));
    const text = await pipeline("text2text-generation", summarize.model);
    expect(await text(sentences[0]!, { maxNewTokens: 8, numBeams: 2, numReturnSequences: 2 })).toEqual(golden.t5.text);
  });

  it("by Marian", async () => {
    const { sentences: gold } = readModelGolden("marian-en-fr-tatoeba");
    using translate = await pipeline("translation", directory(readModel("marian-en-fr-tatoeba").directory), { device: await getDevice() });
    const texts = gold.slice(0, 2).map(({ text }) => text);
    const best = gold.slice(0, 2).map(({ beam4 }) => ({ translation_text: beam4[0]!.text }));
    expect(await translate(texts, { numBeams: 4 })).toEqual(best);
    expect(await translate(texts[0]!, { numBeams: 4 })).toEqual(best.slice(0, 1));
    let streamed = "";
    const whole = await translate(texts[0]!, { streamer: (text) => (streamed += text) });
    expect(whole).toEqual([{ translation_text: gold[0]!.greedy_text }]);
    expect(streamed).toBe(gold[0]!.greedy_text);
  });
});

describe("a pipeline", () => {
  it("refuses a head that is not the task's, and frees what it loaded", async () => {
    await expect(open("ner", "bert-answers")).rejects.toThrow(/question-answering/);
    await expect(open("nothing" as "ner", "bert-answers")).rejects.toThrow(InputError);
    await expect(pipeline("text-generation", directory(readPack("llama").directory), { device: await getDevice() })).rejects.toThrow(
      /tokenizer/,
    );
  });
});
