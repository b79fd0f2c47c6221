// Where a Multiboot 1 kernel says that it is one: a magic number, flags and a checksum in its first 8 KiB (specification 0.6.96, 3.1).

const HEADER_MAGIC = 0x1badb002;
const SEARCHED = 8192;

/** The offset of the Multiboot header, or -1. */
export function findMultibootHeader(image: Uint8Array): number {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (let at = 0; at + 12 <= Math.min(image.length, SEARCHED); at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const sum = HEADER_MAGIC + view.getUint32(at + 4, true) + view.getUint32(at + 8, true);
    if (sum >>> 0 === 0) return at;
  }
  return -1;
}
