// Attention → atom map: which atom of the reactants each atom of the product is. Schwaller, Hoover, Reymond, Strobelt and Laino,
// "Extraction of organic chemistry grammar from unsupervised learning of chemical reactions", Science Advances 7 (2021) eabe4166:
// a head of ALBERT, trained only to fill in masked tokens, looks from each atom to the same atom beyond the arrow.
import type { Head } from "../maps/data.ts";
import type { Atom } from "./atoms.ts";
import { neighboursOf, type Reaction } from "./smiles.ts";

/** The head that the authors read maps from. */
export const MAPPING_HEAD: Head = { layer: 10, head: 5 };
/** How much more likely a pair becomes when neighbours of both are mapped onto each other. */
const NEIGHBOUR_GAIN = 90;

export interface AtomMap {
  /** Atom of the reactants for each atom of the product, in its order; -1 where no atom of that element is left. */
  readonly productToReactant: readonly number[];
  /** Share that each pair had among all that its product atom could still be. */
  readonly shares: readonly number[];
  /** Product of the shares: 1 where no atom had a choice. */
  readonly confidence: number;
}

type Mapped = { readonly atoms: readonly Pick<Atom, "element" | "token">[] } & Pick<Reaction, "bonds" | "reactantAtoms">;

/**
 * Greedy: the surest pair first, and its neighbours are favoured from then on.
 * @param attention one head's map, [token, token] row-major
 */
export function mapAtoms(attention: ArrayLike<number>, tokens: number, reaction: Mapped): AtomMap {
  const { atoms, reactantAtoms: reactants } = reaction;
  const products = atoms.length - reactants;
  const neighbours = neighboursOf(reaction as Reaction);
  const weights = new Float64Array(products * reactants);
  for (let p = 0; p < products; p++) {
    for (let r = 0; r < reactants; r++) {
      const [product, reactant] = [atoms[reactants + p]!, atoms[r]!];
      if (product.element !== reactant.element) continue;
      weights[p * reactants + r] =
        attention[product.token * tokens + reactant.token]! + attention[reactant.token * tokens + product.token]!;
    }
  }
  const gains = new Float64Array(weights.length).fill(1);
  const productToReactant = Array.from<number>({ length: products }).fill(-1);
  const shares = Array.from<number>({ length: products }).fill(0);
  let confidence = 1;
  for (let step = 0; step < products; step++) {
    const { product, reactant, share } = surest(weights, gains, reactants);
    if (share === 0) break;
    productToReactant[product] = reactant;
    shares[product] = share;
    confidence *= share;
    for (const p of neighbours[reactants + product]!)
      for (const r of neighbours[reactant]!) gains[(p - reactants) * reactants + r]! *= NEIGHBOUR_GAIN;
    gains.fill(0, product * reactants, (product + 1) * reactants);
    for (let p = 0; p < products; p++) gains[p * reactants + reactant] = 0;
  }
  return { productToReactant, shares, confidence };
}

/** The largest of weights × gains, each row divided by its sum. */
function surest(weights: Float64Array, gains: Float64Array, columns: number): { product: number; reactant: number; share: number } {
  let best = { product: 0, reactant: 0, share: 0 };
  for (let start = 0; start < weights.length; start += columns) {
    let sum = 0;
    for (let i = start; i < start + columns; i++) sum += weights[i]! * gains[i]!;
    if (sum === 0) continue;
    for (let i = start; i < start + columns; i++) {
      const share = (weights[i]! * gains[i]!) / sum;
      if (share > best.share) best = { product: start / columns, reactant: i - start, share };
    }
  }
  return best;
}

/** What a map says of a reaction: numbers for the pairs, and the bonds that are only on one side. */
export interface Change {
  /** The same number on both sides, counted along the product; undefined for atoms that leave or come from nowhere. */
  readonly numbers: readonly (number | undefined)[];
  /** The atom on the other side. */
  readonly partners: readonly (number | undefined)[];
  /** Bonds of atoms that stay, which are only on one side: broken before the arrow, made behind it. */
  readonly changed: ReadonlySet<number>;
}

export function changeOf({ atoms, bonds, reactantAtoms }: Mapped, { productToReactant }: AtomMap): Change {
  const numbers = Array.from<number | undefined>({ length: atoms.length });
  const partners = Array.from<number | undefined>({ length: atoms.length });
  productToReactant.forEach((reactant, p) => {
    if (reactant < 0) return;
    const product = reactantAtoms + p;
    numbers[product] = numbers[reactant] = p + 1;
    partners[product] = reactant;
    partners[reactant] = product;
  });
  const key = (a: number, b: number) => `${Math.min(a, b)} ${Math.max(a, b)}`;
  const bonded = new Set(bonds.map(({ from, to }) => key(from, to)));
  const changed = new Set<number>();
  bonds.forEach(({ from, to }, i) => {
    const [a, b] = [partners[from], partners[to]];
    if (a === undefined && b === undefined) return;
    if (a === undefined || b === undefined || !bonded.has(key(a, b))) changed.add(i);
  });
  return { numbers, partners, changed };
}
