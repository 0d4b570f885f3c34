// What one scene shows beside its maps. Fetched when it is first wanted: the page's first sight does not wait for it.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { SceneId } from "../sessions/session.ts";
import { view } from "../state/view.ts";

const PANELS: Partial<Record<SceneId, () => Promise<{ default: ComponentType }>>> = {
  reactions: () => import("./molecules.tsx"),
};

export function ScenePanel() {
  const id = view.scene.value;
  const [panel, setPanel] = useState<{ id: SceneId; Panel: ComponentType }>();
  useEffect(() => {
    let stale = false;
    void PANELS[id]?.().then((module) => {
      if (!stale) setPanel({ id, Panel: module.default });
    });
    return () => {
      stale = true;
    };
  }, [id]);
  return panel?.id === id ? <panel.Panel /> : null;
}
