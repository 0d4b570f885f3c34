// One generation setting at a time: the caller's option over the checkpoint's field over a default, each checked, with complaints that
// name the option. options.ts asks for all of them.
import { InputError } from "../errors.ts";
import { type RawConfig, shown } from "../load/config.ts";

/** What an i32 in a shader holds. */
const LARGEST_INT = 0x7fffffff;

/** Reads an option, else the config's field, else the default; complains by the option's name. */
export class Picker {
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #config: RawConfig;

  constructor(options: Readonly<Record<string, unknown>>, config: RawConfig) {
    this.#options = options;
    this.#config = config;
  }

  wrong(field: string, expected: string, got: unknown): InputError {
    return new InputError(`generate: ${field} must be ${expected}, got ${shown(got)}`, { field, expected, got });
  }

  bool(name: string): boolean {
    return this.#config[name] === true;
  }

  int(field: string, name: string, fallback: number, { min = 0, max = LARGEST_INT }: { min?: number; max?: number }): number {
    const value = this.#value(field, name) ?? fallback;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < min || value > max)
      throw this.wrong(field, `an integer from ${min} to ${max}`, value);
    return value;
  }

  number(
    field: string,
    name: string,
    fallback: number,
    { above = -Infinity, from = -Infinity, to = Infinity }: { above?: number; from?: number; to?: number } = {},
  ): number {
    const value = this.#value(field, name) ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value) || value <= above || value < from || value > to) {
      const bounds = [above > -Infinity && ` above ${above}`, from > -Infinity && ` from ${from}`, to < Infinity && ` to ${to}`];
      throw this.wrong(field, `a number${bounds.filter(Boolean).join("")}`, value);
    }
    return value;
  }

  oneOf<T extends string | boolean>(field: string, name: string, choices: readonly T[]): T {
    const value = (this.#value(field, name) ?? choices[0]) as T;
    if (!choices.includes(value)) throw this.wrong(field, `one of ${choices.join(", ")}`, value);
    return value;
  }

  /** Ids: one, several, or none. */
  list(field: string, name: string): number[] {
    const value = this.#value(field, name);
    if (value === undefined || value === null) return [];
    const list = Array.isArray(value) ? (value as unknown[]) : [value];
    if (!list.every((v) => typeof v === "number")) throw this.wrong(field, "token ids", value);
    return list as number[];
  }

  lists(field: string, name: string): number[][] {
    const value = this.#value(field, name) ?? [];
    const valid =
      Array.isArray(value) && value.every((word) => Array.isArray(word) && word.length > 0 && word.every((t) => typeof t === "number"));
    if (!valid) throw this.wrong(field, "a list of lists of token ids", value);
    return value as number[][];
  }

  /** (position, token), the token null where it is left open. */
  pairs(field: string, name: string): [number, number | null][] {
    const value = this.#value(field, name) ?? [];
    const valid =
      Array.isArray(value) &&
      value.every(
        (pair) => Array.isArray(pair) && pair.length === 2 && Number.isInteger(pair[0]) && (pair[1] === null || Number.isInteger(pair[1])),
      );
    if (!valid) throw this.wrong(field, "a list of [position, token id]", value);
    return value as [number, number | null][];
  }

  /** An option of null switches the config's off. */
  #value(field: string, name: string): unknown {
    if (this.#options[field] !== undefined) return this.#options[field];
    return this.#config[name] ?? undefined;
  }
}
