// Every kernel's table of options.
import { attentionAxes } from "./attention.ts";
import type { KernelAxes } from "./axes.ts";
import { decodingAxes } from "./decoding.ts";
import { elementwiseAxes } from "./elementwise.ts";
import { matmulAxes } from "./matmul.ts";

export const allAxes: readonly KernelAxes[] = [...matmulAxes, ...attentionAxes, ...elementwiseAxes, ...decodingAxes];
