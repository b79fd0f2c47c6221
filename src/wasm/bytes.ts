/**
 * A growing byte buffer with the encodings of the WebAssembly binary format (core specification 5.2): LEB128 integers,
 * little-endian floats, length-prefixed names and vectors. It writes only forward; the single exception is `setByte`,
 * for peephole changes of an opcode already written.
 */
export class ByteWriter {
  private data = new Uint8Array(256);
  length = 0;

  private room(n: number): void {
    if (this.length + n <= this.data.length) return;
    const grown = new Uint8Array(Math.max(this.data.length * 2, this.length + n));
    grown.set(this.data);
    this.data = grown;
  }

  byte(value: number): void {
    if (this.length === this.data.length) this.room(1);
    this.data[this.length++] = value;
  }

  /** Replaces the byte at an offset already written. */
  setByte(offset: number, value: number): void {
    this.data[offset] = value;
  }

  /** Forgets everything written at or after `length`. */
  truncate(length: number): void {
    this.length = length;
  }

  bytes(values: ArrayLike<number>): void {
    this.room(values.length);
    this.data.set(values, this.length);
    this.length += values.length;
  }

  /** Unsigned LEB128 of a number in 0..2^32-1. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit integer. */
  s32(value: number): void {
    let rest = value | 0;
    while (rest < -64 || rest > 63) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>= 7;
    }
    this.byte(rest & 0x7f);
  }

  /** Signed LEB128 of a 64-bit integer. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    while (rest < -64n || rest > 63n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.byte(Number(rest & 0x7fn));
  }

  f64(value: number): void {
    const cell = new DataView(new ArrayBuffer(8));
    cell.setFloat64(0, value, true);
    this.bytes(new Uint8Array(cell.buffer));
  }

  name(text: string): void {
    const utf8 = new TextEncoder().encode(text);
    this.u32(utf8.length);
    this.bytes(utf8);
  }

  /** Another buffer, preceded by its length. */
  sized(inner: ByteWriter): void {
    this.u32(inner.length);
    this.bytes(inner.view());
  }

  /** The bytes written so far; valid until the next write. */
  view(): Uint8Array {
    return this.data.subarray(0, this.length);
  }

  take(): Uint8Array<ArrayBuffer> {
    return this.data.slice(0, this.length);
  }
}
