// A disk for the machine: a raw image file that is read and written in place, or only read. Its size is rounded down to
// whole sectors; a file that shrinks meanwhile makes reads fail. And a disk of which the writes stay in memory.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { SECTOR_BYTES } from '../devices/ata.ts';
import type { DiskImage } from '../devices/ata.ts';

export class FileDisk implements DiskImage {
  readonly sectors: number;
  readonly cdrom: boolean;
  private readonly fd: number;
  private readonly readOnly: boolean;

  /** Opens the file; throws Node's error when it can't. */
  constructor(path: string, { readOnly = false, cdrom = false } = {}) {
    this.fd = openSync(path, readOnly || cdrom ? 'r' : 'r+');
    this.readOnly = readOnly || cdrom;
    this.cdrom = cdrom;
    this.sectors = Math.floor(fstatSync(this.fd).size / SECTOR_BYTES);
  }

  read(sector: number, into: Uint8Array): void {
    if (readSync(this.fd, into, 0, SECTOR_BYTES, sector * SECTOR_BYTES) < SECTOR_BYTES) throw new Error('the file has become shorter');
  }

  write(sector: number, from: Uint8Array): void {
    writeSync(this.fd, from, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
  }

  flush(): void {
    if (!this.readOnly) fsyncSync(this.fd);
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** Writes go to memory and vanish with the machine; everything else is read from `base`. */
export class SnapshotDisk implements DiskImage {
  readonly sectors: number;
  private readonly written = new Map<number, Uint8Array>();

  constructor(private readonly base: DiskImage) {
    this.sectors = base.sectors;
  }

  read(sector: number, into: Uint8Array): void {
    const own = this.written.get(sector);
    if (own) into.set(own);
    else this.base.read(sector, into);
  }

  write(sector: number, from: Uint8Array): void {
    this.written.set(sector, from.slice());
  }

  flush(): void {}
}
