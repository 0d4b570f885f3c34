// A loaded model as a session: how it is asked follows from its kind.
import type { Model } from "../../src/index.ts";
import { InputError } from "../../src/errors.ts";
import type { Marks } from "../maps/tokens.ts";
import { writeOn } from "./decoder.ts";
import { readAndWrite } from "./encoder-decoder.ts";
import { readOnly } from "./encoder.ts";
import type { Session } from "./session.ts";

const ASK = { encoder: readOnly, decoder: writeOn, "encoder-decoder": readAndWrite } as const;

export function sessionOf(model: Model, marks: Marks): Session {
  if (!model.tokenizer) {
    model.dispose();
    throw new InputError("This folder has no tokenizer.json, which the page needs to read text.", {
      field: "tokenizer.json",
      expected: "a tokenizer.json beside config.json",
      got: undefined,
    });
  }
  return {
    kind: model.kind,
    run: (request) => ASK[model.kind](model, marks, request),
    lost: () => model.device.lost,
    dispose: () => model.dispose(),
  };
}
