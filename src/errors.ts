// What can go wrong, as types. One base, few children, the data as fields; messages name the operation, what was expected,
// what was there, and what to do. After any of them the device, the cache and other models go on working.

interface Cause {
  readonly cause?: unknown;
}

/** Base of every error fovea throws on purpose. An abort through an `AbortSignal` is the signal's own reason instead. */
export class FoveaError extends Error {
  // Written out in every class: a minifier renames classes, and a user should not read "e: config.json…".
  override readonly name: string = "FoveaError";
  constructor(message: string, { cause }: Cause = {}) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Something this build, browser or adapter cannot do: no WebGPU, a limit too low, an unknown model_type or dtype. */
export class UnsupportedError extends FoveaError {
  override readonly name = "UnsupportedError";
  /** What is not supported. */
  readonly feature: string;
  constructor(message: string, { feature, cause }: { feature: string } & Cause) {
    super(message, { cause });
    this.feature = feature;
  }
}

interface Mismatch extends Cause {
  readonly expected?: unknown;
  readonly got?: unknown;
}

/** A checkpoint's file is missing, truncated or contradicts itself. */
export class CheckpointError extends FoveaError {
  override readonly name = "CheckpointError";
  readonly file: string;
  /** The tensor or header field concerned, if one is. */
  readonly field: string | undefined;
  readonly expected: unknown;
  readonly got: unknown;
  constructor(message: string, { file, field, expected, got, cause }: { file: string; field?: string } & Mismatch) {
    super(message, { cause });
    this.file = file;
    this.field = field;
    this.expected = expected;
    this.got = got;
  }
}

class FieldError extends FoveaError {
  readonly field: string;
  readonly expected: unknown;
  readonly got: unknown;
  constructor(message: string, { field, expected, got, cause }: { field: string } & Mismatch) {
    super(message, { cause });
    this.field = field;
    this.expected = expected;
    this.got = got;
  }
}

/** A field of config.json or generation_config.json is missing or out of range. */
export class ConfigError extends FieldError {
  override readonly name = "ConfigError";
}

/** An argument of yours: empty input, a token outside the vocabulary, a sequence too long, an option out of range. */
export class InputError extends FieldError {
  override readonly name = "InputError";
}

/** Shapes that do not go together, found while a graph is written. */
export class ShapeError extends FoveaError {
  override readonly name = "ShapeError";
  readonly op: string;
  readonly expected: unknown;
  readonly got: unknown;
  constructor(what: string, { op, expected, got, cause }: { op: string } & Mismatch) {
    super(`${what}: expected ${describe(expected)}, got ${describe(got)}`, { cause });
    this.op = op;
    this.expected = expected;
    this.got = got;
  }
}

/** WGSL that does not compile: a bug of ours or of the browser, with the place in the shader. */
export class ShaderError extends FoveaError {
  override readonly name = "ShaderError";
  readonly kernel: string;
  /** 1-based; 0 when the compiler gave none. */
  readonly line: number;
  readonly column: number;
  readonly sourceLine: string;
  constructor(
    message: string,
    { kernel, line, column, sourceLine, cause }: { kernel: string; line: number; column: number; sourceLine: string } & Cause,
  ) {
    super(message, { cause });
    this.kernel = kernel;
    this.line = line;
    this.column = column;
    this.sourceLine = sourceLine;
  }
}

/** The GPU device is gone: a driver reset, a GPU unplugged, or `device.destroy()`. */
export class DeviceLostError extends FoveaError {
  override readonly name = "DeviceLostError";
  readonly reason: string;
  constructor(message: string, { reason, cause }: { reason: string } & Cause) {
    super(message, { cause });
    this.reason = reason;
  }
}

function describe(value: unknown): string {
  return Array.isArray(value) ? `[${value.join(", ")}]` : String(value);
}
