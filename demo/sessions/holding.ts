// What a run left on the GPU, and who still reads it.

export interface Holding {
  /** Starts a read. Of a run that is gone nothing comes: whoever asked is about to hear of the run in its place. */
  read<T>(start: () => Promise<T>): Promise<T>;
  /** Frees the run once the reads on their way have ended. */
  dispose(): void;
}

/**
 * Of a run whose maps end with it, and that another one follows: they may have ended before the page hears of it. A read that fails
 * then is answered by the run that follows.
 */
export function passing(): Holding {
  const held = holding(() => undefined);
  return {
    read: (start) => held.read(start).catch(() => new Promise<never>(() => undefined)),
    dispose: () => held.dispose(),
  };
}

export function holding(free: () => void): Holding {
  let reading = 0;
  let disposed = false;
  return {
    async read(start) {
      if (disposed) return new Promise(() => undefined);
      reading++;
      try {
        return await start();
      } finally {
        if (--reading === 0 && disposed) free();
      }
    },
    dispose() {
      if (disposed) return;
      disposed = true;
      if (reading === 0) free();
    },
  };
}
