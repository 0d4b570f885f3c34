// A writer of protocol buffers, as much of them as an ONNX model needs: https://protobuf.dev/programming-guides/encoding/.

/** Bytes in pieces: a message's length is known without copying the weights in it. */
export class Message {
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  int(field: number, value: number): this {
    this.key(field, 0);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.key(field, 5);
    return this.push(new Uint8Array(Float32Array.of(value).buffer));
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    this.key(field, 2);
    this.varint(value.length);
    return this.push(value);
  }

  message(field: number, value: Message): this {
    this.key(field, 2);
    this.varint(value.length);
    return this.join(value);
  }

  /** The fields of another message after its own. */
  join(other: Message): this {
    for (const piece of other.pieces) this.push(piece);
    return this;
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.length);
    let at = 0;
    for (const piece of this.pieces) {
      out.set(piece, at);
      at += piece.length;
    }
    return out;
  }

  private key(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** Seven bits to a byte, lowest first; negative numbers as 64-bit two's complement. */
  private varint(value: number): void {
    let rest = BigInt.asUintN(64, BigInt(value));
    const bytes: number[] = [];
    do {
      bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
      rest >>= 7n;
    } while (rest > 0n);
    this.push(Uint8Array.from(bytes));
  }

  private push(piece: Uint8Array): this {
    this.pieces.push(piece);
    this.length += piece.length;
    return this;
  }
}
