// Where the tokens of a beam search stand: a column per step, and in it a row per beam, those that ended below those that run.
import type { BeamToken, BeamTree } from "../sessions/session.ts";

export interface BeamNode {
  readonly id: string;
  readonly step: number;
  readonly row: number;
  readonly text: string;
  readonly score: number;
  readonly ended: boolean;
  /** On the way to the sequence that is seen. */
  readonly chosen: boolean;
}

export interface BeamLayout {
  readonly nodes: readonly BeamNode[];
  readonly edges: readonly { readonly from: BeamNode; readonly to: BeamNode; readonly chosen: boolean }[];
  readonly columns: number;
  readonly rows: number;
}

/** Scores of beams that only fill a step up. */
const IMPOSSIBLE = -1e8;

export function layoutBeams({ steps, sequences }: BeamTree, sequence: number): BeamLayout {
  const path = sequences[sequence] ? pathOf(sequences[sequence]) : [];
  const columns = steps.map(({ running, ended }, step) => {
    const real = running.filter(({ score }) => score > IMPOSSIBLE);
    const tokens = [...real.map((token) => ({ token, ended: false })), ...ended.map((token) => ({ token, ended: true }))];
    return tokens.map(({ token, ended: isEnd }, row) => ({
      token,
      node: {
        id: `${step} ${row}`,
        step,
        row,
        text: token.text,
        score: token.score,
        ended: isEnd,
        chosen: onPath(path, step, isEnd, row, token),
      } satisfies BeamNode,
    }));
  });
  const edges = columns.flatMap((column, step) =>
    step === 0
      ? []
      : column.flatMap(({ token, node }) => {
          const from = columns[step - 1]![token.parent]?.node;
          return from && !from.ended ? [{ from, to: node, chosen: from.chosen && node.chosen }] : [];
        }),
  );
  return {
    nodes: columns.flatMap((column) => column.map(({ node }) => node)),
    edges,
    columns: steps.length,
    rows: Math.max(1, ...columns.map((column) => column.length)),
  };
}

/** For each step of a sequence, the beam that ran there; of its last one, the parent it ended from. */
function pathOf({ length, parents }: BeamTree["sequences"][number]): { readonly beam: number | undefined; readonly parent: number }[] {
  return Array.from({ length }, (_, step) => ({ beam: parents[step + 1], parent: parents[step]! }));
}

function onPath(path: ReturnType<typeof pathOf>, step: number, ended: boolean, row: number, { parent }: BeamToken): boolean {
  const at = path[step];
  if (!at) return false;
  // The last token either ended there, or, where the search was cut off, is the running one of that parent.
  return at.beam === undefined ? at.parent === parent && (ended || step === path.length - 1) : !ended && at.beam === row;
}
