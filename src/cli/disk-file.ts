// A disk for the machine: a raw image file that is read and written in place. Its size is rounded down to whole sectors.

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
