/** Resolves when what was just set is on the screen; at once in a tab that nobody sees. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    if (document.hidden) resolve();
    // The second frame begins when the first was painted.
    else requestAnimationFrame(() => requestAnimationFrame(() => resolve()));
  });
}
