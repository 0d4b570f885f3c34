// The page's tabs.
import { ownModel } from "./folder.ts";
import { reactions } from "./reactions.ts";
import type { Scene } from "./session.ts";
import { stories } from "./stories.ts";
import { translation } from "./translation.ts";

export const scenes: readonly Scene[] = [translation, reactions, stories, ownModel];

export const sceneOf = (id: string): Scene => scenes.find((scene) => scene.id === id) ?? scenes[0]!;
