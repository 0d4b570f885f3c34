// What the built page may do: load and fetch what lies beside it, draw, and nothing else. No inline scripts or styles, no eval, no
// other origin. `npm run build:demo` writes it into the page; a host that sends it as a header adds `frame-ancestors` of its own.
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
