// Reactions: SMILES read as RDKit reads them, and atom maps as RXNMapper computes them from the same attention.
import { describe, expect, it } from "vitest";
import { changeOf, MAPPING_HEAD, mapAtoms } from "../../demo/reactions/atom-map.ts";
import { hydrogensOf } from "../../demo/reactions/atoms.ts";
import { normalise, parseReaction, SmilesError } from "../../demo/reactions/smiles.ts";
import { readModelGolden } from "../support/conformance.ts";

const { cases } = readModelGolden("rxnmapper-albert");
const NUMBERS: Readonly<Record<string, number>> = { C: 6, N: 7, O: 8, F: 9, Na: 11, S: 16, Cl: 17, K: 19, Br: 35 };
const sorted = (bonds: readonly (readonly [number, number])[]) => bonds.map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`).sort();

describe.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => {
  const reaction = parseReaction(c.reaction);
  const gold = c.atom_map;
  it("is read as RDKit reads it", () => {
    expect(reaction.atoms.map(({ element }) => NUMBERS[element])).toEqual(gold.atomic_number);
    expect(reaction.atoms.map(({ token }) => token)).toEqual(gold.token_index_of_atom);
    expect(sorted(reaction.bonds.map(({ from, to }) => [from, to] as const))).toEqual(sorted(gold.bonds));
    expect(reaction.reactantAtoms).toBe(gold.n_reactant_atoms);
    expect(reaction.tokens).toBe(c.tokens.length - 2);
  });

  it("is mapped as RXNMapper maps it", () => {
    const attention = c.attention_head5_layer10 ?? c.attention_head5![MAPPING_HEAD.layer]!;
    const map = mapAtoms(attention.data, c.tokens.length, reaction);
    expect(map.productToReactant).toEqual(gold.product_to_reactant);
    // The golden attention has six decimals; the product over all atoms adds their errors up.
    expect(Math.abs(map.confidence - gold.confidence)).toBeLessThan(5e-6);
    expect(map.shares.reduce((a, b) => a * b)).toBeCloseTo(map.confidence, 12);
  });
});

describe("mapAtoms", () => {
  it("leaves an atom unmapped where its element is not among the reactants", () => {
    const reaction = parseReaction("CC>>CO");
    const map = mapAtoms(new Float32Array(49).fill(1 / 7), 7, reaction);
    expect(map.productToReactant).toEqual([0, -1]);
    expect(changeOf(reaction, map).numbers).toEqual([1, undefined, 1, undefined]);
  });

  it("names the bonds that are made and broken", () => {
    const c = cases.find(({ name }) => name === "test-valence")!;
    const reaction = parseReaction(c.reaction);
    const { changed } = changeOf(reaction, mapAtoms(c.attention_head5_layer10!.data, c.tokens.length, reaction));
    const named = [...changed].map((i) =>
      [reaction.bonds[i]!.from, reaction.bonds[i]!.to].map((a) => reaction.atoms[a]!.element).join("-"),
    );
    expect(named).toEqual(["Br-C", "O-C"]);
  });
});

describe("SMILES", () => {
  it("reads brackets, charges, rings of two digits, branches and reagents", () => {
    const { atoms, bonds, molecules } = parseReaction("[13CH3][N+](C)(C)C.[OH-]>[Cu+2]>C%12CC%12/C=C\\[C@@H](N)[nH+]");
    expect(atoms[0]).toMatchObject({ element: "C", isotope: 13, hydrogens: 3 });
    expect(atoms.map(({ charge }) => charge)).toEqual([0, 1, 0, 0, 0, -1, 2, 0, 0, 0, 0, 0, 0, 0, 1]);
    expect(molecules.map(({ side, first, end }) => [side, first, end])).toEqual([
      ["reactants", 0, 5],
      ["reactants", 5, 6],
      ["reactants", 6, 7],
      ["product", 7, 15],
    ]);
    expect(bonds.map(({ from, to }) => `${from}-${to}`)).toContain("7-9");
    expect(atoms.at(-1)).toMatchObject({ element: "N", aromatic: true, hydrogens: 1 });
  });

  it("counts hydrogens that go without saying", () => {
    const of = (smiles: string) => {
      const { atoms, bonds } = parseReaction(`${smiles}>>C`);
      const order = { single: 1, double: 2, triple: 3, quadruple: 4, aromatic: 1, loose: 0 };
      return hydrogensOf(
        atoms[0]!,
        bonds.filter(({ from, to }) => from === 0 || to === 0).reduce((n, b) => n + order[b.order], 0),
      );
    };
    expect(
      ["C", "CC", "C=O", "N#C", "O", "OC", "[OH-]", "[O-]C", "n1ccccc1", "[nH]1cccc1", "c1ccccc1", "S(=O)(=O)(C)C", "Cl", "[Mg](C)Br"].map(
        of,
      ),
    ).toEqual([4, 3, 2, 0, 2, 1, 1, 0, 0, 1, 1, 0, 1, 0]);
  });

  it("drops names and moves reagents to the reactants", () => {
    expect(normalise("  CC.O>[Na+].[OH-]>CO  my reaction")).toBe("CC.O.[Na+].[OH-]>>CO");
    expect(normalise("CC>>CO")).toBe("CC>>CO");
  });

  it.each([
    ["", "arrow", ""],
    ["CCO", "arrow", "CCO"],
    ["C>C", "arrow", "C>C"],
    ["C>>C>>C", "arrow", "C>>C>>C"],
    [">>CC", "empty", ">>CC"],
    ["CC>>", "empty", "CC>>"],
    ["CXC>>CC", "character", "X"],
    ["C😀>>CC", "character", "😀"],
    ["C[Xx]>>CC", "atom", "[Xx]"],
    ["C[CH>>CC", "atom", "["],
    ["C1CC>>CC", "ring", "1"],
    ["C11>>CC", "ring", "1"],
    ["C(C>>CC", "parenthesis", "("],
    ["CC)C>>CC", "parenthesis", ")"],
    ["(C)>>CC", "parenthesis", "("],
    ["C==C>>CC", "bond", "=="],
    ["CC=>>CC", "bond", "="],
    ["=CC>>CC", "bond", "="],
    [`${"C".repeat(600)}>>CC`, "long", "603"],
  ])("says what is wrong with %.20s", (text, flaw, at) => {
    const error = (() => {
      try {
        parseReaction(text);
      } catch (thrown) {
        return thrown;
      }
      return undefined;
    })();
    expect(error).toBeInstanceOf(SmilesError);
    expect(error).toMatchObject({ flaw, at });
  });
});
