// The reaction, drawn: reactants → product, with the atoms that one head's attention maps onto each other numbered alike. Linked
// with the map: an atom is a row of it, its partner a column.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { type Head, sameHead } from "../maps/data.ts";
import { type AtomMap, type Change, changeOf, MAPPING_HEAD, mapAtoms } from "../reactions/atom-map.ts";
import { draw, type Drawing } from "../reactions/geometry.ts";
import { layOut } from "../reactions/layout.ts";
import { type Molecule, parseReaction, type Reaction, SmilesError } from "../reactions/smiles.ts";
import type { Shown } from "../sessions/session.ts";
import { head } from "../state/displayed.ts";
import { isLoss, shown } from "../state/runs.ts";
import { focus, view } from "../state/view.ts";
import { MoleculeDrawing } from "./molecule.tsx";

export default function Molecules() {
  const run = shown.value;
  const input = run?.input ?? "";
  const parsed = useMemo(() => read(input), [input]);
  if (!run || input.trim() === "") return null;
  return (
    <section id="molecules" aria-labelledby="molecules-title">
      <h2 id="molecules-title">{t.value.reactions.title}</h2>
      {parsed instanceof SmilesError ? (
        <p id="smiles-error" role="status">
          {t.value.reactions.flaws[parsed.flaw](parsed.at)}
        </p>
      ) : (
        <MappedReaction run={run} reaction={parsed.reaction} drawings={parsed.drawings} />
      )}
    </section>
  );
}

interface Read {
  readonly reaction: Reaction;
  readonly drawings: ReadonlyMap<Molecule, Drawing>;
}

function read(text: string): Read | SmilesError {
  try {
    const reaction = parseReaction(text);
    const drawings = new Map<Molecule, Drawing>();
    for (const molecule of reaction.molecules) {
      const layout = layOut(molecule);
      if (layout) drawings.set(molecule, draw(reaction, molecule, layout));
    }
    return { reaction, drawings };
  } catch (error) {
    if (error instanceof SmilesError) return error;
    throw error;
  }
}

/** One head's attention; of the head before until the next is read, undefined until the first is. */
function useAttention(run: Shown, { layer, head: number }: Head): { readonly weights: Float32Array; readonly by: Head } | undefined {
  const [last, setLast] = useState<{ run: Shown; weights: Float32Array; by: Head }>();
  useEffect(() => {
    let stale = false;
    const by = { layer, head: number };
    run.read("encoder", by).then(
      (weights) => {
        if (!stale) setLast({ run, weights, by });
      },
      (error: unknown) => {
        if (!isLoss(error, run)) throw error;
      },
    );
    return () => {
      stale = true;
    };
  }, [run, layer, number]);
  return last?.run === run ? last : undefined;
}

