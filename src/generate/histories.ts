// Where every row of a session has got to, followed on the host by what its steps leave, as `advance`, `beam-select` and `beam-move` do on
// the GPU: a processor in JavaScript is told its row without reading it back.
import { recordSize } from "./candidates.ts";
import { recorded, type Settings } from "./options.ts";

export class Histories {
  readonly #settings: Settings;
  /** Decoder rows of each item. */
  readonly #group: number;
  readonly #finished: boolean[];
  #rows: readonly (readonly number[])[];

  /** @param prompts of each item, tokens that an earlier session emitted included */
  constructor(settings: Settings, { prompts, group }: { prompts: readonly (readonly number[])[]; group: number }) {
    this.#settings = settings;
    this.#group = group;
    this.#rows = prompts.flatMap((prompt) => Array.from({ length: group }, () => prompt));
    this.#finished = this.#rows.map(() => false);
  }

  get rows(): readonly (readonly number[])[] {
    return this.#rows;
  }

  /** Takes in what a step left: tokens, or the candidates of beams. */
  step(record: Int32Array): void {
    this.#rows = this.#settings.numBeams > 1 ? this.#beams(record) : this.#tokens(record);
  }

  #tokens(record: Int32Array): number[][] {
    const { eos, pad } = this.#settings;
    const size = recordSize(recorded(this.#settings));
    return this.#rows.map((ids, row) => {
      const id = this.#finished[row] ? pad : record[row * size]!;
      this.#finished[row] ||= eos.includes(id);
      return [...ids, id];
    });
  }

  /** Of each item's candidates, best first, those that do not end go on. */
  #beams(record: Int32Array): number[][] {
    const each = record.length / (this.#rows.length / this.#group);
    return this.#rows.map((_, row) => {
      const first = row - (row % this.#group);
      const item = record.subarray((first / this.#group) * each, (first / this.#group + 1) * each);
      const running = Array.from({ length: each / 3 }, (__, rank) => 3 * rank).filter((at) => !this.#settings.eos.includes(item[at + 1]!));
      const at = running[row - first]!;
      return [...this.#rows[first + item[at]!]!, item[at + 1]!];
    });
  }
}
