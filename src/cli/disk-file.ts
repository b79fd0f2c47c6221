// A disk for the machine: a raw image file that is read and written in place, or only read. A last sector that the file has
// only a part of goes on with zeros (boot sectors are often followed by a kernel of any length); writing it makes the file
// longer. A file that shrinks meanwhile makes reads fail. And a disk of which the writes stay in memory.

import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { SECTOR_BYTES } from '../devices/ata.ts';
import type { DiskImage } from '../devices/ata.ts';

export class FileDisk implements DiskImage {
  readonly sectors: number;
  readonly cdrom: boolean;
  private readonly fd: number;
  private readonly readOnly: boolean;
  /** Bytes of the last sector that the file has; the others have all. */
  private lastBytes: number;

  /** Opens the file; throws Node's error when it can't. One that is shorter than a sector has none. */
  constructor(path: string, { readOnly = false, cdrom = false } = {}) {
    this.fd = openSync(path, readOnly || cdrom ? 'r' : 'r+');
    this.readOnly = readOnly || cdrom;
    this.cdrom = cdrom;
    const { size } = fstatSync(this.fd);
    this.sectors = size < SECTOR_BYTES ? 0 : Math.ceil(size / SECTOR_BYTES);
    this.lastBytes = size - (this.sectors - 1) * SECTOR_BYTES;
  }

  read(sector: number, into: Uint8Array): void {
    const expected = sector === this.sectors - 1 ? this.lastBytes : SECTOR_BYTES;
    if (readSync(this.fd, into, 0, SECTOR_BYTES, sector * SECTOR_BYTES) < expected) throw new Error('the file has become shorter');
    into.fill(0, expected, SECTOR_BYTES);
  }

  write(sector: number, from: Uint8Array): void {
    writeSync(this.fd, from, 0, SECTOR_BYTES, sector * SECTOR_BYTES);
    if (sector === this.sectors - 1) this.lastBytes = SECTOR_BYTES;
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
