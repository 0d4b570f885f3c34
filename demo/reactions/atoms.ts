// One SMILES atom: what is written in and out of brackets, and how many hydrogens go without saying.

export interface Atom {
  /** Its symbol, `Cl`; `*` for any. */
  readonly element: string;
  readonly aromatic: boolean;
  readonly charge: number;
  readonly isotope: number | undefined;
  /** Hydrogens as a bracket counts them; undefined outside of brackets, where the valence does. */
  readonly hydrogens: number | undefined;
  /** Index among the model's tokens, `[CLS]` being 0. */
  readonly token: number;
}

const SYMBOLS = new Set(
  (
    "* H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In " +
    "Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm"
  ).split(" "),
);

/** Isotope, symbol, chirality, hydrogens, charge, map number. */
const BRACKET = /^\[(\d+)?([A-Z][a-z]?|se|as|te|[bcnops]|\*)(?:@@?(?:[A-Z]{2}\d+)?)?(H\d*)?(\++|-+|[+-]\d+)?(?::\d+)?\]$/;
const BARE = /^(?:Br|Cl|[BCNOPSFI*bcnops])$/;

/** The atom that a token stands for; undefined where it stands for none. */
export function atomOf(text: string, token: number): Atom | undefined {
  const bracket = BRACKET.exec(text);
  if (!bracket && !BARE.test(text)) return undefined;
  const [, isotope, written = text, , charge = ""] = bracket ?? [];
  const hydrogens = bracket?.[3];
  const element = written[0]!.toUpperCase() + written.slice(1);
  if (!SYMBOLS.has(element)) return undefined;
  return {
    element,
    aromatic: written !== element,
    charge: chargeOf(charge),
    isotope: isotope === undefined ? undefined : Number(isotope),
    hydrogens: bracket ? (hydrogens === undefined ? 0 : Number(hydrogens.slice(1) || 1)) : undefined,
    token,
  };
}

/** `+2` and `++` alike. */
function chargeOf(text: string): number {
  if (text === "") return 0;
  const sign = text[0] === "+" ? 1 : -1;
  return sign * (/\d/.test(text) ? Number(text.slice(1)) : text.length);
}

/** Normal valences of the atoms that need no brackets (OpenSMILES 3.1.5). */
const VALENCES: Readonly<Record<string, readonly number[]>> = {
  B: [3],
  C: [4],
  N: [3, 5],
  O: [2],
  P: [3, 5],
  S: [2, 4, 6],
  F: [1],
  Cl: [1],
  Br: [1],
  I: [1],
};

/** Hydrogens on an atom whose written bonds add up to `bonds`, an aromatic bond counting 1. */
export function hydrogensOf({ element, aromatic, hydrogens }: Atom, bonds: number): number {
  if (hydrogens !== undefined) return hydrogens;
  const valences = VALENCES[element] ?? [];
  // An aromatic atom gives one electron to the ring; those that give two have no hydrogens to spare.
  const valence = aromatic ? valences[0]! - 1 : (valences.find((v) => v >= bonds) ?? 0);
  return Math.max(0, valence - bonds);
}
