// Chat templates, from each of the places where checkpoints have them, rendered as Hugging Face's (jinja2) renders them.
import { describe, expect, test } from "vitest";
import { CheckpointError, InputError } from "../../src/errors.ts";
import type { Source } from "../../src/load/source.ts";
import { toSource } from "../../src/load/source.ts";
import { directory } from "../../src/node/directory.ts";
import type { Message } from "../../src/text/chat.ts";
import { loadTokenizer } from "../../src/text/load.ts";
import { json, modelFolder } from "../load/files.ts";

/** Llama 2's, as published in its tokenizer_config.json, shortened by the system prompt. */
const LLAMA =
  "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}{% endif %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' + message['content'].strip() + ' [/INST]' }}{% elif message['role'] == 'assistant' %}{{ ' '  + message['content'].strip() + ' ' + eos_token }}{% endif %}{% endfor %}";
const CHATML =
  "{%- if tools %}tools: {{ tools | tojson }}\n{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% if thinking is defined and not thinking %}<think></think>{% endif %}{% endif %}";
const MESSAGES: readonly Message[] = [
  { role: "user", content: " Hello " },
  { role: "assistant", content: "Hi!" },
  { role: "user", content: "Who are you?" },
];
const LLAMA_TEXT = "<s>[INST] Hello [/INST] Hi! </s><s>[INST] Who are you? [/INST]";

/** The stories' tokenizer with other files beside it, and what is asked of the source. */
async function withFiles(config: object, files: Record<string, string> = {}) {
  const base = directory(modelFolder("stories260K"));
  const others = toSource(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)])));
  const opened: string[] = [];
  const source: Source = {
    open(name, options) {
      opened.push(name);
      if (name === "tokenizer_config.json")
        return toSource({ [name]: json({ bos_token: "<s>", eos_token: { content: "</s>" }, ...config }) }).open(name, options);
      return (name === "tokenizer.json" ? base : others).open(name, options);
    },
  };
  return { tokenizer: (await loadTokenizer(source))!, opened };
}

describe("a template", () => {
  test.each<[string, object, Record<string, string>]>([
    ["in tokenizer_config.json", { chat_template: LLAMA }, {}],
    [
      "among several there",
      {
        chat_template: [
          { name: "tool_use", template: CHATML },
          { name: "default", template: LLAMA },
        ],
      },
      {},
    ],
    ["in chat_template.jinja", {}, { "chat_template.jinja": LLAMA }],
    ["in chat_template.jinja, which goes before the config", { chat_template: CHATML }, { "chat_template.jinja": LLAMA }],
    ["in chat_template.json", {}, { "chat_template.json": JSON.stringify({ chat_template: LLAMA }) }],
  ])("%s", async (_, config, files) => {
    const { tokenizer, opened } = await withFiles(config, files);
    // Nothing is asked for before it is needed, and once then.
    expect(opened).toEqual(["tokenizer.json", "tokenizer_config.json"]);
    expect(await tokenizer.applyChatTemplate(MESSAGES)).toBe(LLAMA_TEXT);
    const requests = opened.length;
    expect(await tokenizer.applyChatTemplate(MESSAGES.slice(0, 1))).toBe("<s>[INST] Hello [/INST]");
    expect(opened.length).toBe(requests);
    // Special tokens are tokens, once.
    const { ids } = tokenizer.encode(LLAMA_TEXT, { addSpecialTokens: false });
    expect(ids.filter((id) => id === 1)).toHaveLength(2);
    expect(ids.filter((id) => id === 2)).toHaveLength(1);
  });

  test("is told of the answer to come, of tools and of variables", async () => {
    const { tokenizer } = await withFiles({
      chat_template: [
        { name: "tool_use", template: CHATML },
        { name: "default", template: LLAMA },
      ],
    });
    const [user] = MESSAGES;
    const tools = [{ type: "function", function: { name: "add" } }];
    const chat = "<|im_start|>user\n Hello <|im_end|>\n";
    expect(await tokenizer.applyChatTemplate([user!], { template: "tool_use" })).toBe(chat);
    expect(await tokenizer.applyChatTemplate([user!], { template: CHATML, addGenerationPrompt: true })).toBe(
      `${chat}<|im_start|>assistant\n`,
    );
    expect(await tokenizer.applyChatTemplate([user!], { tools, addGenerationPrompt: true, variables: { thinking: false } })).toBe(
      `tools: [{"type": "function", "function": {"name": "add"}}]\n${chat}<|im_start|>assistant\n<think></think>`,
    );
  });

  test("that refuses the messages says why; one that is missing is named", async () => {
    const { tokenizer } = await withFiles({ chat_template: LLAMA });
    const wrong = tokenizer.applyChatTemplate([{ role: "assistant", content: "Hi" }]);
    await expect(wrong).rejects.toThrow(InputError);
    await expect(wrong).rejects.toThrow(/roles must alternate/);
    await expect(tokenizer.applyChatTemplate(MESSAGES, { template: "other" })).rejects.toThrow(/no template "other"/);
    const { tokenizer: broken } = await withFiles({ chat_template: "{% if %}" });
    await expect(broken.applyChatTemplate(MESSAGES)).rejects.toMatchObject({ name: "InputError", field: "template" });
    const { tokenizer: without } = await withFiles({});
    await expect(without.applyChatTemplate(MESSAGES)).rejects.toThrow(CheckpointError);
    await expect(without.applyChatTemplate(MESSAGES)).rejects.toThrow(/chat_template\.jinja/);
  });
});
