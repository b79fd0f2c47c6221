// The commands of an ATA disk (ATA/ATAPI-4): IDENTIFY, READ and WRITE SECTORS, MULTIPLE and DMA in LBA28 and CHS, VERIFY,
// SEEK, SET FEATURES, SET MULTIPLE MODE, INITIALIZE DRIVE PARAMETERS, power management, FLUSH CACHE, diagnostics.

import type { DiskImage, DriveModel, TaskFile, Transfer, Unit } from './ata-unit.ts';
import { ERROR, SECTOR_BYTES } from './ata-unit.ts';

const HEADS = 16;
const TRACK_SECTORS = 63;
const MOST_MULTIPLE = 128;
/** Multiword DMA modes 0 to 2. */
const MULTIWORD_MODES = 7;

export class AtaDisk implements DriveModel {
  readonly signature = [0, 0] as const;
  private multiple = 16;
  private heads = HEADS;
  private trackSectors = TRACK_SECTORS;
  private dmaMode = 2;

  constructor(private readonly image: DiskImage) {}

  reset(): void {}

  command(value: number, unit: Unit): void {
    switch (value) {
      case 0xec: return unit.start(identityTransfer(this.identity()));
      case 0x20: case 0x21: return this.transfer(unit, false, 1);
      case 0x30: case 0x31: return this.transfer(unit, true, 1);
      case 0xc4: return this.transfer(unit, false, this.multiple);
      case 0xc5: return this.transfer(unit, true, this.multiple);
      case 0xc8: case 0xc9: return this.transfer(unit, false, 0);
      case 0xca: case 0xcb: return this.transfer(unit, true, 0);
      case 0xc6: return this.setMultiple(unit);
      case 0x90:
        unit.error = 1;
        return unit.later(() => unit.succeed());
      case 0x91: return this.setGeometry(unit);
      case 0x40: case 0x41: case 0x70: return this.verify(unit);
      case 0xe7: return this.flush(unit);
      case 0xe5: case 0x98:
        unit.task.count = 0xff; // active or idle
        return unit.later(() => unit.succeed());
      case 0xe0: case 0xe1: case 0xe2: case 0xe3: case 0xe6: case 0x94: case 0x95: case 0x96: case 0x97: case 0x99:
        return unit.later(() => unit.succeed());
      case 0xef: return this.setFeatures(unit);
      default:
        return value >> 4 === 1 ? unit.later(() => unit.succeed()) : unit.fail(ERROR.abrt);
    }
  }

  /** First sector of the command, -1 for a CHS address that does not exist. */
  private address({ device, high, mid, low }: TaskFile): number {
    if (device & 0x40) return ((device & 15) << 24) | (high << 16) | (mid << 8) | low;
    if (low === 0 || low > this.trackSectors || (device & 15) >= this.heads) return -1;
    return (((high << 8) | mid) * this.heads + (device & 15)) * this.trackSectors + low - 1;
  }

  /** First sector and count; null after the command has failed because some are not there. */
  private range(unit: Unit): { lba: number; count: number } | null {
    const lba = this.address(unit.task);
    const count = unit.task.count || 256;
    if (lba >= 0 && lba + count <= this.image.sectors) return { lba, count };
    unit.fail(ERROR.idnf);
    return null;
  }

