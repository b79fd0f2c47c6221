// One ATA channel with up to two disks, programmed I/O: IDENTIFY, READ/WRITE SECTOR(S) and MULTIPLE in LBA28 and CHS, SET
// FEATURES, FLUSH CACHE, diagnostics and software reset (ATA-4). Commands complete within the instruction that issues
// them; the interrupt line is raised at each data block unless nIEN is set. A disk is any object with sectors to read and
// write; a missing disk reads as zero status.

import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler, Size } from '../bus/ports.ts';

export const SECTOR_BYTES = 512;

/** Where a disk's sectors live. */
export interface DiskImage {
  readonly sectors: number;
  read(sector: number, into: Uint8Array): void;
  write(sector: number, from: Uint8Array): void;
  flush(): void;
}

const ERR = 0x01;
const DRQ = 0x08;
const DSC = 0x10;
const DRDY = 0x40;
const ABRT = 0x04;
const IDNF = 0x10;

class Drive {
  multiple = 16;
  constructor(readonly image: DiskImage) {}
}

export class AtaChannel {
  private readonly drives: (Drive | null)[];
  private feature = 0;
  private count = 0;
  private low = 0;
  private mid = 0;
  private high = 0;
  private device = 0xa0;
  private status = DRDY | DSC;
  private error = 1;
  private control = 0;
  private readonly buffer = new Uint8Array(256 * SECTOR_BYTES);
  private position = 0;
  private limit = 0;
  private remaining = 0;       // sectors of the command after the present block
  private lba = 0;
  private writing = false;
  private blockSectors = 1;

  /** @param base first of eight command ports (0x1F0); the control port is base + 0x206 */
  constructor(private readonly base: number, private readonly irq: IrqLine, images: (DiskImage | null)[]) {
    this.drives = [0, 1].map((i) => (images[i] ? new Drive(images[i]!) : null));
  }

  private get drive(): Drive | null {
    return this.drives[(this.device >> 4) & 1]!;
  }

  readonly ports: PortHandler = {
    wide: 4,
    read: (port, size) => (port === this.base ? this.readData(size) : this.readRegister(port - this.base)),
    write: (port, size, value) => {
      if (port === this.base) this.writeData(size, value);
      else this.writeRegister(port - this.base, value & 0xff);
    },
  };

  readonly controlPort: PortHandler = {
    read: () => this.currentStatus(),
    write: (_port, _size, value) => {
      if (value & 4 && !(this.control & 4)) this.softReset();
      this.control = value;
      if (value & 2) this.irq.set(false);
    },
  };

  private currentStatus(): number {
    return this.drive ? this.status : 0;
  }

  private readRegister(register: number): number {
    switch (register) {
      case 1: return this.error;
      case 2: return this.count;
      case 3: return this.low;
      case 4: return this.mid;
      case 5: return this.high;
      case 6: return this.device;
      default:
        this.irq.set(false);
        return this.currentStatus();
    }
  }

  private writeRegister(register: number, value: number): void {
    switch (register) {
      case 1: this.feature = value; break;
      case 2: this.count = value; break;
      case 3: this.low = value; break;
      case 4: this.mid = value; break;
      case 5: this.high = value; break;
      case 6: this.device = value | 0xa0; break;
      default: if (this.drive) this.command(this.drive, value);
    }
  }

  private softReset(): void {
    this.status = DRDY | DSC;
    this.error = 1;
    this.count = this.low = 1;
    this.mid = this.high = 0;
    this.device = 0xa0;
    this.position = this.limit = this.remaining = 0;
  }

  private command(drive: Drive, value: number): void {
    this.irq.set(false);
    this.error = 0;
    this.status = DRDY | DSC;
    this.position = this.limit = 0;
    switch (value) {
      case 0xec: return this.identify(drive);
      case 0x20: case 0x21: return this.startTransfer(drive, false, 1);
      case 0x30: case 0x31: return this.startTransfer(drive, true, 1);
      case 0xc4: return this.startTransfer(drive, false, drive.multiple);
      case 0xc5: return this.startTransfer(drive, true, drive.multiple);
      case 0xc6: return this.setMultiple(drive);
      case 0x90:
        this.error = 1;
        return this.interrupt();
      case 0xe7: case 0xea:
        drive.image.flush();
        return this.interrupt();
      case 0x40: case 0x41: case 0x70: case 0x91: case 0xe0: case 0xe1: case 0xe5:
        return this.interrupt();
      case 0xef:
        return this.feature === 0x03 || this.feature === 0x02 || this.feature === 0x82 ? this.interrupt() : this.fail(ABRT);
      default:
        return value >> 4 === 1 ? this.interrupt() : this.fail(ABRT);
    }
  }

