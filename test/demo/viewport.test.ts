// Zooming and panning: what is under the pointer stays there, and the map is never lost from sight.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellAt, clamp, fit, inSight, pan, type Plot, reveal, thinned, type Viewport, zoom, zoomTo } from "../../demo/maps/viewport.ts";

const plots = fc.record({
  width: fc.integer({ min: 40, max: 900 }),
  height: fc.integer({ min: 40, max: 700 }),
  columns: fc.integer({ min: 1, max: 600 }),
  rows: fc.integer({ min: 1, max: 600 }),
});
const part = fc.double({ min: 0, max: 1, noNaN: true });
const seen = plots.chain((plot) =>
  fc.record({ size: fc.double({ min: 0.1, max: 100, noNaN: true }), x: part, y: part }).map((v) => ({
    plot,
    viewport: clamp({ size: v.size, x: v.x * plot.columns, y: v.y * plot.rows }, plot),
  })),
);

function expectInside({ size, x, y }: Viewport, plot: Plot): void {
  expect(size).toBeGreaterThanOrEqual(fit(plot).size);
  for (const [at, count, room] of [
    [x, plot.columns, plot.width],
    [y, plot.rows, plot.height],
  ] as const) {
    expect(at).toBeGreaterThanOrEqual(0);
    expect(at).toBeLessThanOrEqual(Math.max(0, count - room / size) + 1e-9);
  }
}

describe("the viewport", () => {
  it("begins with all of the map in the plot", () => {
    fc.assert(
      fc.property(plots, (plot) => {
        const { size, x, y } = fit(plot);
        expect([x, y]).toEqual([0, 0]);
        expect(size * plot.columns).toBeLessThanOrEqual(plot.width + 1e-9);
        expect(size * plot.rows).toBeLessThanOrEqual(plot.height + 1e-9);
      }),
    );
  });

  it("stays inside of the map, however it is moved", () => {
    fc.assert(
      fc.property(seen, fc.double({ min: 0.05, max: 20, noNaN: true }), part, part, ({ plot, viewport }, factor, px, py) => {
        const at = { x: px * plot.width, y: py * plot.height };
        expectInside(zoom(viewport, plot, factor, at), plot);
        expectInside(pan(viewport, plot, { x: 3 * at.x - plot.width, y: 3 * at.y - plot.height }), plot);
        expectInside(zoomTo(viewport, plot, at, { x: plot.width / 2, y: plot.height / 2 }), plot);
      }),
    );
  });

  it("keeps the cell under the pointer when zooming in", () => {
    const plot: Plot = { width: 500, height: 500, columns: 512, rows: 512 };
    let viewport = fit(plot);
    const at = { x: 321, y: 123 };
    const before = cellAt(viewport, plot, at);
    for (let i = 0; i < 10; i++) viewport = zoom(viewport, plot, 1.3, at);
    expect(cellAt(viewport, plot, at)).toEqual(before);
    expect(viewport.size).toBeGreaterThan(10 * fit(plot).size);
  });

  it("shows the box that was drawn", () => {
    const plot: Plot = { width: 400, height: 300, columns: 400, rows: 300 };
    const viewport = zoomTo(fit(plot), plot, { x: 240, y: 130 }, { x: 200, y: 100 });
    expect(viewport).toEqual({ size: 10, x: 200, y: 100 });
  });

  it("brings a cell into sight, and moves no further than that", () => {
    fc.assert(
      fc.property(seen, part, part, ({ plot, viewport }, r, c) => {
        const [row, column] = [Math.floor(r * (plot.rows - 1)), Math.floor(c * (plot.columns - 1))];
        const after = reveal(viewport, plot, row, column);
        expect(after.x).toBeLessThanOrEqual(column + 1e-9);
        if (after.size <= plot.width) expect(after.x + plot.width / after.size).toBeGreaterThanOrEqual(column + 1 - 1e-9);
        expect(reveal(after, plot, row, column)).toEqual(after);
      }),
    );
  });

  it("thins labels by round steps, but keeps those in focus", () => {
    expect(thinned([0, 6], 20, 14, [])).toEqual([0, 1, 2, 3, 4, 5]);
    expect(thinned([0, 31], 3, 14, [])).toEqual([0, 5, 10, 15, 20, 25, 30]);
    expect(thinned([7, 31], 3, 14, [12, 13])).toEqual([12, 13, 20, 25, 30]);
    expect(thinned(inSight(100.5, 512, 40, 0.94), 0.94, 14, [])).toEqual([100, 120, 140]);
  });
});
