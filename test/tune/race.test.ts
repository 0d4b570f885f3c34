// Who wins a race, with runners whose times are made up.
import { describe, expect, it } from "vitest";
import { race, type Runner } from "../../src/tune/race.ts";
import { uniform } from "../support/random.ts";

interface Fake extends Runner {
  runs: number;
}

/** Takes `ms` a run, plus what `noise` adds to a measurement. */
function fake(name: string, ms: number, noise: () => number = () => 0): Fake {
  const runner: Fake = {
    name,
    runs: 0,
    time(repeats) {
      runner.runs += repeats;
      return Promise.resolve(ms * repeats + noise());
    },
  };
  return runner;
}

const winner = async (...runners: Runner[]): Promise<string> => (await race(runners)).name;

describe("race", () => {
  it("is won by the fastest", async () => {
    expect(await winner(fake("a", 1), fake("b", 0.5), fake("c", 0.7))).toBe("b");
    expect(await winner(fake("a", 0.5), fake("b", 1))).toBe("a");
    expect(await winner(fake("a", 1))).toBe("a");
  });

  it("leaves the first where little is gained", async () => {
    expect(await winner(fake("a", 1), fake("b", 0.96))).toBe("a");
    expect(await winner(fake("a", 1), fake("b", 0.94))).toBe("b");
  });

  it("repeats short runs until a measurement is long", async () => {
    const [a, b] = [fake("a", 0.001), fake("b", 0.0008)];
    expect(await winner(a, b)).toBe("b");
    expect(b.runs).toBeGreaterThan(40_000);
  });

  it("lets the hopeless run a few times and no more", async () => {
    const [slow, lost] = [fake("slow", 150), fake("lost", 500)];
    expect(await winner(fake("a", 50), slow, lost, fake("b", 30))).toBe("b");
    expect([slow.runs, lost.runs]).toEqual([4, 2]);
  });

  it("does not begin where the first takes long", async () => {
    const [first, other] = [fake("a", 1000), fake("b", 1)];
    expect(await winner(first, other)).toBe("a");
    expect([first.runs, other.runs]).toEqual([4, 0]);
  });

  it("is not decided by what else the machine does", async () => {
    const next = uniform(3);
    // A third of the measurements takes up to three times as long.
    const noise = () => (next() < 1 / 3 ? 24 * next() : 0);
    let found = 0;
    for (let i = 0; i < 100; i++) {
      expect(await winner(fake("a", 1, noise), fake("b", 1, noise), fake("c", 1.02, noise), fake("d", 0.99, noise))).toBe("a");
      if ((await winner(fake("a", 1, noise), fake("b", 0.8, noise))) === "b") found++;
    }
    // Where in doubt, the first.
    expect(found).toBeGreaterThan(75);
  });

  it("fails with whom it cannot time", async () => {
    const broken: Runner = { name: "b", time: () => Promise.reject(new Error("lost")) };
    await expect(winner(fake("a", 1), broken)).rejects.toThrow("lost");
  });
});
