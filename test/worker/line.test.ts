// A page and a worker over a real MessageChannel in one process: what becomes of calls when a model is disposed, of errors and signals on
// their way, and of a second model. What models do in a worker is in test/browser/worker.test.ts.
import { getEventListeners } from "node:events";
import { expose, transferHandlers, wrap } from "comlink";
import { afterEach, describe, expect, test } from "vitest";
import { CheckpointError, FoveaError, InputError } from "../../src/errors.ts";
import { UnreachableError } from "../../src/load/http/request.ts";
import { MissingFileError, type Source } from "../../src/load/open.ts";
import { WorkerModel } from "../../src/worker/client.ts";
import { Link } from "../../src/worker/link.ts";
import { type ModelDescription, Served } from "../../src/worker/serve.ts";
import { receiveSignal, sendSignal, teachComlink } from "../../src/worker/wire.ts";
import { rejection } from "../load/files.ts";

teachComlink();

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** The page's end of a line to something that answers as a worker would. */
function line<T extends object>(answering: T) {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  expose(answering, port2);
  return wrap<Served>(port1);
}

const DESCRIPTION: ModelDescription = {
  config: {},
  generationConfig: {},
  kind: "decoder",
  head: "causal-lm",
  maxTokens: 8,
  tokenizer: { specialTokens: {}, specialIds: new Set(), maxLength: undefined, languages: { names: [], tellsSource: false } },
};
const never = () => new Promise<never>(() => undefined);

describe("a model that is disposed", () => {
  test("refuses who waits for an answer, and who asks later", async () => {
    let ended = 0;
    const served = line({ generate: never, next: never, stream: () => 1, stop: never, text: never, lost: never, dispose: () => undefined });
    const model = new WorkerModel(new Link(served, () => ended++), DESCRIPTION);
    const waiting = [model.generate("Once"), model.stream("Once").next(), model.tokenizer!.encode("Once")].map(rejection);
    const lost = model.device.lost;
    await new Promise((resolve) => setTimeout(resolve, 20));
    model.dispose();
    model.dispose();
    for (const error of await Promise.all(waiting))
      expect(error).toMatchObject({ name: "FoveaError", message: expect.stringContaining("disposed") });
    expect(await rejection(model.memory())).toBeInstanceOf(FoveaError);
    expect(await lost).toMatchObject({ reason: "destroyed" });
    await expect.poll(() => ended).toBe(1);
  });
});

describe("errors", () => {
  test("keep their class, or the nearest that is known, and their fields", async () => {
    const thrown = [
      new InputError("no", { field: "topK", expected: "≥ 1", got: -1 }),
      new MissingFileError("none", { file: "config.json" }),
      new UnreachableError("busy", { file: "config.json", got: 503 }),
      new RangeError("too far"),
    ];
    const served = line({ memory: (which: number) => Promise.reject(thrown[which]!) });
    const ask = (which: number) => rejection((served.memory as unknown as (which: number) => Promise<unknown>)(which));
    const [input, missing, unreachable, other] = await Promise.all([ask(0), ask(1), ask(2), ask(3)]);
    expect(input).toBeInstanceOf(InputError);
    expect(input).toMatchObject({ field: "topK", got: -1 });
    expect(missing).toBeInstanceOf(MissingFileError);
    expect(unreachable).toBeInstanceOf(CheckpointError);
    expect(unreachable).toMatchObject({ message: "busy", file: "config.json", got: 503 });
    expect(other).toMatchObject({ name: "RangeError", message: "too far" });
  });

  test("of workers that know nothing of this stay what comlink makes of them, in both directions", () => {
    const handler = transferHandlers.get("throw")!;
    const [sent] = handler.serialize({ value: new InputError("no", { field: "topK" }) });
    // As comlink's own handler reads it.
    expect(sent).toMatchObject({ isError: true, value: { name: "InputError", message: "no" } });
    const read = () => handler.deserialize({ isError: true, value: { name: "TypeError", message: "theirs", stack: "" } });
    expect(read).toThrow(expect.objectContaining({ name: "TypeError", message: "theirs" }));
    expect(() => handler.deserialize({ isError: false, value: 5 })).toThrow(expect.toSatisfy((value) => value === 5));
  });
});

describe("an abort signal", () => {
  test("reaches the other side with its reason", async () => {
    const controller = new AbortController();
    const far = receiveSignal(sendSignal(controller.signal).port)!;
    controller.abort(new InputError("enough", { field: "x" }));
    await expect.poll(() => far.aborted).toBe(true);
    expect(far.reason).toBeInstanceOf(InputError);
    expect(receiveSignal(sendSignal(undefined).port)).toBeUndefined();
  });

  test("that lives longer than many calls is not held by them", async () => {
    const { signal } = new AbortController();
    const served = line({ generate: () => [{ ids: [1], text: "" }], stream: () => 1, next: () => undefined, dispose: () => undefined });
    const model = new WorkerModel(new Link(served, () => undefined), DESCRIPTION);
    for (let i = 0; i < 5; i++) {
      await model.generate("Once", { signal });
      for await (const _ of model.stream("Once", { signal })) break;
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

test("a processor's own array stays its own", async () => {
  const served = line({
    async generate(
      _target: number,
      _inputs: unknown,
      _options: unknown,
      _abort: unknown,
      processor: (...args: unknown[]) => Promise<unknown>,
    ) {
      const results = [await processor([1], new Float32Array(4), { step: 0 }), await processor([1], new Float32Array(4), { step: 1 })];
      return results.map((result) => ({ ids: [...(result as Float32Array)], text: "" }));
    },
  });
  const model = new WorkerModel(new Link(served, () => undefined), DESCRIPTION);
  const own = Float32Array.of(1, 2, 3, 4);
  const [first, second] = await model.generate(["a", "b"], { logitsProcessor: () => own });
  expect([first!.ids, second!.ids]).toEqual([
    [1, 2, 3, 4],
    [1, 2, 3, 4],
  ]);
  expect(own.length).toBe(4);
});

test("a worker that has a model takes no other, and after a load that failed the next", async () => {
  const served = new Served();
  const missing = new MissingFileError("none", { file: "config.json" });
  const opening: ((reason: unknown) => void)[] = [];
  const source: Source = { open: () => new Promise((_, reject) => opening.push(reject)) };
  for (const count of [1, 2]) {
    const load = rejection(served.load(source, {}, undefined));
    expect(await rejection(served.load(source, {}, undefined))).toMatchObject({ message: expect.stringContaining("has a model") });
    await expect.poll(() => opening.length).toBe(count);
    opening.at(-1)!(missing);
    expect(await load).toBe(missing);
  }
});
