// Runs of the benchmark taken together: ratios are formed run by run, and what went wrong in one of them is not hidden by the others.
import { describe, expect, it } from "vitest";
import { combineFigures, combineSuites, spread } from "../../bench/combine.ts";
import { readResult, type ResultFile } from "../../bench/result.ts";
import type { PeerResult, TaskResult } from "../../bench/runner.ts";
import { markdown } from "../../bench/table.ts";

const timed = (peer: string, median: number): PeerResult => ({ peer, about: "", status: "ok", median, low: median - 1, high: median + 1 });

function task(N: number, results: readonly PeerResult[]): TaskResult {
  return { suite: "matmul", name: `matmul ${N}`, task: { kind: "matmul", M: 1, K: 1, N, weight: "f32" }, results };
}

function result(tasks: readonly TaskResult[], figures: ResultFile["figures"] = []): ResultFile {
  return {
    version: 2,
    date: "2026-01-02",
    platform: "Chrome/1",
    adapter: { name: "some GPU", vendor: "", architecture: "", software: false, features: [], limits: {} },
    roofline: { copy: 100, fma: 1000, dispatch: 5 },
    tasks,
    figures,
    profiles: [],
  };
}

describe("several runs", () => {
  const runs = [
    [task(1, [timed("fovea", 10), timed("slow", 30), timed("quick", 15), timed("its wasm", 1)])],
    [task(1, [timed("fovea", 20), timed("slow", 40), timed("quick", 60), timed("its wasm", 1)])],
    [task(1, [timed("fovea", 12), { peer: "slow", about: "", status: "failed", reason: "gone" }, timed("quick", 12)])],
  ];

  it("compare with the best rival of each, which wasm is not", () => {
    const [suite] = combineSuites(runs);
    expect(suite!.tasks[0]!.ratio).toEqual({ median: 1.5, low: 1, high: 2 });
    const quick = suite!.tasks[0]!.peers.find(({ peer }) => peer === "quick")!;
    expect(quick.time).toEqual({ median: 15, low: 12, high: 60 });
    expect(quick.ratio).toEqual({ median: 1.5, low: 1, high: 3 });
  });

  it("tell of the one in which an engine failed", () => {
    const slow = combineSuites(runs)[0]!.tasks[0]!.peers.find(({ peer }) => peer === "slow")!;
    expect(slow).toMatchObject({ ok: 2, runs: 3, status: "failed", reason: "gone", ratio: { median: 2.5, low: 2, high: 3 } });
    expect(markdown(runs.map((tasks) => result(tasks)))).toContain("- matmul 1, slow: failed in 1 of 3 runs, gone");
  });

  it("have a mean of means, with its range", () => {
    const two = (a: number, b: number) => [task(1, [timed("fovea", 1), timed("r", a)]), task(2, [timed("fovea", 1), timed("r", b)])];
    const [suite] = combineSuites([two(1, 4), two(2, 18)]);
    expect(suite!.mean!.low).toBeCloseTo(2);
    expect(suite!.mean!.high).toBeCloseTo(6);
    expect(suite!.mean!.median).toBeCloseTo(4);
  });

  it("give figures their range", () => {
    const figures = (value: number) => [{ name: "load", value, unit: "ms" }];
    expect(combineFigures([figures(3), figures(1), figures(2)])).toEqual([
      { name: "load", unit: "ms", value: { median: 2, low: 1, high: 3 } },
    ]);
    expect(markdown([result([], figures(3)), result([], figures(1))])).toContain("| load | 2 (1–3) ms |");
  });
});

describe("one run", () => {
  it("stands for itself, with the quartiles of its rounds", () => {
    const text = markdown([result([task(1, [timed("fovea", 10), timed("r", 15), timed("r wasm", 5)])])]);
    expect(text).toContain("| matmul 1 | 10.0 (9.00–11.0) | 15.0 (14.0–16.0), 1.5× | 5.00 (4.00–6.00), 0.5× | 1.50× |");
  });

  it("has no columns for engines that can do none of it, and a dash where one cannot do this", () => {
    const cannot = (peer: string): PeerResult => ({ peer, about: "", status: "unsupported", reason: "no" });
    const text = markdown([
      result([task(1, [timed("fovea", 1), cannot("never"), timed("r", 2)]), task(2, [timed("fovea", 1), cannot("never"), cannot("r")])]),
    ]);
    expect(text).not.toContain("never");
    expect(text).toContain("| matmul 2 | 1.00 (0.00–2.00) | – |");
    expect(text).not.toContain("geometric mean");
  });

  it("says what an engine did wrong", () => {
    const wrong: PeerResult = { peer: "r", about: "", status: "wrong", reason: "differs from fovea" };
    const text = markdown([result([task(1, [timed("fovea", 1), wrong])])]);
    expect(text).toContain("| wrong |");
    expect(text).toContain("- matmul 1, r: wrong, differs from fovea");
  });
});

describe("spread()", () => {
  it.each([
    [[3], { median: 3, low: 3, high: 3 }],
    [[4, 1], { median: 2.5, low: 1, high: 4 }],
    [[9, 1, 2], { median: 2, low: 1, high: 9 }],
    [[4, 1, 2, 3], { median: 2.5, low: 1, high: 4 }],
  ])("of %j", (values, expected) => expect(spread(values)).toEqual(expected));
});

describe("readResult()", () => {
  it("reads version 1, which has no profiles", () => {
    const { profiles: _, ...old } = result([]);
    expect(readResult(JSON.stringify({ ...old, version: 1 }))).toEqual(result([]));
  });

  it("refuses what a later version wrote", () => {
    expect(() => readResult(JSON.stringify({ ...result([]), version: 3 }))).toThrow("version 3");
  });
});
