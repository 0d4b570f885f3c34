// The Deno side of the pool: Vitest's own worker, its messages as text over the channel to Node.
import process from "node:process";
import { parse, stringify } from "devalue";
import { init, runBaseTests, setupEnvironment } from "vitest/worker";

// Tests may replace globals; the channel stays what it is.
const send = process.send!.bind(process);
process.on("disconnect", () => process.exit());

init({
  post: (message) => send(message),
  on: (listener) => process.on("message", listener),
  off: (listener) => process.off("message", listener),
  serialize: (message: unknown) => stringify(message),
  deserialize: (text: string) => parse(text) as unknown,
  setup: setupEnvironment,
  runTests: (state, traces) => runBaseTests("run", state, traces),
  collectTests: (state, traces) => runBaseTests("collect", state, traces),
});
