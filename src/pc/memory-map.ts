// Which physical memory a kernel may use, as a BIOS would report it (E820 types: 1 usable, 2 reserved). Every boot
// protocol tells its kernel this same list.

/** The end of memory is reported as reserved, as where a BIOS keeps its tables. */
export const FIRMWARE_BYTES = 0x20000;
/** The extended BIOS data area takes the last KiB below 640 KiB. */
export const EXTENDED_DATA = 0x9fc00;
export const LOWER_BYTES = EXTENDED_DATA;

export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  readonly type: 1 | 2;
}

/** The ranges of a machine with that much RAM, in ascending order. */
export function memoryMap(ramBytes: number): MemoryRange[] {
  const top = ramBytes - FIRMWARE_BYTES;
  return [
    { base: 0, length: LOWER_BYTES, type: 1 },
    { base: EXTENDED_DATA, length: 0xa0000 - EXTENDED_DATA, type: 2 },
    { base: 0xf0000, length: 0x10000, type: 2 },
    { base: 0x100000, length: top - 0x100000, type: 1 },
    { base: top, length: FIRMWARE_BYTES, type: 2 },
  ];
}
