// What the build says to the page (vite.config.ts). Undefined where there is no build: in tests and scripts.

/** Whether the page may ask the Hugging Face Hub. */
declare const FOVEA_HUB: boolean | undefined;
