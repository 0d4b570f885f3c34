// One molecule, drawn: bonds as lines, atoms as buttons with the number of their pair.
import { REACH, type Drawing, type DrawnAtom } from "../reactions/geometry.ts";
import type { Change } from "../reactions/atom-map.ts";
import type { Reaction } from "../reactions/smiles.ts";

/** Halos of weights below this are not drawn. */
const FAINT = 0.02;
const HALO = { least: 5, most: 19 };
const RING = 10;
const LETTER = { half: 5.8, charge: 6.5 };

export interface MoleculeProps {
  readonly name: string;
  readonly reaction: Reaction;
  readonly drawing: Drawing;
  readonly change: Change | undefined;
  /** Atoms in focus or pinned, and their partners. */
  readonly active: ReadonlySet<number>;
  readonly pinned: ReadonlySet<number>;
  /** The one atom that Tab comes to. */
  readonly tabStop: number;
  /** What the atom in focus looks at, by atom; undefined with none in focus. */
  readonly looks: ((atom: number) => number) | undefined;
  readonly labelOf: (atom: number) => string;
  readonly onFocus: (atom: number | undefined) => void;
  readonly onPin: (atom: number) => void;
}

export function MoleculeDrawing(props: MoleculeProps) {
  const { name, drawing, change, looks } = props;
  const { left, top, width, height } = drawing;
  return (
    <svg class="molecule" role="group" aria-label={name} width={width} height={height} viewBox={`${left} ${top} ${width} ${height}`}>
      {looks &&
        drawing.atoms
          .filter(({ atom }) => looks(atom) >= FAINT)
          .map(({ atom, at }) => (
            <circle
              key={`halo ${atom}`}
              class="halo"
              cx={at.x}
              cy={at.y}
              r={HALO.least + (HALO.most - HALO.least) * Math.sqrt(Math.min(1, looks(atom)))}
            />
          ))}
      {drawing.bonds.map(({ bond, strokes }) => (
        <g key={`bond ${bond}`} class={change?.changed.has(bond) ? "bond changed" : `bond${leaves(props, bond) ? " leaving" : ""}`}>
          {strokes.map(({ from, to, dashed }, i) => (
            <line key={i} class={dashed ? "dashed" : ""} x1={from.x} y1={from.y} x2={to.x} y2={to.y} />
          ))}
        </g>
      ))}
      {drawing.atoms.map((drawn) => (
        <AtomLabel key={drawn.atom} drawn={drawn} {...props} />
      ))}
      {drawing.atoms.map((drawn) => (
        <AtomButton key={drawn.atom} drawn={drawn} {...props} />
      ))}
    </svg>
  );
}

/** Whether none of a bond's atoms is on the other side. */
function leaves({ reaction, change }: MoleculeProps, bond: number): boolean {
  const { from, to } = reaction.bonds[bond]!;
  return change !== undefined && change.partners[from] === undefined && change.partners[to] === undefined;
}

/** Letters and number; the button's name says them. */
function AtomLabel({ drawn, reaction, change }: MoleculeProps & { drawn: DrawnAtom }) {
  const { atom, at, label, number } = drawn;
  const { element, charge, isotope } = reaction.atoms[atom]!;
  const side = label?.hydrogensLeft ? -1 : 1;
  return (
    <g class={change && change.partners[atom] === undefined ? "leaving" : ""} data-label={atom} aria-hidden="true">
      {label && (
        <text class="element" x={at.x} y={at.y} dy="0.35em" text-anchor="middle">
          {element}
        </text>
      )}
      {label && label.hydrogens > 0 && (
        <text class="element" x={at.x + side * LETTER.half * element.length} y={at.y} dy="0.35em" text-anchor={side < 0 ? "end" : "start"}>
          H
          {label.hydrogens > 1 && (
            <tspan class="small" dy="3">
              {label.hydrogens}
            </tspan>
          )}
        </text>
      )}
      {charge !== 0 && (
        <text class="small" x={at.x + LETTER.charge * element.length} y={at.y - 6}>
          {chargeText(charge)}
        </text>
      )}
      {isotope !== undefined && (
        <text class="small" x={at.x - LETTER.half} y={at.y - 6} text-anchor="end">
          {isotope}
        </text>
      )}
      {change?.numbers[atom] !== undefined && (
        <text class="number" x={number.x} y={number.y} dy="0.35em" text-anchor="middle">
          {change.numbers[atom]}
        </text>
      )}
    </g>
  );
}

function AtomButton({ drawn, active, pinned, tabStop, labelOf, onFocus, onPin }: MoleculeProps & { drawn: DrawnAtom }) {
  const { atom, at } = drawn;
  return (
    <g
      class={`atom${active.has(atom) ? " active" : ""}${pinned.has(atom) ? " pinned" : ""}`}
      data-atom={atom}
      role="button"
      tabIndex={tabStop === atom ? 0 : -1}
      aria-label={labelOf(atom)}
      aria-pressed={pinned.has(atom)}
      onPointerEnter={() => onFocus(atom)}
      onPointerLeave={() => onFocus(undefined)}
      onFocus={() => onFocus(atom)}
      onBlur={() => onFocus(undefined)}
      onClick={() => onPin(atom)}
    >
      <circle class="reach" cx={at.x} cy={at.y} r={REACH} />
      <circle class="ring" cx={at.x} cy={at.y} r={RING} />
    </g>
  );
}

const chargeText = (charge: number): string => `${Math.abs(charge) > 1 ? Math.abs(charge) : ""}${charge > 0 ? "+" : "−"}`;
