// Small kernels for the loaders' tests.

/** A minimal ELF32 Multiboot kernel: one segment of `code` at 1 MiB, entered at its first byte after the header. */
export function multibootKernel(code: readonly number[] = []): Uint8Array {
  const image = new Uint8Array(0x200);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 3, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, 0x10000c, true);
  view.setUint32(28, 52, true);
  view.setUint16(40, 52, true);
  view.setUint16(42, 32, true);
  view.setUint16(44, 1, true);
  [1, 0x100, 0x100000, 0x100000, Math.max(0x40, 12 + code.length), Math.max(0x80, 12 + code.length), 5, 4096].forEach((word, i) => view.setUint32(52 + 4 * i, word, true));
  [0x1badb002, 3, -(0x1badb002 + 3)].forEach((word, i) => view.setUint32(0x100 + 4 * i, word, true));
  image.fill(0x90, 0x10c, 0x140);
  image.set(code, 0x10c);
  return image;
}

/** A minimal bzImage of protocol 2.10: one setup sector, `code` at 1 MiB. */
export function linuxKernel(code: readonly number[] = []): Uint8Array {
  const image = new Uint8Array(1024 + 256).fill(0x90, 1024);
  const view = new DataView(image.buffer);
  image[0x1f1] = 1;
  view.setUint32(0x1f4, 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  image.set([0xeb, 0x66], 0x200);
  image.set(Buffer.from('HdrS'), 0x202);
  view.setUint16(0x206, 0x20a, true);
  image[0x211] = 1;
  view.setUint32(0x214, 0x100000, true);
  view.setUint32(0x22c, 0x7fffffff, true);
  view.setUint32(0x238, 255, true);
  view.setUint32(0x258, 0x100000, true);
  view.setUint32(0x260, 0x10000, true);
  image.set(code, 1024);
  return image;
}
