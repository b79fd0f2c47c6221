// A CD-ROM drive behind ATA's packet interface (ATA/ATAPI-4, chapter 9; MMC-2): INQUIRY, TEST UNIT READY, REQUEST SENSE,
// READ (10, 12, CD), READ CAPACITY, READ TOC, READ SUB-CHANNEL, MODE SENSE, GET EVENT STATUS, START STOP, PREVENT, SEEK.
// One data track of 2048-byte sectors that never changes; a disc is always in. By PIO and by DMA.

import { identityTransfer, putText } from './ata-disk.ts';
import type { DiskImage, DriveModel, Transfer, Unit } from './ata-unit.ts';
import { ERROR, SECTOR_BYTES } from './ata-unit.ts';

export const CD_SECTOR_BYTES = 2048;
const PACKET_BYTES = 12;
const SECTORS_EACH = CD_SECTOR_BYTES / SECTOR_BYTES;
/** Interrupt reason, in the count register: a command is wanted; data goes to the host. */
const [COMMAND_PHASE, TO_HOST] = [1, 2];
const LEAD_OUT = 0xaa;
/** MSF addresses begin two seconds before sector 0. */
const PREGAP = 150;
const FRAMES_PER_SECOND = 75;

/** Sense key and additional sense code. */
type Sense = readonly [number, number];
const NO_SENSE: Sense = [0, 0];
const UNIT_ATTENTION: Sense = [6, 0x29];
const INVALID_COMMAND: Sense = [5, 0x20];
const OUT_OF_RANGE: Sense = [5, 0x21];
const INVALID_FIELD: Sense = [5, 0x24];
const WRITE_PROTECTED: Sense = [7, 0x27];

/** What a packet leads to: bytes for the host, sectors of the disc, or a failure. */
type Outcome = Uint8Array | { lba: number; count: number } | Sense;

const isSense = (outcome: Outcome): outcome is Sense => Array.isArray(outcome);

function word(packet: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = 0; i < bytes; i++) value = value * 256 + packet[at + i]!;
  return value;
}

function bigEndian(value: number, bytes: number): number[] {
  return Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** (bytes - 1 - i)) & 0xff);
}

export class AtapiDrive implements DriveModel {
  readonly signature = [0x14, 0xeb] as const;
  private sense: Sense = UNIT_ATTENTION;
  private attention = true;
  private readonly sectors: number;

  constructor(private readonly image: DiskImage) {
    this.sectors = Math.floor(image.sectors / SECTORS_EACH);
  }

  reset(): void {
    this.sense = UNIT_ATTENTION;
    this.attention = true;
  }

  command(value: number, unit: Unit): void {
    switch (value) {
      case 0xa0: return this.acceptPacket(unit);
      case 0xa1: return unit.start(identityTransfer(identity()));
      case 0x08:
        unit.reset();
        return;
      case 0x90:
        unit.error = 1;
        return unit.later(() => unit.succeed());
      case 0xef: case 0xe0: case 0xe1: case 0xe5: case 0xe7:
        return unit.later(() => unit.succeed());
      case 0xec: case 0x20:
        [unit.task.mid, unit.task.high] = this.signature;
        return unit.fail(ERROR.abrt);
      default: return unit.fail(ERROR.abrt);
    }
  }

  private acceptPacket(unit: Unit): void {
    const dma = (unit.task.feature & 1) !== 0;
    const packet = new Uint8Array(PACKET_BYTES);
    unit.task.count = COMMAND_PHASE;
    unit.start({
      bytes: PACKET_BYTES, blockBytes: PACKET_BYTES, writing: true, dma: false,
      move: (_offset, bytes) => packet.set(bytes),
      finished: () => this.serve(packet, unit, dma),
    });
  }

