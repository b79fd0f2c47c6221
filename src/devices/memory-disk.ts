// A disk whose contents are bytes in memory: writes change that array and nothing else. A size that is no whole number of
// sectors is rounded down.

import { SECTOR_BYTES } from './ata.ts';
import type { DiskImage } from './ata.ts';

export class MemoryDisk implements DiskImage {
  readonly sectors: number;

  /** @param bytes the contents; the disk writes into this array */
  constructor(readonly bytes: Uint8Array) {
    this.sectors = Math.floor(bytes.length / SECTOR_BYTES);
  }

  read(sector: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES));
  }

  write(sector: number, from: Uint8Array): void {
    this.bytes.set(from, sector * SECTOR_BYTES);
  }

  flush(): void {}
}
