// A model of the Hugging Face Hub by its name: first what it takes to download, then, when the reader wants it, the model.
import { useEffect, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { megabytes } from "../maps/numbers.ts";
import { HUB_ID } from "../sessions/folder.ts";
import { askHub, type HubAnswer } from "../sessions/hub.ts";
import { openOwn } from "../state/runs.ts";

export function HubPicker() {
  const words = t.value.folder;
  const [id, setId] = useState("");
  const [answer, setAnswer] = useState<HubAnswer>();
  const asking = useRef<AbortController>(undefined);
  useEffect(() => () => asking.current?.abort(), []);
  const change = (to: string) => {
    asking.current?.abort();
    setAnswer(undefined);
    setId(to.trim());
  };
  const ask = async () => {
    asking.current?.abort();
    const { signal } = (asking.current = new AbortController());
    try {
      const said = await askHub(id, signal);
      if (signal.aborted) return;
      asking.current = undefined;
      setAnswer(said);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
  return (
    <form
      class="hub"
      onSubmit={(event) => {
        event.preventDefault();
        if (HUB_ID.test(id)) void ask();
      }}
    >
      <label for="hub">{words.hub}</label>
      <div class="row">
        <input
          id="hub"
          type="text"
          placeholder="distilbert/distilgpt2"
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          value={id}
          onInput={(event) => change(event.currentTarget.value)}
        />
        <button type="submit" disabled={!HUB_ID.test(id)}>
          {words.ask}
        </button>
      </div>
      <p role="status">{answer && "refused" in answer && words[answer.refused]}</p>
      {answer && "bytes" in answer && (
        <button type="button" id="hub-open" onClick={() => openOwn({ hub: id })}>
          {words.download(megabytes(answer.bytes))}
        </button>
      )}
      <p class="hint">{words.kept}</p>
    </form>
  );
}
