// Where the atoms of a molecule lie on the plane. smiles-drawer lays them out; nothing of its drawing is used, which would set
// styles of its own.
import SmilesDrawer from "smiles-drawer";
import type { Molecule } from "./smiles.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  /** One per atom of the molecule. */
  readonly points: readonly Point[];
  /** Atoms of each ring, counted from the molecule's first. */
  readonly rings: readonly (readonly number[])[];
}

/** Of a bond, in pixels. */
export const BOND = 36;

/** What smiles-drawer's own types leave out. */
interface Preprocessor {
  readonly graph: { readonly vertices: readonly { readonly position: Point }[] };
  readonly rings: readonly { readonly members: readonly number[] }[];
  initDraw(tree: unknown, theme: string, infoOnly: boolean, highlights: readonly never[]): void;
  processGraph(): void;
}

/** Undefined where the molecule cannot be laid out. */
export function layOut({ smiles, first, end }: Molecule): Layout | undefined {
  const { preprocessor } = new SmilesDrawer.SvgDrawer({ bondLength: BOND, compactDrawing: false }) as unknown as {
    preprocessor: Preprocessor;
  };
  try {
    // It knows no loose bonds, and adds hydrogens to chiral atoms.
    const plain = smiles.replaceAll("~", "-").replace(/\[[^\]]*]/g, (atom) => atom.replace(/@+(?:[A-Z]{2}\d+)?/, ""));
    preprocessor.initDraw(SmilesDrawer.Parser.parse(plain), "light", true, []);
    preprocessor.processGraph();
  } catch {
    return undefined;
  }
  const points = preprocessor.graph.vertices.map(({ position: { x, y } }): Point => ({ x, y }));
  const sound = points.length === end - first && points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
  return sound ? { points, rings: preprocessor.rings.map(({ members }) => members) } : undefined;
}
