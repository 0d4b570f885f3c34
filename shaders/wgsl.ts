// The one importer of wgsl-preprocessor. Every kernel's text passes through this tag, which guards the two ways a
// template can go wrong in silence: a value that is not text, number or boolean, and an `#if` on something that is no boolean.
import { wgsl as preprocess } from "wgsl-preprocessor/wgsl-preprocessor.js";

export type Fragment = string | number | boolean;

/**
 * WGSL with `#if ${flag}` … `#elif ${flag}` … `#else` … `#endif`. A condition takes exactly one boolean
 * (the preprocessor reads only the first value after `#if`), so combine flags before the template.
 */
export function wgsl(strings: TemplateStringsArray, ...values: readonly Fragment[]): string {
  values.forEach((value, i) => {
    const conditional = /#(el)?if\s+$/.test(strings[i]!);
    if (conditional !== (typeof value === "boolean")) {
      throw new TypeError(`wgsl: value ${i} is ${String(value)}: #if takes one boolean, and a boolean goes nowhere else`);
    }
    if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`wgsl: value ${i} is ${value}`);
  });
  return preprocess(strings, ...values);
}

/** A number as an f32 literal: `1` would be an i32 in WGSL. */
export function f32(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError(`wgsl: ${value} is no f32 literal`);
  const text = String(Math.fround(value));
  return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
}
