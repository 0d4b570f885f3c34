// Reaction SMILES → atoms and bonds in the order in which they are written, each atom with the model's token it comes from. The
// tokens are RXNMapper's own. Chirality and E/Z are read over: the map needs none of it.
import { type Atom, atomOf } from "./atoms.ts";

export type Order = "single" | "double" | "triple" | "quadruple" | "aromatic" | "loose";

export interface Bond {
  readonly from: number;
  readonly to: number;
  readonly order: Order;
}

/** A connected part between dots. */
export interface Molecule {
  readonly side: "reactants" | "product";
  /** As it is written. */
  readonly smiles: string;
  /** Its first atom, and the one after its last. */
  readonly first: number;
  readonly end: number;
}

export interface Reaction {
  /** What the model reads: reactants and reagents before `>>`. */
  readonly smiles: string;
  readonly atoms: readonly Atom[];
  readonly bonds: readonly Bond[];
  readonly molecules: readonly Molecule[];
  /** Atoms before the arrow; the others are the product's. */
  readonly reactantAtoms: number;
  /** Of the SMILES, without the model's own at both ends. */
  readonly tokens: number;
}

export type Flaw = "character" | "atom" | "bond" | "ring" | "parenthesis" | "arrow" | "empty" | "long";

/** Why a text is no reaction SMILES. */
export class SmilesError extends Error {
  override readonly name = "SmilesError";
  constructor(
    readonly flaw: Flaw,
    /** The piece of the text it is about. */
    readonly at: string,
  ) {
    super(`No reaction SMILES: ${flaw} at "${at}"`);
  }
}

/** The regular expression of RXNMapper's tokenizer, which drops what does not match. */
const TOKEN = /\[[^\]]+]|Br?|Cl?|[NOSPFIbcnosp().=#\-+\\/:~@?*$]|>>?|%[0-9]{2}|[0-9]/y;
/** The model has 512 positions, two of them for its own tokens. */
const MOST_TOKENS = 510;

const ORDERS: Readonly<Record<string, Order>> = {
  "-": "single",
  "/": "single",
  "\\": "single",
  "=": "double",
  "#": "triple",
  $: "quadruple",
  ":": "aromatic",
  // RXNMapper's own sign, for ions that go together.
  "~": "loose",
};

/** As the model was trained to read it: without a name behind it, reagents (`A>B>C`) among the reactants. */
export function normalise(text: string): string {
  const [smiles = ""] = text.trim().split(/\s/);
  const parts = smiles.split(">");
  if (parts.length !== 3) return smiles;
  return `${parts
    .slice(0, 2)
    .filter((part) => part !== "")
    .join(".")}>>${parts[2]}`;
}

function tokenise(smiles: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < smiles.length; at += tokens.at(-1)!.length) {
    TOKEN.lastIndex = at;
    const [token] = TOKEN.exec(smiles) ?? [];
    if (token === undefined)
      throw new SmilesError(smiles[at] === "[" ? "atom" : "character", String.fromCodePoint(smiles.codePointAt(at)!));
    tokens.push(token);
  }
  return tokens;
}

/** @throws SmilesError */
export function parseReaction(text: string): Reaction {
  const smiles = normalise(text);
  const tokens = tokenise(smiles);
  if (tokens.length > MOST_TOKENS) throw new SmilesError("long", String(tokens.length));
  if (tokens.filter((token) => token.startsWith(">")).join(" ") !== ">>") throw new SmilesError("arrow", smiles);
  const builder = new Builder();
  tokens.forEach((token, i) => builder.add(token, i + 1));
  builder.endMolecule();
  const { atoms, bonds, molecules } = builder;
  const product = molecules.find(({ side }) => side === "product");
  if (!product || product === molecules[0]) throw new SmilesError("empty", smiles);
  return { smiles, atoms, bonds, molecules, reactantAtoms: product.first, tokens: tokens.length };
}

/** Reads one token after the other (OpenSMILES). */
class Builder {
  readonly atoms: Atom[] = [];
  readonly bonds: Bond[] = [];
  readonly molecules: Molecule[] = [];
  private side: Molecule["side"] = "reactants";
  private first = 0;
  private smiles = "";
  /** The atom that the next one is bonded to. */
  private last: number | undefined;
  private sign: string | undefined;
  private readonly branches: number[] = [];
  private readonly rings = new Map<string, { atom: number; sign: string | undefined }>();

  add(token: string, index: number): void {
    if (token === ".") return this.endMolecule();
    if (token === ">>") {
      this.endMolecule();
      this.side = "product";
      return;
    }
    this.smiles += token;
    const atom = atomOf(token, index);
    if (atom) this.addAtom(atom);
    else if (token === "(") this.branches.push(this.need(token));
    else if (token === ")") this.endBranch(token);
    else if (ORDERS[token]) this.addSign(token);
    else if (/^%?\d+$/.test(token)) this.ring(token.replace(/^%0?/, ""));
    else throw new SmilesError(token.startsWith("[") ? "atom" : "character", token);
  }

  endMolecule(): void {
    if (this.branches.length > 0) throw new SmilesError("parenthesis", "(");
    if (this.sign !== undefined) throw new SmilesError("bond", this.sign);
    const [open] = this.rings.keys();
    if (open !== undefined) throw new SmilesError("ring", open);
    const { side, smiles, first } = this;
    if (this.atoms.length > first) this.molecules.push({ side, smiles, first, end: this.atoms.length });
    this.first = this.atoms.length;
    this.smiles = "";
    this.last = undefined;
  }

  private addAtom(atom: Atom): void {
    const index = this.atoms.push(atom) - 1;
    if (this.last !== undefined) this.bond(this.last, index, this.sign);
    this.last = index;
    this.sign = undefined;
  }

  private addSign(sign: string): void {
    this.need(sign);
    if (this.sign !== undefined) throw new SmilesError("bond", this.sign + sign);
    this.sign = sign;
  }

  private endBranch(token: string): void {
    if (this.sign !== undefined) throw new SmilesError("bond", this.sign + token);
    if (this.branches.length === 0) throw new SmilesError("parenthesis", token);
    this.last = this.branches.pop();
  }

  private ring(number: string): void {
    const atom = this.need(number);
    const open = this.rings.get(number);
    if (!open) this.rings.set(number, { atom, sign: this.sign });
    else {
      if (open.atom === atom) throw new SmilesError("ring", number);
      this.rings.delete(number);
      this.bond(open.atom, atom, this.sign ?? open.sign);
    }
    this.sign = undefined;
  }

  private bond(from: number, to: number, sign: string | undefined): void {
    const aromatic = this.atoms[from]!.aromatic && this.atoms[to]!.aromatic;
    this.bonds.push({ from, to, order: sign === undefined ? (aromatic ? "aromatic" : "single") : ORDERS[sign]! });
  }

  /** The atom that a sign follows. */
  private need(sign: string): number {
    if (this.last === undefined) throw new SmilesError(sign === "(" ? "parenthesis" : "bond", sign);
    return this.last;
  }
}

/** Atoms bonded to each atom. */
export function neighboursOf({ atoms, bonds }: Pick<Reaction, "atoms" | "bonds">): number[][] {
  const neighbours: number[][] = atoms.map(() => []);
  for (const { from, to } of bonds) {
    neighbours[from]!.push(to);
    neighbours[to]!.push(from);
  }
  return neighbours;
}
