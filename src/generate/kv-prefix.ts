// Keys and values kept between generations: what a decoder has read of a conversation, so that the next prompt is read from where
// it begins to differ. One row. Between generations they lie in a workspace of their own; a session borrows them.
import type { Engine } from "../engine/engine.ts";
import type { Workspace } from "../engine/workspace.ts";

/** A buffer of keys or values, and the bytes that a position takes in it. */
export interface Cache {
  readonly name: string;
  readonly stride: number;
}

/** Kept for longer conversations than this one: buffers are copied a few times, not every time. */
const GROWTH = 1.5;

export class KvPrefix {
  #engine: Engine | undefined;
  #home: Workspace | undefined;
  #caches: readonly Cache[] = [];
  #capacity = 0;
  /** Tokens whose keys and values the buffers hold, from position 0 on. */
  #ids: readonly number[] = [];
  /** What else decided them. */
  #state = "";
  #reused = 0;

  /** Tokens that need not be read again if a prompt begins with them. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Tokens of the latest prompt that were not read again. */
  get reused(): number {
    return this.#reused;
  }

  /**
   * Gives a session what there is: from now on it is the session's. Buffers that are large enough move there; smaller ones are copied by
   * `fill`, once the session has its own. Of no use are those made in another state: what beside the tokens decides them.
   * @returns the capacity that the session's caches have then, and how many tokens of the prompt they hold; its last is always read
   */
  lend(
    engine: Engine,
    to: Workspace,
    { ids, capacity, state }: { ids: readonly number[]; capacity: number; state: string },
  ): { capacity: number; cached: number } {
    if (engine !== this.#engine) this.dispose();
    if (state !== this.#state) this.#ids = [];
    this.#engine = engine;
    this.#state = state;
    const cached = Math.min(commonLength(this.#ids, ids), ids.length - 1);
    this.#reused = cached;
    this.#ids = [];
    if (!this.#home || this.#capacity < capacity)
      return { capacity: this.#home ? Math.max(capacity, Math.ceil(GROWTH * this.#capacity)) : capacity, cached };
    for (const { name } of this.#caches) this.#home.move(name, to);
    this.#leave();
    return { capacity: this.#capacity, cached };
  }

  /** Copies what did not move, and frees it here. */
  fill(workspace: Workspace, cached: number): void {
    if (!this.#home) return;
    const { device } = this.#engine!;
    const encoder = device.createCommandEncoder({ label: "conversation" });
    for (const { name, stride } of this.#caches) {
      // One row: positions lie one after the other, whatever the capacity.
      if (cached > 0) encoder.copyBufferToBuffer(this.#home.get(name), 0, workspace.get(name), 0, cached * stride);
    }
    device.queue.submit([encoder.finish()]);
    this.#leave();
  }

  /** Takes keys and values back from a session whose caches hold those of `ids`. */
  keep(workspace: Workspace, caches: readonly Cache[], { ids, capacity }: { ids: readonly number[]; capacity: number }): void {
    const home = this.#engine!.workspace("conversation");
    for (const { name } of caches) workspace.move(name, home);
    this.#home = home;
    this.#caches = caches;
    this.#capacity = capacity;
    this.#ids = ids;
  }

  /** Frees all of it. Idempotent; what is kept later is kept as ever. */
  dispose(): void {
    this.#leave();
    this.#ids = [];
  }

  #leave(): void {
    this.#home?.dispose();
    this.#home = undefined;
  }
}

function commonLength(a: readonly number[], b: readonly number[]): number {
  const end = Math.min(a.length, b.length);
  let length = 0;
  while (length < end && a[length] === b[length]) length++;
  return length;
}