  /** @param blockSectors sectors an interrupt, or 0 for DMA */
  private transfer(unit: Unit, writing: boolean, blockSectors: number): void {
    const range = this.range(unit);
    if (!range) return;
    const { image } = this;
    unit.start({
      bytes: range.count * SECTOR_BYTES, blockBytes: blockSectors * SECTOR_BYTES, writing, dma: blockSectors === 0, sector: range.lba,
      move: (offset, bytes) => {
        for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
          const part = bytes.subarray(at, at + SECTOR_BYTES);
          const sector = range.lba + (offset + at) / SECTOR_BYTES;
          if (writing) image.write(sector, part);
          else image.read(sector, part);
        }
      },
    });
  }

  private verify(unit: Unit): void {
    const { count } = unit.task;
    if (!this.range(unit)) return;
    unit.task.count = count;
    unit.later(() => unit.succeed());
  }

  private flush(unit: Unit): void {
    unit.later(() => {
      try {
        this.image.flush();
        unit.succeed();
      } catch {
        unit.fail(ERROR.unc);
      }
    });
  }

  private setMultiple(unit: Unit): void {
    const { count } = unit.task;
    if (count === 0 || count > MOST_MULTIPLE || count & (count - 1)) return unit.fail(ERROR.abrt);
    this.multiple = count;
    unit.later(() => unit.succeed());
  }

  private setGeometry(unit: Unit): void {
    this.heads = (unit.task.device & 15) + 1;
    this.trackSectors = unit.task.count || 256;
    unit.later(() => unit.succeed());
  }

  private setFeatures(unit: Unit): void {
    const { feature, count } = unit.task;
    if (feature === 0x03) {
      const known = count <= 1 || (count >= 8 && count <= 12) || (count >= 0x20 && count <= 0x22);
      if (!known) return unit.fail(ERROR.abrt);
      if (count >= 0x20) this.dmaMode = count & 7;
    } else if (![0x02, 0x82, 0xaa, 0x55, 0xcc, 0x66].includes(feature)) {
      return unit.fail(ERROR.abrt);
    }
    unit.later(() => unit.succeed());
  }

  private identity(): Uint16Array {
    const words = new Uint16Array(256);
    const { sectors } = this.image;
    const cylinders = (heads: number, track: number) => Math.min(16383, Math.floor(sectors / (heads * track)));
    words[0] = 0x0040;
    words[1] = cylinders(HEADS, TRACK_SECTORS);
    words[3] = HEADS;
    words[6] = TRACK_SECTORS;
    words[47] = 0x8000 | MOST_MULTIPLE;
    words[48] = 1;                                   // 32-bit accesses of the data port
    words[49] = 0x0300;                              // LBA, DMA
    words[51] = words[52] = 0x0200;                  // PIO and DMA timing of old drivers
    words[53] = 0x0003;                              // words 54-58 and 64-70 are valid
    words[54] = cylinders(this.heads, this.trackSectors);
    words[55] = this.heads;
    words[56] = this.trackSectors;
    const chs = words[54]! * this.heads * this.trackSectors;
    words[57] = chs & 0xffff;
    words[58] = chs >>> 16;
    words[59] = 0x0100 | this.multiple;
    words[60] = sectors & 0xffff;
    words[61] = sectors >>> 16;
    words[63] = MULTIWORD_MODES | (0x100 << this.dmaMode);
    words[64] = 0x0003;                              // PIO modes 3 and 4
    words[65] = words[66] = words[67] = words[68] = 120;
    words[80] = 0x001e;                              // ATA-1 to ATA-4
    words[82] = words[85] = 0x0020;                  // write cache
    words[83] = 0x5000;                              // FLUSH CACHE
    words[84] = words[87] = 0x4000;
    words[86] = 0x1000;
    putText(words, 10, 10, 'DF0001');
    putText(words, 23, 4, '1.0');
    putText(words, 27, 20, 'DAMSELFLY DISK');
    return words;
  }
}

/** The 512 bytes of an identification, moved as one block. */
export function identityTransfer(words: Uint16Array): Transfer {
  const identity = new Uint8Array(words.buffer);
  return { bytes: identity.length, blockBytes: identity.length, writing: false, dma: false, move: (_offset, bytes) => bytes.set(identity) };
}

/** ATA strings have the two characters of a word swapped and are padded with spaces. */
export function putText(words: Uint16Array, at: number, count: number, text: string): void {
  const padded = text.padEnd(count * 2);
  for (let i = 0; i < count; i++) words[at + i] = (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1);
}
