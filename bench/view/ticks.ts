// Labels of log scales in plain numbers, few enough to be read: powers of ten over wide ranges, and twice and five times these
// over narrow ones.
export function logTicks(values: readonly number[]): (value: number) => string {
  const decades = Math.log10(Math.max(...values) / Math.min(...values));
  const shown = decades > 2 ? /^1e/ : /^[125]e/;
  return (value) => (shown.test(value.toExponential()) ? value.toLocaleString("en-US") : "");
}
