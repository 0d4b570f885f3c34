// Work that waits until its element is in sight, and then takes a few milliseconds of a frame: typing goes on meanwhile.

/** Of a frame. */
const BUDGET_MS = 5;
/** Started ahead of the one in work: reading from a GPU takes a while and costs the page nothing. */
const AHEAD = 4;
/** Elements this near to the window are in sight. */
const NEAR = "150px";

export interface LazyWork<T> {
  readonly elements: Iterable<HTMLElement>;
  readonly prepare: (element: HTMLElement) => Promise<T>;
  readonly finish: (element: HTMLElement, prepared: T) => void;
  /** All that is in sight is done; called again after more has come into sight. */
  readonly onIdle: () => void;
  readonly onError: (error: unknown) => void;
}

/** Starts; returns what stops it. */
export function workLazily<T>({ elements, prepare, finish, onIdle, onError }: LazyWork<T>): () => void {
  const waiting: HTMLElement[] = [];
  let [stopped, working] = [false, false];
  const work = async () => {
    let frameStart = performance.now();
    while (waiting.length > 0) {
      const batch = waiting.splice(0, AHEAD).map((element) => ({ element, prepared: prepare(element) }));
      // Each failure is met below, or not at all once stopped.
      for (const { prepared } of batch) prepared.catch(() => undefined);
      for (const { element, prepared } of batch) {
        const value = await prepared;
        if (stopped) return;
        if (performance.now() - frameStart > BUDGET_MS) frameStart = await nextFrame();
        if (stopped) return;
        finish(element, value);
      }
    }
    onIdle();
  };
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        observer.unobserve(target);
        waiting.push(target as HTMLElement);
      }
      if (working) return;
      working = true;
      work()
        .catch((error: unknown) => {
          if (!stopped) onError(error);
        })
        .finally(() => (working = false));
    },
    { rootMargin: NEAR },
  );
  for (const element of elements) observer.observe(element);
  return () => {
    stopped = true;
    observer.disconnect();
  };
}

const nextFrame = (): Promise<number> => new Promise((resolve) => requestAnimationFrame(() => resolve(performance.now())));
