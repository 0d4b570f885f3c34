// Pairwise covering arrays: few combinations in which every pair of values of any two options occurs, for executing kernels
// whose full product of options would take too long.
import { uniform } from "./random.ts";

type Axes = Readonly<Record<string, readonly unknown[]>>;
export type Choice<A extends Axes> = { [K in keyof A]: A[K][number] };

/** Greedy covering of all pairs that `valid` allows somewhere. Deterministic for a seed. */
export function pairwise<const A extends Axes>(axes: A, valid: (choice: Choice<A>) => boolean = () => true, seed = 1): Choice<A>[] {
  const next = uniform(seed);
  const names = Object.keys(axes);
  const random = (): Choice<A> =>
    Object.fromEntries(names.map((name) => [name, axes[name]![Math.floor(next() * axes[name]!.length)]])) as Choice<A>;
  const pairsOf = (choice: Choice<A>): string[] =>
    names.flatMap((a, i) =>
      names.slice(i + 1).map((b) => `${a}=${String(axes[a]!.indexOf(choice[a]))},${b}=${String(axes[b]!.indexOf(choice[b]))}`),
    );
  const seen = new Set<string>();
  const rows: Choice<A>[] = [];
  // Pairs that no valid combination has are never met: stop when many draws in a row bring nothing new.
  for (let idle = 0; idle < 40;) {
    let best: Choice<A> | undefined;
    let gain = 0;
    for (let draw = 0; draw < 200; draw++) {
      const choice = random();
      if (!valid(choice)) continue;
      const fresh = pairsOf(choice).filter((pair) => !seen.has(pair)).length;
      if (fresh > gain) [best, gain] = [choice, fresh];
    }
    if (!best) {
      idle++;
      continue;
    }
    idle = 0;
    for (const pair of pairsOf(best)) seen.add(pair);
    rows.push(best);
  }
  return rows;
}