  private serve(packet: Uint8Array, unit: Unit, dma: boolean): void {
    const outcome = this.execute(packet);
    if (isSense(outcome)) {
      this.sense = outcome;
      if (outcome === NO_SENSE) return this.complete(unit);
      unit.task.count = COMMAND_PHASE | TO_HOST;
      return unit.fail((outcome[0] << 4) | ERROR.abrt);
    }
    this.sense = NO_SENSE;
    const transfer = this.transfer(outcome, unit, dma);
    if (transfer.bytes === 0) this.complete(unit);
    else unit.start(transfer);
  }

  private complete(unit: Unit): void {
    unit.task.count = COMMAND_PHASE | TO_HOST;
    unit.succeed();
  }

  /** Data for the host in pieces of the size that it has put into mid and high. */
  private transfer(outcome: Uint8Array | { lba: number; count: number }, unit: Unit, dma: boolean): Transfer {
    const wanted = (unit.task.high << 8) | unit.task.mid;
    const most = wanted === 0 || wanted === 0xffff ? 0xfffe : wanted;
    const fromDisc = !(outcome instanceof Uint8Array);
    const whole = fromDisc && most >= CD_SECTOR_BYTES ? most - (most % CD_SECTOR_BYTES) : most;
    return {
      bytes: fromDisc ? outcome.count * CD_SECTOR_BYTES : outcome.length,
      blockBytes: whole, writing: false, dma,
      move: (offset, bytes) => (fromDisc ? this.readDisc(outcome.lba * CD_SECTOR_BYTES + offset, bytes) : bytes.set(outcome.subarray(offset, offset + bytes.length))),
      offering: (bytes) => {
        unit.task.count = TO_HOST;
        unit.task.mid = bytes & 0xff;
        unit.task.high = bytes >> 8;
      },
      finished: () => this.complete(unit),
    };
  }

  private readDisc(from: number, into: Uint8Array): void {
    const sector = new Uint8Array(SECTOR_BYTES);
    for (let done = 0; done < into.length;) {
      const at = from + done;
      this.image.read(Math.floor(at / SECTOR_BYTES), sector);
      const part = sector.subarray(at % SECTOR_BYTES, Math.min(SECTOR_BYTES, (at % SECTOR_BYTES) + into.length - done));
      into.set(part, done);
      done += part.length;
    }
  }

  private execute(packet: Uint8Array): Outcome {
    const operation = packet[0]!;
    if (this.attention && operation !== 0x12 && operation !== 0x03) {
      this.attention = false;
      return UNIT_ATTENTION;
    }
    switch (operation) {
      case 0x00: case 0x1b: case 0x1e: case 0x2b: return NO_SENSE;
      case 0x03: return this.requestSense().subarray(0, packet[4]!);
      case 0x12: return inquiry().subarray(0, packet[4]!);
      case 0x25: return Uint8Array.from([...bigEndian(this.sectors - 1, 4), ...bigEndian(CD_SECTOR_BYTES, 4)]);
      case 0x28: return this.read(word(packet, 2, 4), word(packet, 7, 2));
      case 0xa8: return this.read(word(packet, 2, 4), word(packet, 6, 4));
      case 0xbe: return packet[9]! & 0xf8 && (packet[9]! & 0xf8) !== 0x10 ? INVALID_FIELD : this.read(word(packet, 2, 4), packet[9]! & 0x10 ? word(packet, 6, 3) : 0);
      case 0x2a: case 0xaa: return WRITE_PROTECTED;
      case 0x42: return Uint8Array.from([0, 0x15, 0, 0]).subarray(0, word(packet, 7, 2));
      case 0x43: return this.contents(packet);
      case 0x46: return Uint8Array.from([0, 0, 0, 4, 0, 0, 0, 8]).subarray(0, word(packet, 7, 2)); // profile: CD-ROM
      case 0x4a: return Uint8Array.from([0, 6, 4, 0x10, 0, 2, 0, 0]).subarray(0, word(packet, 7, 2)); // media present, no change
      case 0x51: return discInformation().subarray(0, word(packet, 7, 2));
      case 0x5a: return modePage(packet[2]! & 0x3f).subarray(0, word(packet, 7, 2));
      case 0x1a: return modePage(packet[2]! & 0x3f).subarray(0, packet[4]!);
      default: return INVALID_COMMAND;
    }
  }

