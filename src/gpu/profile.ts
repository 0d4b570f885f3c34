// What a profile says: the GPU time of every dispatch beside what its plan says it costs, summed by kernel or by module.

/** One dispatch that ran. */
export interface DispatchTime {
  /** What it was part of: "encode", "prefill", "step", or the name of a graph of your own. */
  readonly run: string;
  /** Kernel and variant. */
  readonly kernel: string;
  /** Module path. */
  readonly path: string;
  /** GPU time in microseconds. */
  readonly micros: number;
  /** Read and written, and floating-point operations, by the plan. */
  readonly bytes: number;
  readonly flops: number;
}

/** Dispatches summed. */
export interface ProfileRow {
  readonly name: string;
  readonly dispatches: number;
  readonly micros: number;
  /** Of the whole profile's time, 0 … 1. */
  readonly share: number;
  /** Billions of floating-point operations, and of bytes, a second. */
  readonly gflops: number;
  readonly gbps: number;
}

const NAMES: Readonly<Record<"run" | "kernel" | "module", (dispatch: DispatchTime) => string>> = {
  run: ({ run }) => run,
  kernel: ({ kernel }) => kernel,
  module: ({ path }) => moduleName(path),
};

export class Profile {
  /** In the order they ran. */
  readonly dispatches: readonly DispatchTime[];
  /** Microseconds in whose multiples the times come: browsers make timestamps coarse. */
  readonly resolution: number;

  constructor(dispatches: readonly DispatchTime[], resolution: number) {
    this.dispatches = dispatches;
    this.resolution = resolution;
  }

  /** GPU time of all dispatches in microseconds. */
  get micros(): number {
    return this.dispatches.reduce((n, { micros }) => n + micros, 0);
  }

  /** Sums, the longest first. By module, layers of one stack are one: `model.layers.*.mlp.down_proj`. */
  by(what: "run" | "kernel" | "module"): ProfileRow[] {
    const groups = new Map<string, DispatchTime[]>();
    for (const dispatch of this.dispatches) {
      const name = NAMES[what](dispatch);
      const group = groups.get(name);
      if (group) group.push(dispatch);
      else groups.set(name, [dispatch]);
    }
    const total = this.micros;
    const rows = [...groups].map(([name, own]): ProfileRow => {
      const sum = (field: "micros" | "bytes" | "flops") => own.reduce((n, dispatch) => n + dispatch[field], 0);
      const micros = sum("micros");
      const rate = (amount: number) => (micros > 0 ? amount / micros / 1000 : 0);
      return {
        name,
        dispatches: own.length,
        micros,
        share: total > 0 ? micros / total : 0,
        gflops: rate(sum("flops")),
        gbps: rate(sum("bytes")),
      };
    });
    return rows.sort((a, b) => b.micros - a.micros);
  }

  /** What has to be known of the times, in sentences. */
  get caveats(): string {
    const apart =
      "Each dispatch ran in a compute pass of its own, which takes longer and lets none overlap: shares say where time goes, the sum is not a run's time.";
    if (this.resolution < 1) return apart;
    return `${apart} Times come in steps of ${this.resolution.toFixed(1)} µs, so that short dispatches count as none or as one step. Chrome gives exact ones with chrome://flags/#enable-webgpu-developer-features, Dawn without its toggle timestamp_quantization.`;
  }

  /** Tables by kernel and by module. */
  toString(): string {
    const head = `profile: ${this.dispatches.length} dispatches, ${micros(this.micros)} µs on the GPU`;
    return [head, this.caveats, table("kernel", this.by("kernel")), table("module", this.by("module"))].join("\n\n");
  }
}

/** "a.0.q|a.0.k" → "a.*.q|k" */
function moduleName(path: string): string {
  const [first = "", ...others] = path.replaceAll(/(?<=^|\.)\d+(?=\.|$)/g, "*").split("|");
  const parent = first.slice(0, first.lastIndexOf(".") + 1);
  return [first, ...others.map((other) => (other.startsWith(parent) ? other.slice(parent.length) : other))].join("|");
}

const micros = (value: number): string => value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });

function table(title: string, rows: readonly ProfileRow[]): string {
  const cells = [
    [title, "dispatches", "µs", "share", "GFLOP/s", "GB/s"],
    ...rows.map((r) => [
      r.name,
      String(r.dispatches),
      micros(r.micros),
      `${(100 * r.share).toFixed(1)} %`,
      r.gflops.toFixed(1),
      r.gbps.toFixed(1),
    ]),
  ];
  const widths = cells[0]!.map((_, c) => Math.max(...cells.map((row) => row[c]!.length)));
  return cells.map((row) => row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join("  ")).join("\n");
}
