// Drawings of molecules: every atom and bond has its place, bonds have one length, and labels say what lines do not.
import { describe, expect, it } from "vitest";
import { draw } from "../../demo/reactions/geometry.ts";
import { BOND, layOut } from "../../demo/reactions/layout.ts";
import { parseReaction } from "../../demo/reactions/smiles.ts";
import { reactions } from "../../demo/sessions/reactions.ts";

const drawn = (text: string) => {
  const reaction = parseReaction(text);
  return { reaction, drawings: reaction.molecules.map((molecule) => draw(reaction, molecule, layOut(molecule)!)) };
};

describe("molecules", () => {
  it.each([...reactions.examples, "CC[O-]~[Na+].[H]O[H]>>C[C@@H](N)C(=O)O", "F/C=C/F>>C1CC2CCC1C2"])("draws %s", (text) => {
    const { reaction, drawings } = drawn(text);
    const atoms = drawings.flatMap((d) => d.atoms);
    expect(atoms.map(({ atom }) => atom)).toEqual([...reaction.atoms.keys()]);
    expect(drawings.flatMap((d) => d.bonds.map(({ bond }) => bond)).sort((a, b) => a - b)).toEqual([...reaction.bonds.keys()]);
    for (const { from, to } of reaction.bonds) {
      const [a, b] = [atoms[from]!.at, atoms[to]!.at];
      const length = Math.hypot(a.x - b.x, a.y - b.y);
      expect(length, `${from}-${to}`).toBeGreaterThan(BOND / 2);
      expect(length, `${from}-${to}`).toBeLessThan(2 * BOND);
    }
    for (const { left, top, width, height, atoms: own } of drawings) {
      for (const { at, number } of own) {
        for (const { x, y } of [at, number]) {
          expect(x > left && x < left + width && y > top && y < top + height).toBe(true);
        }
      }
    }
  });

  it("labels what is no plain carbon, with its hydrogens away from the bond", () => {
    const { drawings } = drawn("CO.C#N.[NH4+].c1cc[nH]c1>>C");
    const labels = drawings.map((d) => d.atoms.map(({ label }) => label?.hydrogens));
    expect(labels).toEqual([[undefined, 1], [undefined, 0], [4], [undefined, undefined, undefined, 1, undefined], [4]]);
    const [carbon, oxygen] = drawings[0]!.atoms;
    expect(oxygen!.label!.hydrogensLeft).toBe(carbon!.at.x > oxygen!.at.x);
  });

  it("draws orders as lines", () => {
    const { reaction, drawings } = drawn("CC=O.C#N.c1ccccc1.[Na+]~[Cl-]>>C=C");
    const strokes = drawings
      .flatMap((d) => d.bonds)
      .map(({ bond, strokes: s }) => `${reaction.bonds[bond]!.order} ${s.map(({ dashed }) => (dashed ? "-" : "—")).join("")}`);
    expect([...new Set(strokes)]).toEqual(["single —", "double ——", "triple ———", "aromatic —-", "loose -"]);
  });
});
