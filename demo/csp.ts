// What the built page may do: load and fetch what lies beside it, draw, and nothing else. No inline scripts or styles, no eval, no
// other origin. `npm run build:demo` writes it into the page; a host that sends it as a header adds `frame-ancestors` of its own.

/** The Hugging Face Hub, and where it redirects to for large files. */
const HUB = "https://huggingface.co https://*.huggingface.co https://*.hf.co";

/** @param hub whether models of the Hub can be opened by their names (`npm run build:demo -- --mode hub`) */
export const contentSecurityPolicy = (hub: boolean): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    `connect-src 'self'${hub ? ` ${HUB}` : ""}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");

export const CONTENT_SECURITY_POLICY = contentSecurityPolicy(false);
