// Which of several is fastest, told by the clock of a machine that does other things too: they take turns, the least time of
// each counts (what else runs only ever adds), and whoever would replace the first has to beat it once more, by a margin.

export interface Runner {
  readonly name: string;
  /** Milliseconds that so many runs take, one after another. */
  readonly time: (repeats: number) => Promise<number>;
}

/** Milliseconds of one measurement: far above the clock's steps and what a submit costs. */
const MEASURE = 8;
const MOST_REPEATS = 4096;
/** A first that takes longer stays without a race, which would take minutes. */
const LONGEST = 200;
/** Who is slower than the fastest by this factor in single runs is out. */
const HOPELESS = 3;
/** A run is timed so often by itself, unless it is hopeless and so long that no noise explains it. */
const SINGLES = 3;
const ROUNDS = { race: 4, final: 7 };
/** The share of the first one's time that a winner has to save. */
const MARGIN = 0.05;

/** The fastest, or the first where none is faster by the margin. */
export async function race<R extends Runner>(runners: readonly R[]): Promise<R> {
  const first = runners[0]!;
  const single = new Map<R, number>();
  for (const runner of runners) {
    // The very first run pays for compilers and caches.
    await runner.time(1);
    const least = Math.min(...single.values());
    let time = await runner.time(1);
    const lost = () => time > HOPELESS * least && time > LONGEST;
    for (let again = 1; again < SINGLES && !lost(); again++) time = Math.min(time, await runner.time(1));
    single.set(runner, time);
    if (single.get(first)! > LONGEST) return first;
  }
  const near = within(HOPELESS, single);
  const repeats = await repeatsFor(near[0]!);
  const [winner] = within(1, leastOf(await takeTurns(near, repeats, ROUNDS.race)));
  if (winner === first) return first;
  const final = await takeTurns([first, winner!], repeats, ROUNDS.final);
  const beaten = (at: number) => final.get(winner!)![at]! < (1 - MARGIN) * final.get(first)![at]!;
  // At its best and in the middle: luck is one or the other.
  return beaten(0) && beaten(ROUNDS.final >> 1) ? winner! : first;
}

/** Those whose time is at most `factor` times the least, by time. */
const within = <R>(factor: number, times: ReadonlyMap<R, number>): R[] => {
  const sorted = [...times].toSorted(([, a], [, b]) => a - b);
  return sorted.filter(([, time]) => time <= factor * sorted[0]![1]).map(([runner]) => runner);
};

const leastOf = <R>(times: ReadonlyMap<R, readonly number[]>): Map<R, number> => new Map([...times].map(([r, [least]]) => [r, least!]));

async function repeatsFor(runner: Runner): Promise<number> {
  let repeats = 1;
  while (repeats < MOST_REPEATS && (await runner.time(repeats)) < MEASURE) repeats *= 2;
  return repeats;
}

/** Each one's times over some rounds, from the least up. */
async function takeTurns<R extends Runner>(runners: readonly R[], repeats: number, rounds: number): Promise<Map<R, number[]>> {
  const times = new Map<R, number[]>(runners.map((runner) => [runner, []]));
  for (let round = 0; round < rounds; round++) for (const runner of runners) times.get(runner)!.push(await runner.time(repeats));
  for (const own of times.values()) own.sort((a, b) => a - b);
  return times;
}