  private setMultiple(drive: Drive): void {
    if (this.count === 0 || this.count > 128 || this.count & (this.count - 1)) return this.fail(ABRT);
    drive.multiple = this.count;
    this.interrupt();
  }

  private fail(error: number): void {
    this.error = error;
    this.status = DRDY | DSC | ERR;
    this.interrupt();
  }

  private interrupt(): void {
    if (!(this.control & 2)) this.irq.set(true);
  }

  private identify(drive: Drive): void {
    const words = new Uint16Array(256);
    const { sectors } = drive.image;
    const cylinders = Math.min(16383, Math.floor(sectors / (16 * 63)));
    words[0] = 0x0040;
    words[1] = words[54] = cylinders;
    words[3] = words[55] = 16;
    words[6] = words[56] = 63;
    words[47] = 0x8080;
    words[49] = 0x0200; // LBA
    words[53] = 0x0001;
    const chs = cylinders * 16 * 63;
    words[57] = chs & 0xffff;
    words[58] = chs >>> 16;
    words[59] = 0x0100 | drive.multiple;
    words[60] = sectors & 0xffff;
    words[61] = sectors >>> 16;
    words[80] = 0x001e;
    words[82] = 0x0020;
    words[83] = 0x5000;
    words[86] = 0x1000;
    putText(words, 10, 10, 'DF0001');
    putText(words, 23, 4, '1.0');
    putText(words, 27, 20, 'DAMSELFLY DISK');
    this.buffer.set(new Uint8Array(words.buffer), 0);
    this.remaining = 0;
    this.writing = false;
    this.offer(1);
  }

  private address(): number {
    if (this.device & 0x40) return ((this.device & 15) << 24) | (this.high << 16) | (this.mid << 8) | this.low;
    const cylinder = (this.high << 8) | this.mid;
    return (cylinder * 16 + (this.device & 15)) * 63 + this.low - 1;
  }

  private startTransfer(drive: Drive, writing: boolean, blockSectors: number): void {
    this.lba = this.address();
    this.remaining = this.count || 256;
    if (this.lba < 0 || this.lba + this.remaining > drive.image.sectors) return this.fail(IDNF);
    this.writing = writing;
    this.blockSectors = blockSectors;
    if (writing) this.acceptBlock();
    else this.readBlock(drive);
  }

  private readBlock(drive: Drive): void {
    const n = Math.min(this.blockSectors, this.remaining);
    for (let i = 0; i < n; i++) drive.image.read(this.lba + i, this.buffer.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES));
    this.lba += n;
    this.remaining -= n;
    this.offer(n);
  }

  /** A block lies in the buffer for the guest to read. */
  private offer(sectors: number): void {
    this.position = 0;
    this.limit = sectors * SECTOR_BYTES;
    this.status = DRDY | DSC | DRQ;
    this.interrupt();
  }

  private acceptBlock(): void {
    this.position = 0;
    this.limit = Math.min(this.blockSectors, this.remaining) * SECTOR_BYTES;
    this.status = DRDY | DSC | DRQ;
  }

  // hot
  private readData(size: Size): number {
    if (this.writing || this.position + size > this.limit) return size === 4 ? 0xffffffff : (1 << (8 * size)) - 1;
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.buffer[this.position++]! << (8 * i);
    if (this.position >= this.limit) this.readBlockDone();
    return value >>> 0;
  }

  private readBlockDone(): void {
    this.status = DRDY | DSC;
    this.limit = 0;
    if (this.remaining > 0) this.readBlock(this.drive!);
  }

  // hot
  private writeData(size: Size, value: number): void {
    if (!this.writing || this.position + size > this.limit) return;
    for (let i = 0; i < size; i++) this.buffer[this.position++] = value >>> (8 * i);
    if (this.position >= this.limit) this.writeBlockDone(this.drive!);
  }

  private writeBlockDone(drive: Drive): void {
    const n = this.limit / SECTOR_BYTES;
    for (let i = 0; i < n; i++) drive.image.write(this.lba + i, this.buffer.subarray(i * SECTOR_BYTES, (i + 1) * SECTOR_BYTES));
    this.lba += n;
    this.remaining -= n;
    this.limit = 0;
    this.status = DRDY | DSC;
    if (this.remaining > 0) this.acceptBlock();
    else this.writing = false;
    this.interrupt();
  }
}

/** ATA strings have the two characters of a word swapped and are padded with spaces. */
function putText(words: Uint16Array, at: number, count: number, text: string): void {
  const padded = text.padEnd(count * 2);
  for (let i = 0; i < count; i++) words[at + i] = (padded.charCodeAt(2 * i) << 8) | padded.charCodeAt(2 * i + 1);
}
