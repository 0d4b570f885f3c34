// A model of the reader's own: a folder dropped anywhere onto the page or picked, or, where the page may ask it, the Hub's.
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { filesOf, MAY_ASK_HUB } from "../sessions/folder.ts";
import { openOwn } from "../state/runs.ts";
import { HubPicker } from "./hub-picker.tsx";

/** What a folder is picked for. */
export function FolderPicker() {
  const words = t.value.folder;
  return (
    <section class="folder">
      <p>{words.about}</p>
      <label class="button">
        {words.pick}
        <input
          type="file"
          id="folder"
          multiple
          // Browsers without folders pick the files.
          {...{ webkitdirectory: true }}
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            // The same folder may be chosen again, once something in it was mended.
            event.currentTarget.value = "";
            if (files.length > 0) openOwn({ files });
          }}
        />
      </label>
      <p class="hint">{words.families}</p>
      {MAY_ASK_HUB && <HubPicker />}
    </section>
  );
}

/** Takes drops anywhere, and says so while something is dragged. */
export function DropTarget() {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const onDragOver = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const onDragLeave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const onDrop = (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(false);
      void filesOf(event.dataTransfer!.items).then((files) => {
        if (files.length > 0) openOwn({ files });
      });
    };
    addEventListener("dragover", onDragOver);
    addEventListener("dragleave", onDragLeave);
    addEventListener("drop", onDrop);
    return () => {
      removeEventListener("dragover", onDragOver);
      removeEventListener("dragleave", onDragLeave);
      removeEventListener("drop", onDrop);
    };
  }, []);
  return over ? <p class="drop">{t.value.folder.drop}</p> : null;
}
