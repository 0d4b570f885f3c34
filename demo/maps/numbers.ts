// Weights, shares and sizes as text.

export const weightText = (weight: number): string => Number(weight.toPrecision(2)).toString();

/** A difference with its sign: −0.0312. */
export const signedText = (difference: number): string => `${difference < 0 ? "−" : "+"}${Math.abs(difference).toFixed(4)}`;

export const shareText = (share: number): string => `${(100 * share).toFixed(0)} %`;

export const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(bytes < 1e6 ? 1 : 0);
