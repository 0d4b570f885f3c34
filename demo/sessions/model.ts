// A loaded model as a session: how it is asked follows from its kind.
import { InputError } from "../../src/errors.ts";
import type { Marks } from "../maps/tokens.ts";
import { NO_TOKENIZER } from "../state/trouble.ts";
import { writeOn } from "./decoder.ts";
import { readAndWrite } from "./encoder-decoder.ts";
import { maskOf, readOnly } from "./encoder.ts";
import { languagesOf } from "./languages.ts";
import type { Loaded, Reading } from "./loaded.ts";
import type { Session } from "./session.ts";

const ASK = { encoder: readOnly, decoder: writeOn, "encoder-decoder": readAndWrite } as const;

export function sessionOf(model: Loaded, marks: Marks): Session {
  if (!model.tokenizer) {
    model.dispose();
    throw new InputError("This folder has no tokenizer.json, which the page needs to read text.", {
      field: NO_TOKENIZER,
      expected: "a tokenizer.json beside config.json",
      got: undefined,
    });
  }
  // The same model, known to have one.
  const reading = model as Reading;
  return {
    kind: model.kind,
    starter: starterOf(model),
    languages: languagesOf(reading),
    run: (request) => ASK[model.kind](reading, marks, request),
    lost: () => model.device.lost,
    dispose: () => model.dispose(),
  };
}

/** Something to see at once in a model that nobody asked anything yet. */
function starterOf(model: Loaded): string {
  const mask = maskOf(model);
  if (mask !== undefined) return `The capital of France is ${mask}.`;
  if (model.kind === "decoder") return "Once upon a time, there was";
  return model.config["model_type"] === "t5" ? "translate English to German: The house is wonderful." : "The house is wonderful.";
}
