// What the threads of a workgroup have, put together and known to all of them. Two ways:
//   tree       half of the threads take the other half's in, until one is left: a barrier for each halving
//   subgroups  in registers within a subgroup, then once through workgroup memory
// WGSL says nothing of which threads make a subgroup, of how many there are, nor that they are full. So the first lane of each
// leaves what its subgroup has in its own thread's place, and the others what changes nothing; then every subgroup takes all
// places in, shared out by the lanes' ranks among those that are there. Right for subgroups of any size and layout.
import { wgsl } from "./wgsl.ts";

export interface ReduceOptions {
  /** Reduce in subgroups: adapters with the feature. */
  readonly subgroups: boolean;
}

export const reduceFeatures = ({ subgroups }: ReduceOptions): readonly "subgroups"[] => (subgroups ? ["subgroups"] : []);

interface ReductionOptions extends ReduceOptions {
  /** Threads of the workgroup, a power of two. */
  readonly threads: number;
  readonly type?: "f32" | "vec4<f32>";
  /** A workgroup variable of the kernel: an array of one `type` a thread. */
  readonly memory?: string;
}

/**
 * Declares `fn <name>(own: type, thread: u32) -> type`: the sum or the largest of every thread's own. All threads must call it:
 * there are barriers in it.
 */
export function reduction(
  name: string,
  op: "sum" | "max",
  { threads, subgroups, type = "f32", memory = "partial" }: ReductionOptions,
): string {
  const sum = op === "sum";
  const nothing = `${type}(${sum ? "0.0" : LEAST})`;
  const combine = (a: string, b: string) => (sum ? `${a} + ${b}` : `max(${a}, ${b})`);
  const inSubgroup = sum ? "subgroupAdd" : "subgroupMax";
  return wgsl`fn ${name}(own: ${type}, thread: u32) -> ${type} {
  #if ${subgroups}
  let rank = subgroupExclusiveAdd(1u);
  let lanes = subgroupAdd(1u);
  ${memory}[thread] = select(${nothing}, ${inSubgroup}(own), rank == 0u);
  workgroupBarrier();
  var part = ${nothing};
  for (var i = rank; i < ${threads}u; i += lanes) { part = ${combine("part", `${memory}[i]`)}; }
  let all = ${inSubgroup}(part);
  #else
  ${memory}[thread] = own;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    if (thread < half) { ${memory}[thread] = ${combine(`${memory}[thread]`, `${memory}[thread + half]`)}; }
    workgroupBarrier();
  }
  let all = ${memory}[0];
  #endif
  workgroupBarrier();
  return all;
}`;
}

/** What is larger than nothing. */
export const LEAST = "-3.4e38";

/**
 * Declares `struct Entry { value: f32, id: u32 }`, `NO_ENTRY`, `before(a, b)` (the larger value, of equal ones the lower id) and
 * `fn best(own: Entry, thread: u32) -> Entry`: the first of every thread's own, which is NO_ENTRY or before it. All threads must call it.
 */
export const bestEntry = ({ threads, subgroups }: ReductionOptions): string => wgsl`
struct Entry { value: f32, id: u32 }
const NO_ENTRY = Entry(${LEAST}, 0x7fffffffu);
var<workgroup> values: array<f32, ${threads}>;
var<workgroup> ids: array<u32, ${threads}>;
fn before(a: Entry, b: Entry) -> bool { return a.value > b.value || (a.value == b.value && a.id < b.id); }
#if ${subgroups}
fn best_of_subgroup(own: Entry) -> Entry {
  let value = subgroupMax(own.value);
  return Entry(value, subgroupMin(select(NO_ENTRY.id, own.id, own.value == value)));
}
#endif
fn best(own: Entry, thread: u32) -> Entry {
  #if ${subgroups}
  let rank = subgroupExclusiveAdd(1u);
  let lanes = subgroupAdd(1u);
  var first = best_of_subgroup(own);
  values[thread] = select(NO_ENTRY.value, first.value, rank == 0u);
  ids[thread] = select(NO_ENTRY.id, first.id, rank == 0u);
  workgroupBarrier();
  for (var i = rank; i < ${threads}u; i += lanes) {
    let other = Entry(values[i], ids[i]);
    if (before(other, first)) { first = other; }
  }
  first = best_of_subgroup(first);
  #else
  var first = own;
  values[thread] = own.value;
  ids[thread] = own.id;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half > 0u; half /= 2u) {
    if (thread < half) {
      let other = Entry(values[thread + half], ids[thread + half]);
      if (before(other, first)) {
        first = other;
        values[thread] = other.value;
        ids[thread] = other.id;
      }
    }
    workgroupBarrier();
  }
  first = Entry(values[0], ids[0]);
  #endif
  workgroupBarrier();
  return first;
}`;
