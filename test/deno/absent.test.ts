// What the Deno project reports where it has no driver to run on.
import { expect, test } from "vitest";

const MISSING = "shader-f16 kernels were not run: install lavapipe (apt-get install mesa-vulkan-drivers)";

// CI says that it must be there: then its absence is a failure.
const isRequired = process.env["FOVEA_LAVAPIPE"] === "required";
if (!isRequired) console.warn(MISSING);
test.runIf(isRequired)(MISSING, () => expect.fail(MISSING));
