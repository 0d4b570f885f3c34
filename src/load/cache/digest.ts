// Checksums of files, byte by byte as they come. WebCrypto hashes only what lies whole in memory, so this is @noble/hashes, and
// Node's own where that is at hand.
import { bytesToHex } from "@noble/hashes/utils.js";

/** What the Hub says of a file: the SHA-256 of large ones, and of those in git itself the blob's id, a SHA-1 behind a header. */
export interface Digest {
  readonly kind: "sha256" | "git";
  readonly hex: string;
}

export interface Hasher {
  update(bytes: Uint8Array): void;
  hex(): string;
}

/** What of node:crypto is used. */
interface Crypto {
  createHash(name: string): { update(bytes: Uint8Array): unknown; digest(form: "hex"): string };
}

export async function hasher({ kind }: Digest, size: number): Promise<Hasher> {
  const hash = await plainHasher(kind === "git" ? "sha1" : "sha256");
  // Git's objects begin with their kind and size.
  if (kind === "git") hash.update(new TextEncoder().encode(`blob ${size}\0`));
  return hash;
}

async function plainHasher(name: "sha1" | "sha256"): Promise<Hasher> {
  const native = (globalThis as { process?: { getBuiltinModule?(name: string): Crypto | undefined } }).process?.getBuiltinModule?.(
    "node:crypto",
  );
  if (native) {
    const hash = native.createHash(name);
    return { update: (bytes) => void hash.update(bytes), hex: () => hash.digest("hex") };
  }
  const hash =
    name === "sha1" ? (await import("@noble/hashes/legacy.js")).sha1.create() : (await import("@noble/hashes/sha2.js")).sha256.create();
  return { update: (bytes) => void hash.update(bytes), hex: () => bytesToHex(hash.digest()) };
}
