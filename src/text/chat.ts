// Chat templates: the messages of a conversation as the text that the model was trained on, by the checkpoint's own Jinja template. The
// interpreter, @huggingface/jinja, is fetched when the first template is applied.
import { CheckpointError, InputError } from "../errors.ts";
import { MissingFileError, readBytes, readOptionalJson, type Source } from "../load/source.ts";

/** A message of a chat. Templates may read more fields: `name`, `tool_calls`… */
export interface Message {
  /** "system", "user", "assistant", "tool"… as the template knows them. */
  readonly role: string;
  /** A text, or whatever the template makes one of. */
  readonly content?: unknown;
  readonly [field: string]: unknown;
}

export interface ChatOptions {
  /** End with the beginning of an answer. Default false; `generate` and pipelines say true. */
  readonly addGenerationPrompt?: boolean;
  /** Functions that the model may call, as JSON schemas. */
  readonly tools?: readonly object[];
  readonly documents?: readonly object[];
  /** A template by its name, where the checkpoint has several, or a Jinja template of your own. Default: "default", or "tool_use" with tools where there is one. */
  readonly template?: string;
  /** More variables of the template's: `enable_thinking`, say. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

export interface ChatContext {
  readonly source: Source;
  readonly config: Readonly<Record<string, unknown>>;
  /** bos_token and the like, by name, as texts. */
  readonly specialTokens: Readonly<Record<string, string>>;
}

/** Templates of one checkpoint, read and parsed once. */
export class ChatTemplates {
  readonly #context: ChatContext;
  #templates: Promise<ReadonlyMap<string, string>> | undefined;
  readonly #parsed = new Map<string, { render(variables: Record<string, unknown>): string }>();

  constructor(context: ChatContext) {
    this.#context = context;
  }

  /** @throws CheckpointError where the checkpoint has no template; InputError where the template refuses the messages */
  async apply(messages: readonly Message[], options: ChatOptions = {}): Promise<string> {
    const { addGenerationPrompt = false, tools, documents, variables } = options;
    const template = await this.#parse(await this.#choose(options));
    try {
      return template.render({
        ...this.#context.specialTokens,
        ...variables,
        messages,
        add_generation_prompt: addGenerationPrompt,
        tools: tools ?? null,
        documents: documents ?? null,
      });
    } catch (cause) {
      throw new InputError(`applyChatTemplate: ${cause instanceof Error ? cause.message : String(cause)}`, {
        field: "messages",
        expected: "messages that the checkpoint's template takes",
        got: messages,
        cause,
      });
    }
  }

  async #choose({ template, tools }: ChatOptions): Promise<string> {
    // Braces make it a template and no name of one.
    if (template !== undefined && /[{%]/.test(template)) return template;
    this.#templates ??= readTemplates(this.#context);
    // A failed request is tried again by the next call.
    this.#templates.catch(() => (this.#templates = undefined));
    const templates = await this.#templates;
    const names = template !== undefined ? [template] : [...(tools ? ["tool_use"] : []), "default"];
    const found = names.map((name) => templates.get(name)).find((text) => text !== undefined);
    if (found !== undefined) return found;
    if (templates.size > 0)
      throw new InputError(`applyChatTemplate: no template "${names.at(-1)}"; the checkpoint has ${[...templates.keys()].join(", ")}`, {
        field: "template",
        expected: [...templates.keys()],
        got: template,
      });
    throw new CheckpointError(
      "applyChatTemplate: the checkpoint has no chat template: no chat_template in tokenizer_config.json, no chat_template.jinja, no chat_template.json",
      { file: "tokenizer_config.json", field: "chat_template", expected: "a Jinja template" },
    );
  }

  async #parse(text: string) {
    let parsed = this.#parsed.get(text);
    if (!parsed) {
      const { Template } = await import("@huggingface/jinja");
      try {
        parsed = new Template(text);
      } catch (cause) {
        throw new InputError(`applyChatTemplate: the template is no Jinja that is read: ${String(cause)}`, {
          field: "template",
          expected: "a Jinja template",
          got: text,
          cause,
        });
      }
      this.#parsed.set(text, parsed);
    }
    return parsed;
  }
}

/** By name. As in transformers, chat_template.jinja goes before what tokenizer_config.json has; chat_template.json is older than both. */
async function readTemplates({ source, config }: ChatContext): Promise<ReadonlyMap<string, string>> {
  try {
    return new Map([["default", new TextDecoder().decode(await readBytes(source, "chat_template.jinja"))]]);
  } catch (error) {
    if (!(error instanceof MissingFileError)) throw error;
  }
  const inConfig = templatesOf(config["chat_template"]);
  if (inConfig.size > 0) return inConfig;
  return templatesOf((await readOptionalJson(source, "chat_template.json"))?.["chat_template"]);
}

/** One template, a list of {name, template}, or templates by name. */
function templatesOf(value: unknown): ReadonlyMap<string, string> {
  if (typeof value === "string") return new Map([["default", value]]);
  if (typeof value !== "object" || value === null) return new Map();
  const entries = Array.isArray(value)
    ? (value as ({ name?: unknown; template?: unknown } | null)[]).map((entry) => [entry?.name, entry?.template] as const)
    : Object.entries(value as Record<string, unknown>);
  return new Map<string, string>(
    entries.filter((entry): entry is [string, string] => typeof entry[0] === "string" && typeof entry[1] === "string"),
  );
}
