// What text becomes on its way into generation: chats by the checkpoint's template, languages by their tokens.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { InputError, loadModel, type Message } from "../../src/index.ts";
import type { Source } from "../../src/load/source.ts";
import { directory } from "../../src/node.ts";
import { json } from "../load/files.ts";
import { getDevice } from "../setup/gpu.ts";
import { readModel } from "../support/conformance.ts";
import { randomCheckpoint, tinyConfig } from "../support/random-checkpoint.ts";

describe("messages", () => {
  const template =
    "{% for m in messages %}{{ bos_token }}{{ m.role }}: {{ m.content }}{% endfor %}{% if add_generation_prompt %} So{% endif %}";
  const stories = directory(readModel("stories260K").directory);
  const source: Source = {
    open: async (name, options) => {
      if (name !== "tokenizer_config.json") return stories.open(name, options);
      const bytes = json({ bos_token: "<s>", chat_template: template });
      return { size: bytes.length, stream: new Blob([bytes]).stream() };
    },
  };

  it("are the text that their template makes, once around with special tokens", async () => {
    using model = await loadModel(source, { device: await getDevice() });
    const chat: Message[] = [{ role: "user", content: "Once upon a time" }];
    const { ids } = model.tokenizer!.encode("<s>user: Once upon a time So", { addSpecialTokens: false });
    expect(ids.filter((id) => id === 1)).toHaveLength(1);
    const options = { maxNewTokens: 6 };
    const plain = await model.generate(ids, options);
    expect((await model.generate(chat, options)).ids).toEqual(plain.ids);
    expect((await model.generate([chat, "a"], options))[0]!.ids).toEqual(plain.ids);
    const streamed: number[] = [];
    for await (const { id } of model.stream(chat, options)) streamed.push(id);
    expect([...ids, ...streamed]).toEqual(plain.ids);
    using conversation = await model.conversation();
    const first = await conversation.generate(chat, options);
    expect(first.ids).toEqual(plain.ids);
    const more: Message[] = [...chat, { role: "assistant", content: "So the cat" }, { role: "user", content: "And" }];
    const second = await conversation.generate(more, options);
    expect(second.ids).toEqual((await model.generate(more, options)).ids);
    // The template repeats what was said, and that is not read again.
    expect(conversation.reused).toBeGreaterThan(ids.length - 3);
  });
});

describe("languages", () => {
  const folder = new URL("../fixtures/text/", import.meta.url);
  const { families } = JSON.parse(readFileSync(new URL("golden.json", folder), "utf8")) as {
    families: { marian: { files: { "vocab.json": Record<string, number> } } };
  };
  const vocabulary = families.marian.files["vocab.json"];

  it("stand before a Marian model's source", async () => {
    const { files } = randomCheckpoint(tinyConfig("marian", { vocab_size: Object.keys(vocabulary).length }));
    const spm = new Uint8Array(readFileSync(new URL("unigram.spm", folder)));
    const checkpoint = { ...files, "source.spm": spm, "target.spm": spm, "vocab.json": json(vocabulary) };
    using model = await loadModel(checkpoint, { device: await getDevice() });
    const { ids } = model.tokenizer!.encode("The quick brown fox");
    const options = { maxNewTokens: 6, numBeams: 1 };
    const told = await model.generate("The quick brown fox", { ...options, tgtLang: "fra" });
    expect(told.ids).toEqual((await model.generate([vocabulary[">>fra<<"]!, ...ids], options)).ids);
    expect(told.ids).toEqual((await model.generate(">>fra<< The quick brown fox", options)).ids);
    await expect(model.generate("a", { tgtLang: "tlh" })).rejects.toThrow(InputError);
    await expect(model.generate("a", { srcLang: "eng" })).rejects.toThrow(/target language only/);
  });
});
