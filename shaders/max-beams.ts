/** Beams of one item: what a thread's private arrays in beam-move.ts hold. */
export const MAX_BEAMS = 64;
