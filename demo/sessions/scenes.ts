// The page's tabs.
import type { Scene } from "./session.ts";
import { translation } from "./translation.ts";

export const scenes: readonly Scene[] = [translation];

export const sceneOf = (id: string): Scene => scenes.find((scene) => scene.id === id) ?? scenes[0]!;
