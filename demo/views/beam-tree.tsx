// Beam search as a tree: a column per step, the beams that went on under each other, the sequences that ended marked. A click on a
// finished sequence shows its own maps.
import { t } from "../i18n/index.ts";
import { type BeamNode, layoutBeams } from "../maps/beam-layout.ts";
import { shown } from "../state/runs.ts";
import { view } from "../state/view.ts";

const STEP = { width: 92, height: 30 };
const BOX = { width: 78, height: 22 };

/** The finished sequences, best first, each with its score. */
export function Sequences() {
  const alternatives = shown.value?.alternatives;
  if (!alternatives) return null;
  return (
    <ol class="sequences" aria-label={t.value.beams.finished}>
      {alternatives.map(({ output, score }, i) => (
        <li key={i}>
          <button type="button" aria-pressed={view.sequence.value === i} onClick={() => (view.sequence.value = i)}>
            <bdi>{output}</bdi> <span>{score?.toFixed(3)}</span>
          </button>
        </li>
      ))}
    </ol>
  );
}

export function BeamTree() {
  const run = shown.value;
  if (!run?.beams || !run.alternatives) return null;
  const words = t.value.beams;
  const { nodes, edges, columns, rows } = layoutBeams(run.beams, view.sequence.value);
  const middle = ({ step, row }: BeamNode) => ({ x: step * STEP.width + BOX.width / 2 + 4, y: row * STEP.height + BOX.height / 2 + 4 });
  return (
    <section class="beams" aria-labelledby="beams-title">
      <h2 id="beams-title">{words.title}</h2>
      <p class="hint">{words.hint}</p>
      <div class="scroll" tabIndex={0}>
        <svg width={columns * STEP.width + 8} height={rows * STEP.height + 8} role="img" aria-label={words.title}>
          {edges.map(({ from, to, chosen }) => {
            const [a, b] = [middle(from), middle(to)];
            return <line key={`${from.id} ${to.id}`} class={chosen ? "chosen" : ""} x1={a.x} y1={a.y} x2={b.x} y2={b.y} />;
          })}
          {nodes.map((node) => {
            const { x, y } = middle(node);
            return (
              <g key={node.id} class={`${node.chosen ? "chosen" : ""} ${node.ended ? "ended" : ""}`}>
                <title>{words.node(node.text, node.score.toFixed(3))}</title>
                <rect x={x - BOX.width / 2} y={y - BOX.height / 2} width={BOX.width} height={BOX.height} rx={5} />
                <text x={x} y={y + 5} text-anchor="middle">
                  {node.text.length > 9 ? `${node.text.slice(0, 8)}…` : node.text}
                </text>
              </g>
            );
          })}
        </svg>
      </div>
    </section>
  );
}