function MappedReaction({ run, reaction, drawings }: Read & { run: Shown }) {
  const words = t.value.reactions;
  const attention = useAttention(run, head.value);
  const tokens = run.axes("encoder").keys.length;
  const mapped = useMemo((): { map: AtomMap; change: Change } | undefined => {
    if (!attention || tokens !== reaction.tokens + 2) return undefined;
    const map = mapAtoms(attention.weights, tokens, reaction);
    return { map, change: changeOf(reaction, map) };
  }, [attention, tokens, reaction]);
  const change = mapped?.change;

  const element = useRef<HTMLDivElement>(null);
  const [tabStop, setTabStop] = useState(reaction.reactantAtoms);
  useEffect(() => setTabStop(reaction.reactantAtoms), [reaction]);

  const { atoms } = reaction;
  const atomAt = (token: number | undefined): number => atoms.findIndex((atom) => atom.token === token);
  const tokenOf = (atom: number): number => atoms[atom]!.token;
  const pinned = new Set(view.pins.value.map(atomAt).filter((atom) => atom >= 0));
  const current = atomAt(focus.value?.row);
  const active = new Set([...pinned, current, atomAt(focus.value?.column)].filter((atom) => atom >= 0));
  for (const atom of [...pinned, current]) {
    const partner = change?.partners[atom];
    if (partner !== undefined) active.add(partner);
  }
  const looks = current >= 0 && attention ? (atom: number) => attention.weights[tokenOf(current) * tokens + tokenOf(atom)]! : undefined;

  const labelOf = (atom: number): string => {
    const side = atom < reaction.reactantAtoms ? "reactants" : "product";
    return words.atom[side](atoms[atom]!.element, change?.numbers[atom]);
  };
  const onFocus = (atom: number | undefined) => {
    if (atom !== undefined) setTabStop(atom);
    const partner = atom === undefined ? undefined : change?.partners[atom];
    focus.value = atom === undefined ? undefined : { row: tokenOf(atom), column: partner === undefined ? undefined : tokenOf(partner) };
  };
  const onPin = (atom: number) => {
    const row = tokenOf(atom);
    const { value } = view.pins;
    view.pins.value = value.includes(row) ? value.filter((r) => r !== row) : [...value, row];
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as Element;
    const at = Number(target.getAttribute("data-atom") ?? Number.NaN);
    if (Number.isNaN(at)) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      return onPin(at);
    }
    const to: Readonly<Record<string, number | undefined>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: change?.partners[at],
      ArrowDown: change?.partners[at],
      Home: 0,
      End: atoms.length - 1,
    };
    if (!(event.key in to)) return;
    event.preventDefault();
    element.current!.querySelector<SVGGElement>(`[data-atom="${to[event.key]}"]`)?.focus();
  };

  const product = reaction.molecules.findIndex(({ side }) => side === "product");
  return (
    <>
      <p class="hint">{words.about}</p>
      <div id="reaction" ref={element} role="group" aria-label={words.drawing} onKeyDown={onKeyDown}>
        {reaction.molecules.map((molecule, i) => (
          <div class="term" key={i}>
            {i > 0 && (
              <span class="sign" aria-hidden="true">
                {i === product ? "→" : "+"}
              </span>
            )}
            {drawings.has(molecule) ? (
              <MoleculeDrawing
                name={molecule.smiles}
                {...{ reaction, change, active, pinned, tabStop, looks, labelOf, onFocus, onPin }}
                drawing={drawings.get(molecule)!}
              />
            ) : (
              <code>{molecule.smiles}</code>
            )}
          </div>
        ))}
      </div>
      <p id="atom-readout" role="status">
        {current < 0 ? words.point : sentence(reaction, mapped, current)}
      </p>
      <Confidence map={mapped?.map} by={attention?.by ?? head.value} />
    </>
  );
}

/** What the map says of one atom. */
function sentence({ atoms, reactantAtoms }: Reaction, mapped: { map: AtomMap; change: Change } | undefined, atom: number): string {
  const words = t.value.reactions;
  const side = atom < reactantAtoms ? "reactants" : "product";
  const partner = mapped?.change.partners[atom];
  if (!mapped || partner === undefined) return words.alone[side](atoms[atom]!.element);
  const share = mapped.map.shares[Math.max(atom, partner) - reactantAtoms]!;
  return words.pair(atoms[atom]!.element, mapped.change.numbers[atom]!, percent(share));
}

function Confidence({ map, by }: { map: AtomMap | undefined; by: Head }) {
  const words = t.value.reactions;
  const name = t.value.headName(by.layer, by.head);
  const own = sameHead(by, MAPPING_HEAD);
  return (
    <>
      <p id="confidence">
        <strong data-confidence={map?.confidence}>{words.confidence(map ? percent(map.confidence) : "…")}</strong>{" "}
        <span class={own ? "" : "other-head"}>{own ? words.mappedBy(name) : words.mappedByOther(name)}</span>{" "}
        {!own && (
          <button type="button" id="mapping-head" onClick={() => (view.head.value = MAPPING_HEAD)}>
            {words.back(t.value.headName(MAPPING_HEAD.layer, MAPPING_HEAD.head))}
          </button>
        )}
      </p>
      <details class="how hint">
        <summary>{words.how}</summary>
        <p>
          {words.learnt} {words.confidenceMeans}
        </p>
      </details>
    </>
  );
}

const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