  private read(lba: number, count: number): Outcome {
    return lba + count > this.sectors ? OUT_OF_RANGE : { lba, count };
  }

  private requestSense(): Uint8Array {
    const [key, code] = this.sense;
    this.attention = false;
    const bytes = new Uint8Array(18);
    bytes.set([0x70, 0, key, 0, 0, 0, 0, 10]);
    bytes[12] = code;
    return bytes;
  }

  /** READ TOC: formats 0 (tracks) and 1 (sessions). */
  private contents(packet: Uint8Array): Outcome {
    const format = (packet[2]! & 15) || packet[9]! >> 6;
    const minutes = (packet[1]! & 2) !== 0;
    const place = (lba: number) => (minutes ? msf(lba) : bigEndian(lba, 4));
    const track = (number: number, lba: number) => [0, 0x14, number, 0, ...place(lba)];
    if (format > 1) return INVALID_FIELD;
    const from = packet[6]!;
    if (from > 1 && from !== LEAD_OUT) return INVALID_FIELD;
    const first = format === 1 || from <= 1 ? track(1, 0) : [];
    const entries = [...first, ...(format === 0 ? track(LEAD_OUT, this.sectors) : [])];
    return Uint8Array.from([...bigEndian(entries.length + 2, 2), 1, 1, ...entries]).subarray(0, word(packet, 7, 2));
  }
}

function msf(lba: number): number[] {
  const frames = lba + PREGAP;
  const seconds = Math.floor(frames / FRAMES_PER_SECOND);
  return [0, Math.floor(seconds / 60), seconds % 60, frames % FRAMES_PER_SECOND];
}

function inquiry(): Uint8Array {
  const bytes = new Uint8Array(36);
  bytes.set([5, 0x80, 0, 0x21, 31]);               // CD-ROM, removable, packet interface
  bytes.set(Buffer.from('DAMSELFLCD-ROM          1.0 '.padEnd(28)), 8);
  return bytes;
}

function discInformation(): Uint8Array {
  const bytes = new Uint8Array(34);
  bytes.set([0, 32, 0x0e, 1, 1, 1, 1]);            // finalised, one session
  return bytes;
}

/** MODE SENSE: error recovery (1) and capabilities (2A), or all. */
function modePage(page: number): Uint8Array {
  const recovery = [0x01, 6, 0, 5, 0, 0, 0, 0];
  const capabilities = [0x2a, 18, 0, 0, 0x71, 0x60, 0x29, 0, ...bigEndian(706, 2), 0, 2, ...bigEndian(512, 2), ...bigEndian(706, 2), 0, 0, 0, 0];
  const pages = [...(page === 1 || page === 0x3f ? recovery : []), ...(page === 0x2a || page === 0x3f ? capabilities : [])];
  return Uint8Array.from([...bigEndian(pages.length + 6, 2), 0x70, 0, 0, 0, 0, 0, ...pages]);
}

function identity(): Uint16Array {
  const words = new Uint16Array(256);
  words[0] = 0x85c0;                               // removable CD-ROM, interrupt within 50 us, 12-byte packets
  putText(words, 10, 10, 'DF0002');
  putText(words, 23, 4, '1.0');
  putText(words, 27, 20, 'DAMSELFLY CD-ROM');
  words[48] = 1;
  words[49] = 0x0300;                              // LBA, DMA
  words[53] = 0x0002;
  words[63] = 0x0407;                              // multiword DMA mode 2
  words[64] = 0x0003;
  words[65] = words[66] = words[67] = words[68] = 120;
  words[71] = words[72] = 30;
  words[80] = 0x001e;
  return words;
}
