// Disks for the machine: a raw image file that is read and written in place, and a copy in memory whose writes vanish
// with the machine. A file's size is rounded down to whole sectors.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { SECTOR_BYTES } from '../devices/ata.ts';
import type { DiskImage } from '../devices/ata.ts';

export class FileDisk implements DiskImage {
  readonly sectors: number;
  private readonly fd: number;

  /** Opens the file for reading and writing; throws Node's error when it can't. */
  constructor(path: string) {
    this.fd = openSync(path, 'r+');
    this.sectors = Math.floor(fstatSync(this.fd).size / SECTOR_BYTES);
  }

  read(sector: number, into: Uint8Array): void {
    readSync(this.fd, into, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
  }

  write(sector: number, from: Uint8Array): void {
    writeSync(this.fd, from, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
  }

  flush(): void {
    fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}

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
