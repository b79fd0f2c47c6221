// Bytes of the tables that firmware leaves in memory.

/** A number, least significant byte first. */
export function little(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 2 ** (8 * i)) & 0xff);
}

export function ascii(text: string): number[] {
  return [...text].map((c) => c.charCodeAt(0));
}

/** The bytes with one of them set so that all add up to 0. */
export function summed(bytes: readonly number[], at: number): number[] {
  const sum = bytes.reduce((a, b) => a + b, 0);
  return bytes.map((byte, i) => (i === at ? -sum & 255 : byte));
}
