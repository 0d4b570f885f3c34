// Symbolic sizes. A plan is made once for lengths that are not known yet; grids, params and byte counts in it are
// small expressions over named lengths ("batch", "query", …), evaluated per run. Pure data, so that plans print and compare.
import { InputError } from "../errors.ts";

/** A length: a number, or the name of one that the host knows at run time. */
export type Dim = number | string;
export type Expr = Dim | readonly ["*" | "+" | "ceil/" | "max", ...Expr[]];
/** The run-time lengths by name. */
export type Dims = Readonly<Record<string, number>>;

export function product(...factors: readonly Expr[]): Expr {
  const flat = factors.flatMap((f) => (Array.isArray(f) && f[0] === "*" ? (f.slice(1) as Expr[]) : [f as Expr]));
  const constant = flat.reduce<number>((n, f) => (typeof f === "number" ? n * f : n), 1);
  const rest = flat.filter((f) => typeof f !== "number");
  if (rest.length === 0 || constant === 0) return constant;
  if (rest.length === 1 && constant === 1) return rest[0]!;
  return constant === 1 ? ["*", ...rest] : ["*", constant, ...rest];
}

export function sum(...terms: readonly Expr[]): Expr {
  const constant = terms.reduce<number>((n, t) => (typeof t === "number" ? n + t : n), 0);
  const rest = terms.filter((t) => typeof t !== "number");
  if (rest.length === 0) return constant;
  if (rest.length === 1 && constant === 0) return rest[0]!;
  return constant === 0 ? ["+", ...rest] : ["+", ...rest, constant];
}

export function ceilDiv(a: Expr, by: number): Expr {
  if (by === 1) return a;
  return typeof a === "number" ? Math.ceil(a / by) : ["ceil/", a, by];
}

export function max(...of: readonly Expr[]): Expr {
  const distinct = [...new Map(of.map((e) => [JSON.stringify(e), e])).values()];
  if (distinct.every((e) => typeof e === "number")) return Math.max(...distinct);
  return distinct.length === 1 ? distinct[0]! : ["max", ...distinct];
}

/** Whether it is one at all lengths, so that buffers can be read as vec4. */
export const isMultipleOf4 = (expr: Expr): boolean =>
  typeof expr === "number"
    ? expr % 4 === 0
    : typeof expr === "object" && expr[0] === "*" && expr.slice(1).some((f) => typeof f === "number" && f % 4 === 0);

export function evaluate(expr: Expr, dims: Dims): number {
  if (typeof expr === "number") return expr;
  if (typeof expr === "string") {
    const value = dims[expr];
    if (value === undefined)
      throw new InputError(
        `length "${expr}" is not given: give it in dims to run, in expect to compile (given: ${Object.keys(dims).join(", ") || "none"})`,
        {
          field: expr,
          expected: "a number",
          got: undefined,
        },
      );
    return value;
  }
  const args = (expr.slice(1) as Expr[]).map((e) => evaluate(e, dims));
  switch (expr[0]) {
    case "*":
      return args.reduce((a, b) => a * b, 1);
    case "+":
      return args.reduce((a, b) => a + b, 0);
    case "ceil/":
      return Math.ceil(args[0]! / args[1]!);
    case "max":
      return Math.max(...args);
  }
}

export function show(expr: Expr): string {
  if (typeof expr !== "object") return String(expr);
  const args = (expr.slice(1) as Expr[]).map((e) => (typeof e === "object" && e[0] === "+" ? `(${show(e)})` : show(e)));
  switch (expr[0]) {
    case "*":
      return args.join("·");
    case "+":
      return args.join("+");
    case "ceil/":
      return `⌈${args[0]}/${args[1]}⌉`;
    case "max":
      return `max(${args.join(", ")})`;
  }
}
