// Times the candidates of a site on the device, in scratch buffers of the sizes expected, with the model's own weights.
import type { Engine } from "../engine/engine.ts";
import type { Workspace } from "../engine/workspace.ts";
import { withinMemory } from "../gpu/buffers.ts";
import { ELEMENT_BYTES } from "../gpu/dispatch.ts";
import type { Dims } from "../gpu/expr.ts";
import { floatToHalf } from "../gpu/halves.ts";
import { type BoundProgram, encodePass, Program } from "../gpu/program.ts";
import type { Choices } from "../schedule/candidates.ts";
import { allLowerings } from "../schedule/lower/all.ts";
import { compile } from "../schedule/compile.ts";
import { Graph, makeValue, type Node, root, type Value } from "../schedule/graph.ts";
import type { Plan } from "../schedule/plan.ts";
import { race, type Runner } from "./race.ts";
import type { PlannedSite } from "./sites.ts";

/** Layers that take part: their weights come from memory in turn, as in a step. */
const LAYERS = 4;

/** A candidate on the buffers it is timed in. */
interface Entrant {
  readonly name: string;
  readonly plan: Plan;
  readonly bound: BoundProgram;
}

/**
 * The name of the fastest candidate, or of the first. Those that do not compile, find no memory or are refused take no part.
 * @returns undefined where none is left
 */
export async function fastest(engine: Engine, site: PlannedSite, expect: Dims, choices: Choices): Promise<string | undefined> {
  const graph = alone(site.nodes.slice(0, LAYERS));
  const workspace = engine.workspace("tuning");
  const entrants: Entrant[] = [];
  try {
    const programs = await Promise.allSettled(
      site.candidates.map(async ({ name }) => {
        const options = {
          traits: engine.traits,
          stored: engine.stored,
          expect,
          tuning: { ...choices, [site.key]: name },
          rules: [],
          known: allLowerings,
        };
        return Program.create(engine.device, compile(graph, { name: `tuning ${name}`, ...options }));
      }),
    );
    for (const [i, made] of programs.entries()) {
      if (made.status === "rejected") continue;
      const bound = await engine.bind(made.value, workspace, expect).catch(() => undefined);
      if (bound) entrants.push({ name: site.candidates[i]!.name, plan: made.value.plan, bound });
    }
    return await engine.exclusive(async () => {
      try {
        const plans = entrants.map(({ plan }) => plan);
        engine.assertUsable();
        fill(workspace, plans, site.integers);
        const runners: Runner[] = [];
        for (const { name, bound } of entrants) if (await runs(engine, bound)) runners.push({ name, time: timer(engine, bound) });
        return runners.length > 0 ? (await race(runners)).name : undefined;
      } finally {
        // They may have grown for values that are no slots in any plan.
        engine.slots.dispose();
      }
    });
  } finally {
    for (const { bound } of entrants) bound.dispose();
    workspace.dispose();
  }
}

/** Runs it once. Work that the device refuses would take no time at all. */
const runs = (engine: Engine, bound: BoundProgram): Promise<boolean> =>
  withinMemory(engine.device, "tuning", () => engine.submit("tuning", bound.steps)).then(
    () => true,
    () => false,
  );

function timer(engine: Engine, bound: BoundProgram): Runner["time"] {
  const { device } = engine;
  return async (repeats) => {
    engine.assertUsable();
    const encoder = device.createCommandEncoder({ label: "tuning" });
    encodePass(encoder, "tuning", Array.from({ length: repeats }, () => bound.steps).flat());
    const commands = encoder.finish();
    const begin = performance.now();
    device.queue.submit([commands]);
    await device.queue.onSubmittedWorkDone();
    const time = performance.now() - begin;
    // A device that is lost is done at once.
    engine.assertUsable();
    return time;
  };
}

/** Nodes by themselves: what others compute is given, and nothing that they read is overwritten. */
function alone(nodes: readonly Node[]): Graph {
  const g = new Graph();
  const inputs = new Map<number, Value>();
  const given = (value: Value): Value => {
    const base = root(value);
    if (base.origin.kind !== "node") return value;
    const input = inputs.get(base.id) ?? g.input(`tuning input ${inputs.size}`, base.shape, base.dtype);
    inputs.set(base.id, input);
    return value === base ? input : makeValue({ ...value, origin: input.origin, base: input });
  };
  for (const node of nodes) {
    const own = Object.entries(node.inputs).map(([name, value]) => [name, value && given(value)]);
    g.nodes.push({ ...node, inputs: Object.fromEntries(own) as Node["inputs"] });
  }
  return g;
}

/** Ordinary numbers in [−1, 1]: zeros, infinities and denormals may take more time or less. */
const NUMBERS = Float32Array.from({ length: 1 << 16 }, (_, i) => Math.sin(i * i));
const HALVES = new Uint32Array(Uint16Array.from(NUMBERS, floatToHalf).buffer);

/** Fills what the plans read, but for tables, which have numbers of their own. */
function fill(workspace: Workspace, plans: readonly Plan[], integers: PlannedSite["integers"]): void {
  const specs = new Map(plans.flatMap((plan) => plan.externals.map((spec) => [spec.name, spec])));
  for (const { bindings } of plans.flatMap((plan) => plan.dispatches)) {
    for (const [binding, place] of Object.entries(bindings)) {
      const spec = place.kind === "external" ? specs.get(place.name) : undefined;
      if (!spec || spec.role === "table") continue;
      specs.delete(spec.name);
      const { size } = workspace.get(spec.name);
      const integer = () => new Int32Array(size / ELEMENT_BYTES).fill(integers[binding] ?? 0);
      const block = { f32: () => NUMBERS, f16: () => HALVES, i32: integer, u32: integer }[spec.dtype]();
      for (let at = 0; at < size; at += block.byteLength) workspace.write(spec.name, block.subarray(0, (size - at) / ELEMENT_BYTES), at);
    }
  }
}
