// A page whose models live in workers; tests call its functions.
import { type Encoding, FoveaError, InputError, loadModel as loadHere, MissingFileError, type Tokenizer } from "../../../src/index.ts";
import { loadModel, type WorkerMaps, type WorkerModel, type WorkerTokenizer } from "../../../src/worker.ts";

const MARIAN = "models/marian-en-fr-tatoeba/";
const STORIES = "models/stories260K/";
const TEXT = "I have never seen a black cat.";
const here = new URL("../../../", location.href);
const at = (folder: string) => new URL(folder, here).href;

let adapters = 0;
const requestAdapter = navigator.gpu.requestAdapter.bind(navigator.gpu);
navigator.gpu.requestAdapter = (options) => {
  adapters++;
  return requestAdapter(options);
};

const failure = async (promise: Promise<unknown>): Promise<unknown> => {
  try {
    return { got: await promise };
  } catch (error) {
    return error;
  }
};

/** What a tokenizer answers, here or in a worker. */
async function asked(tokenizer: Tokenizer | WorkerTokenizer, { ids }: Encoding) {
  const [batch, windows] = [await tokenizer.batch([TEXT, "No."]), await tokenizer.windows("I?", TEXT, { maxLength: 9, stride: 2 })];
  return {
    decoded: await tokenizer.decode(ids, { skipSpecialTokens: false }),
    tokens: await tokenizer.tokens(ids),
    token: await tokenizer.token(ids[0]!),
    known: await tokenizer.id("▁I"),
    unknown: await tokenizer.id("no such piece"),
    special: ids.map((id) => tokenizer.isSpecial(id)),
    specialIds: [...tokenizer.specialIds],
    named: tokenizer.specialTokens,
    languages: [tokenizer.languages.names, tokenizer.languages.tellsSource],
    continuation: await tokenizer.isContinuation("##ing"),
    batch,
    windows,
    padded: await tokenizer.pad(windows, 12),
  };
}

const functions = {
  /** Translating in a worker, with maps, and the same on the page. */
  async translate() {
    const progress: number[] = [];
    // Relative to the page.
    const model = await loadModel(`../../../${MARIAN}`, { onProgress: ({ loaded, total }) => progress.push(loaded / total) });
    const before = adapters;
    const streamed: { text: string; rows: number; sum: number }[] = [];
    const late: { before: number[]; after: number[] }[] = [];
    let earlier: { maps: WorkerMaps; map: Float32Array } | undefined;
    const head = { layer: 0, head: 7 };
    for await (const { text, attentions } of model.stream(TEXT, { capture: { cross: [head], decoder: [head] } })) {
      const { cross, decoder } = attentions!;
      const map = await cross!.read(head);
      streamed.push({ text, rows: cross!.shape[2], sum: map.reduce((a, b) => a + b, 0) });
      // Those of a piece before stay as large as they were.
      if (earlier) late.push({ before: [...earlier.map], after: [...(await earlier.maps.read(head))] });
      earlier = { maps: decoder!, map: await decoder!.read(head) };
    }
    const beams = await model.generate([TEXT, "I love you."], { numBeams: 4, capture: { cross: "all" } });
    const map = [...(await beams[0]!.attentions!.cross!.read({ layer: 2, head: 3 }))];
    const keys = beams[0]!.attentions!.cross!.keyTokens();
    for (const generation of beams) generation.dispose();
    const encoding = await model.tokenizer!.encode(TEXT, { offsets: true });
    const text = await asked(model.tokenizer!, encoding);
    const run = await model.forward({ inputIds: [encoding.ids], decoderInputIds: [[5999, 6]] });
    const logits = [...(await run.logits!.read())];
    run.dispose();
    const facts = { kind: model.kind, head: model.head, maxTokens: model.maxTokens, memory: (await model.memory()).weights };
    model.dispose();

    const plain = await loadHere(at(MARIAN));
    const same = await plain.generate([TEXT, "I love you."], { numBeams: 4, capture: { cross: "all" } });
    const sameRun = await plain.forward({ inputIds: [plain.tokenizer!.encode(TEXT).ids], decoderInputIds: [[5999, 6]] });
    const page = {
      texts: same.map(({ text }) => text),
      map: [...(await same[0]!.attentions!.cross!.read({ layer: 2, head: 3 }))],
      logits: [...(await sameRun.logits!.read())],
      memory: plain.memory().weights,
      encoding: plain.tokenizer!.encode(TEXT, { offsets: true }),
      text: await asked(plain.tokenizer!, encoding),
    };
    plain.dispose();
    return {
      adaptersOnPage: before,
      progress,
      streamed,
      late,
      texts: beams.map(({ text }) => text),
      map,
      keys,
      logits,
      facts,
      encoding,
      text,
      page,
    };
  },

  /** What goes wrong keeps its class and its reason. */
  async fail() {
    const missing = await failure(loadModel(at("models/nothing/")));
    const model = await loadModel(at(STORIES));
    const wrong = await failure(model.generate("Once", { topK: -1 }));
    const aborting = new AbortController();
    const reason = new Error("enough");
    const pending = failure(model.generate("Once upon a time", { maxNewTokens: 400, signal: aborting.signal }));
    setTimeout(() => aborting.abort(reason), 50);
    const aborted = await pending;
    const late = await failure(model.generate("Once", { signal: AbortSignal.abort(reason) }));
    // The model goes on working.
    const { text } = await model.generate("Once upon a time", { maxNewTokens: 4 });
    const run = await model.forward({ inputIds: [[1, 2]] });
    run.dispose();
    const freed = await failure(run.logits!.read());
    const source = await failure(loadModel({ open: () => Promise.reject(new Error("no")) }));
    model.dispose();
    return {
      missing: missing instanceof MissingFileError && { file: missing.file, stack: typeof missing.stack },
      wrong: wrong instanceof InputError && { field: wrong.field, got: wrong.got },
      aborted: aborted === reason,
      late: late === reason,
      text,
      freed: freed instanceof FoveaError,
      source: source instanceof InputError,
    };
  },

  /** Processors run on the page, conversations in the worker. */
  async converse() {
    const model: WorkerModel = await loadModel(at(STORIES));
    const steps: number[] = [];
    const options = { maxNewTokens: 6 };
    const plain = await model.generate("Once upon a time", options);
    const banned = plain.ids.at(-6)!;
    const without = await model.generate("Once upon a time", {
      ...options,
      logitsProcessor: (_, logits, { step }) => {
        steps.push(step);
        logits[banned] = -Infinity;
      },
    });
    const chat = await model.conversation();
    const first = await chat.generate("Once upon a time", options);
    const again: number[] = [];
    for await (const { id } of chat.stream([...first.ids], options)) {
      again.push(id);
      if (again.length === 2) break;
    }
    const { reused } = await chat.state();
    const longer = await model.generate([...first.ids], options);
    chat.dispose();
    model.dispose();
    return { steps, banned, without: without.ids, plain: plain.ids, first: first.ids, again, longer: longer.ids, reused };
  },
};

export type Functions = typeof functions;
Object.assign(window, { functions });
document.title = "ready";
