// Slots: nothing alive is overwritten, and little memory is wasted.
import fc from "fast-check";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Dims, evaluate } from "../../src/gpu/expr.ts";
import { assignSlots, type Lifetime } from "../../src/schedule/lifetimes.ts";
import { architectureOf, DIMS, GPU, graphsOf, MODELS, planOf, SOFTWARE } from "../support/model-graphs.ts";

// compile's own calls are looked at: a plan no longer knows the values in its slots.
vi.mock("../../src/schedule/lifetimes.ts", { spy: true });
beforeEach(() => void vi.mocked(assignSlots).mockClear());

const overlap = (a: Lifetime, b: Lifetime): boolean => a.from <= b.to && b.from <= a.to;
const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** What no sharing of whole buffers can go below: the n-th largest slot holds the n-th largest value of any dispatch. */
function least(live: readonly (readonly number[])[]): number {
  const sorted = live.map((sizes) => sizes.toSorted((a, b) => b - a));
  return sum(Array.from({ length: Math.max(...live.map((sizes) => sizes.length)) }, (_, n) => Math.max(...sorted.map((s) => s[n] ?? 0))));
}

function expectSound(lifetimes: readonly Lifetime[], lengths: readonly Dims[]): void {
  const { sizes, of } = assignSlots(lifetimes);
  expect([...of.keys()].toSorted((a, b) => a - b)).toEqual(lifetimes.map(({ id }) => id).toSorted((a, b) => a - b));
  for (const [slot, size] of sizes.entries()) {
    const shared = lifetimes.filter(({ id }) => of.get(id) === slot);
    for (const [i, a] of shared.entries()) for (const b of shared.slice(i + 1)) expect(overlap(a, b), `${a.id} and ${b.id}`).toBe(false);
    for (const dims of lengths) expect(evaluate(size, dims)).toBe(Math.max(...shared.map(({ bytes }) => evaluate(bytes, dims))));
  }
}

const lifetimes = fc
  .array(fc.record({ from: fc.nat(30), length: fc.nat(8), bytes: fc.integer({ min: 1, max: 64 }), symbolic: fc.boolean() }), {
    maxLength: 40,
  })
  .map((list) =>
    list.map(({ from, length, bytes, symbolic }, id): Lifetime => {
      const expr = symbolic ? (["*", bytes, "n"] as const) : bytes;
      return { id, from, to: from + length, bytes: expr, expected: evaluate(expr, { n: 3 }) };
    }),
  );

describe("assignSlots", () => {
  it("never shares a slot between values alive at one dispatch, and makes it as large as its largest value", () => {
    fc.assert(fc.property(lifetimes, (values) => expectSound(values, [{ n: 1 }, { n: 3 }, { n: 1000 }])));
  });

  it("keeps an op's output apart from its input", () => {
    const { of } = assignSlots([
      { id: 1, from: 0, to: 1, bytes: 8, expected: 8 },
      { id: 2, from: 1, to: 2, bytes: 8, expected: 8 },
      { id: 3, from: 2, to: 3, bytes: 8, expected: 8 },
    ]);
    expect([...of.values()]).toEqual([0, 1, 0]);
  });

  it("takes the smallest free slot that is large enough, else grows the largest", () => {
    const { sizes, of } = assignSlots([
      { id: 1, from: 0, to: 0, bytes: 100, expected: 100 },
      { id: 2, from: 0, to: 0, bytes: 10, expected: 10 },
      { id: 3, from: 1, to: 1, bytes: 8, expected: 8 },
      { id: 4, from: 1, to: 1, bytes: 400, expected: 400 },
    ]);
    expect(of.get(3)).toBe(of.get(2));
    expect(of.get(4)).toBe(of.get(1));
    expect(sizes).toEqual([400, 10].map((bytes, slot) => (slot === of.get(1) ? 400 : bytes)));
  });
});

describe.each(MODELS)("%s", (name) => {
  it.each([
    ["software", SOFTWARE],
    ["gpu", GPU],
  ] as const)("holds at most a quarter more than is ever alive, or as little as slots can, for %s", async (_, traits) => {
    const { architecture, generation } = await architectureOf(name);
    for (const [title, graph] of graphsOf(architecture, generation)) {
      vi.mocked(assignSlots).mockClear();
      const plan = planOf(title, graph, traits);
      const [values] = vi.mocked(assignSlots).mock.calls[0]!;
      expectSound(values, [DIMS, { ...DIMS, batch: 7, source: 500, rows: 4, query: 1000 }]);
      for (const { path, instance, bindings } of plan.dispatches) {
        const written = instance.kernel.bindings(instance.options).filter(({ access }) => access === "read_write");
        const slotsOf = (names: readonly string[]) => names.flatMap((n) => (bindings[n]?.kind === "slot" ? [bindings[n].slot] : []));
        for (const { name: binding } of written) {
          const others = slotsOf(Object.keys(bindings).filter((n) => n !== binding));
          for (const slot of slotsOf([binding])) expect(others, `${title} ${path}: ${binding}`).not.toContain(slot);
        }
      }
      const live = plan.dispatches.map((_, i) => values.filter(({ from, to }) => from <= i && i <= to).map((v) => v.expected));
      const held = sum(plan.slots.map((bytes) => evaluate(bytes, DIMS)));
      expect(held, title).toBeLessThanOrEqual(Math.max(1.25 * Math.max(...live.map(sum)), least(live)));
    }
  });
});
