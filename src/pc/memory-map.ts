// Which physical memory a kernel may use, as a BIOS would report it (E820 types: 1 usable, 2 reserved, 3 ACPI tables, usable
// once they have been read). Every boot protocol tells its kernel this same list.

/** The end of memory belongs to the firmware: ACPI's tables, then what only the firmware uses. */
export const FIRMWARE_BYTES = 0x20000;
export const ACPI_BYTES = 0x10000;
/** The extended BIOS data area takes the last KiB below 640 KiB. */
export const EXTENDED_DATA = 0x9fc00;
export const LOWER_BYTES = EXTENDED_DATA;

export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  readonly type: 1 | 2 | 3;
}

/** Where the firmware's memory begins in a machine with that much RAM. */
export function firmwareStart(ramBytes: number): number {
  return ramBytes - FIRMWARE_BYTES;
}

/** The ranges of a machine with that much RAM, in ascending order. */
export function memoryMap(ramBytes: number): MemoryRange[] {
  const top = firmwareStart(ramBytes);
  return [
    { base: 0, length: LOWER_BYTES, type: 1 },
    { base: EXTENDED_DATA, length: 0xa0000 - EXTENDED_DATA, type: 2 },
    { base: 0xf0000, length: 0x10000, type: 2 },
    { base: 0x100000, length: top - 0x100000, type: 1 },
    { base: top, length: ACPI_BYTES, type: 3 },
    { base: top + ACPI_BYTES, length: FIRMWARE_BYTES - ACPI_BYTES, type: 2 },
  ];
}
