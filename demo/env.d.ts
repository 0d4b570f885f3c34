// What the build says to the page (vite.config.ts). Undefined where there is no build: in tests and scripts.

/** The URL of a module worker's script, bundled (https://vite.dev/guide/features.html#web-workers). */
declare module "*?worker&url" {
  const url: string;
  export default url;
}

/** Whether the page may ask the Hugging Face Hub. */
declare const FOVEA_HUB: boolean | undefined;
