// Taking the view away: its link, or a file. A disclosure, not a menu: plain buttons, reached by Tab. Escape closes it.
import { useRef, useState } from "preact/hooks";
import { EXTENSIONS, exportFigure } from "../export/export.ts";
import type { Extension } from "../export/figure.ts";
import { t } from "../i18n/index.ts";
import { currentFigure } from "../state/figure.ts";
import { link } from "../state/link.ts";

type Told = { readonly copied: string } | { readonly copyThis: string } | { readonly failed: string };

export function ExportMenu() {
  const words = t.value.exports;
  const [open, setOpen] = useState(false);
  const [told, setTold] = useState<Told>();
  const opener = useRef<HTMLButtonElement>(null);
  const toggle = (to: boolean) => {
    setOpen(to);
    setTold(undefined);
  };
  const copy = async () => {
    const address = link();
    try {
      await navigator.clipboard.writeText(address);
      setTold({ copied: address });
    } catch {
      // Pages that are not served securely have no clipboard, and readers may refuse it.
      setTold({ copyThis: address });
    }
  };
  const download = async (extension: Extension) => {
    const figure = currentFigure();
    if (!figure) return;
    try {
      await exportFigure(figure, extension);
      setTold(undefined);
    } catch (error) {
      setTold({ failed: t.value.troubles.unknown(String(error)) });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !open) return;
    toggle(false);
    opener.current!.focus();
  };
  return (
    <div id="export" onKeyDown={onKeyDown}>
      <button ref={opener} type="button" aria-expanded={open} aria-controls="export-choices" onClick={() => toggle(!open)}>
        {words.open}
      </button>
      <div id="export-choices" role="group" aria-label={words.open} hidden={!open}>
        <button type="button" data-export="link" onClick={() => void copy()}>
          {words.copyLink}
        </button>
        {EXTENSIONS.map((extension) => (
          <button key={extension} type="button" data-export={extension} onClick={() => void download(extension)}>
            {words.files[extension]}
          </button>
        ))}
      </div>
      <span role="status">
        {told && "copied" in told && words.copied}
        {told && "failed" in told && told.failed}
        {told && "copyThis" in told && words.copyThis}
      </span>
      {told && "copyThis" in told && (
        <input
          readOnly
          aria-label={words.copyThis}
          value={told.copyThis}
          ref={(input) => input?.select()}
          onFocus={(event) => event.currentTarget.select()}
        />
      )}
    </div>
  );
}
