// A molecule as lines and labels, in pixels. y grows downwards.
import { hydrogensOf } from "./atoms.ts";
import { BOND, type Layout, type Point } from "./layout.ts";
import { type Bond, type Molecule, neighboursOf, type Order, type Reaction } from "./smiles.ts";

export interface Stroke {
  readonly from: Point;
  readonly to: Point;
  readonly dashed: boolean;
}

export interface DrawnBond {
  /** Index among the reaction's bonds. */
  readonly bond: number;
  readonly strokes: readonly Stroke[];
}

export interface DrawnAtom {
  /** Index among the reaction's atoms. */
  readonly atom: number;
  readonly at: Point;
  /** Undefined for a carbon that the lines already show. */
  readonly label: { readonly hydrogens: number; readonly hydrogensLeft: boolean } | undefined;
  /** Where its number has most room. */
  readonly number: Point;
}

export interface Drawing {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly atoms: readonly DrawnAtom[];
  readonly bonds: readonly DrawnBond[];
}

/** Room of a label at a bond's end, and between the lines of a bond. */
const LABEL_ROOM = 10;
const LINE_GAP = 5.5;
/** What an inner line is shorter by at both ends. */
const INSET = 0.14;
const NUMBER_AT = 14;
const MARGIN = 28;
const DIRECTIONS = 16;
const ORDER_COUNT: Readonly<Record<Order, number>> = { single: 1, double: 2, triple: 3, quadruple: 4, aromatic: 1, loose: 0 };

const lerp = (a: Point, b: Point, t: number): Point => ({ x: a.x + (b.x - a.x) * t, y: a.y + (b.y - a.y) * t });
const distance = (a: Point, b: Point): number => Math.hypot(b.x - a.x, b.y - a.y);
const angle = (from: Point, to: Point): number => Math.atan2(to.y - from.y, to.x - from.x);
const centreOf = (points: readonly Point[]): Point => ({
  x: points.reduce((n, { x }) => n + x, 0) / points.length,
  y: points.reduce((n, { y }) => n + y, 0) / points.length,
});

export function draw(reaction: Reaction, { first, end }: Molecule, { points, rings }: Layout): Drawing {
  const place = (atom: number): Point => points[atom - first]!;
  const neighbours = neighboursOf(reaction);
  const own = [...reaction.bonds.entries()].filter(([, { from }]) => from >= first && from < end);
  const labelled = (atom: number): boolean => {
    const { element, charge, isotope } = reaction.atoms[atom]!;
    return element !== "C" || charge !== 0 || isotope !== undefined || neighbours[atom]!.length === 0;
  };
  const ringCentre = ({ from, to }: Bond): Point | undefined => {
    const shared = rings.filter((ring) => ring.includes(from - first) && ring.includes(to - first));
    const smallest = shared.sort((a, b) => a.length - b.length)[0];
    return smallest && centreOf(smallest.map((member) => points[member]!));
  };
  const bonds = own.map(([bond, one]): DrawnBond => {
    const [a, b] = [place(one.from), place(one.to)];
    const room = LABEL_ROOM / Math.max(1, distance(a, b));
    const [from, to] = [labelled(one.from) ? lerp(a, b, room) : a, labelled(one.to) ? lerp(b, a, room) : b];
    return { bond, strokes: strokesOf(one.order, from, to, ringCentre(one)) };
  });
  const atoms = points.map((at, i): DrawnAtom => {
    const atom = first + i;
    const around = neighbours[atom]!.map((other) => angle(at, place(other)));
    const ringsHere = rings.filter((ring) => ring.includes(i)).map((ring) => angle(at, centreOf(ring.map((member) => points[member]!))));
    if (!labelled(atom)) return { atom, at, label: undefined, number: beside(at, [...around, ...ringsHere]) };
    const written = own.reduce((n, [, { from, to, order }]) => n + (from === atom || to === atom ? ORDER_COUNT[order] : 0), 0);
    const hydrogens = hydrogensOf(reaction.atoms[atom]!, written);
    // Away from the bonds, and to the right where both sides are free.
    const hydrogensLeft = around.reduce((n, a) => n + Math.cos(a), 0) > 0.1;
    const besideLetters = [
      ...around,
      ...ringsHere,
      ...(hydrogens > 0 ? [hydrogensLeft ? Math.PI : 0] : []),
      ...(reaction.atoms[atom]!.charge ? [-0.6] : []),
    ];
    return { atom, at, label: { hydrogens, hydrogensLeft }, number: beside(at, besideLetters, 2) };
  });
  const [left, top] = [Math.min(...points.map(({ x }) => x)) - MARGIN, Math.min(...points.map(({ y }) => y)) - MARGIN];
  const [right, bottom] = [Math.max(...points.map(({ x }) => x)) + MARGIN, Math.max(...points.map(({ y }) => y)) + MARGIN];
  return { left, top, width: right - left, height: bottom - top, atoms, bonds };
}

/** A point near `at`, in the direction farthest from the others. */
function beside(at: Point, taken: readonly number[], further = 0): Point {
  const apart = (a: number, b: number) => Math.abs(Math.atan2(Math.sin(a - b), Math.cos(a - b)));
  const directions = Array.from({ length: DIRECTIONS }, (_, i) => -Math.PI / 2 + (2 * Math.PI * i) / DIRECTIONS);
  const room = (direction: number) => Math.min(Math.PI, ...taken.map((t) => apart(direction, t)));
  const best = directions.reduce((a, b) => (room(b) > room(a) + 1e-6 ? b : a));
  return { x: at.x + (NUMBER_AT + further) * Math.cos(best), y: at.y + (NUMBER_AT + further) * Math.sin(best) };
}

function strokesOf(order: Order, from: Point, to: Point, ring: Point | undefined): Stroke[] {
  const length = Math.max(1e-6, distance(from, to));
  const across = { x: ((from.y - to.y) / length) * LINE_GAP, y: ((to.x - from.x) / length) * LINE_GAP };
  const shifted = (by: number, inset = 0, dashed = false): Stroke => {
    const move = ({ x, y }: Point): Point => ({ x: x + by * across.x, y: y + by * across.y });
    return { from: move(lerp(from, to, inset)), to: move(lerp(to, from, inset)), dashed };
  };
  const middle = lerp(from, to, 0.5);
  const inner = ring && (ring.x - middle.x) * across.x + (ring.y - middle.y) * across.y > 0 ? 1 : -1;
  switch (order) {
    case "single":
      return [shifted(0)];
    case "loose":
      return [shifted(0, 0, true)];
    case "double":
      return ring ? [shifted(0), shifted(inner, INSET)] : [shifted(-0.5), shifted(0.5)];
    case "aromatic":
      return [shifted(0), shifted(inner, INSET, true)];
    case "triple":
      return [shifted(-0.8, INSET / 2), shifted(0), shifted(0.8, INSET / 2)];
    case "quadruple":
      return [-1.2, -0.4, 0.4, 1.2].map((by) => shifted(by));
  }
}

/** Half of a bond: how far around an atom a pointer means it. */
export const REACH = BOND * 0.45;
