// One drive of an ATA channel: task file, status, and the command in progress. A command takes virtual time: the drive is
// busy until its event fires, then it offers or asks for data, block by block for programmed I/O or all at once for a bus
// master. What commands mean is in ata-disk.ts and atapi.ts. (ATA/ATAPI-4, chapter 9.)

import type { Clock, ClockEvent } from '../bus/clock.ts';
import type { Size } from '../bus/ports.ts';

export const SECTOR_BYTES = 512;

/** Where a disk's sectors live. Methods may throw; the guest sees an uncorrectable data error then. */
export interface DiskImage {
  readonly sectors: number;
  /** A CD-ROM: read-only, in sectors of 2048 bytes, behind the packet interface. */
  readonly cdrom?: boolean;
  read(sector: number, into: Uint8Array): void;
  write(sector: number, from: Uint8Array): void;
  flush(): void;
}

export const STATUS = { err: 0x01, drq: 0x08, dsc: 0x10, drdy: 0x40, bsy: 0x80 } as const;
export const ERROR = { abrt: 0x04, idnf: 0x10, unc: 0x40 } as const;

/** The data of one command: a number of bytes that are moved in blocks, in one direction. */
export interface Transfer {
  readonly bytes: number;
  readonly blockBytes: number;
  readonly writing: boolean;
  readonly dma: boolean;
  /** First sector on the medium, where that matters for the time that it takes. */
  readonly sector?: number;
  /** Moves bytes between the medium and memory; offset and length are whole sectors, except at the end. May throw. */
  readonly move: (offset: number, bytes: Uint8Array) => void;
  /** All bytes have been moved. */
  readonly finished?: () => void;
  /** A block is about to be offered to the host. */
  readonly offering?: (bytes: number) => void;
}

/** The registers of one drive; software writes those of both. */
export interface TaskFile {
  feature: number;
  count: number;
  low: number;
  mid: number;
  high: number;
  device: number;
}

/** What a drive does with commands. */
export interface DriveModel {
  /** Signature in mid and high after a reset. */
  readonly signature: readonly [number, number];
  command(value: number, unit: Unit): void;
  reset(): void;
}

/** How long a drive takes, in seconds and bytes per second. */
export interface DriveTiming {
  /** Until the first sector of a command that does not begin where the one before ended. */
  readonly access: number;
  /** For a command, whatever it does. */
  readonly command: number;
  /** Bytes per second once the data come. */
  readonly rate: number;
}

/** Until a drive with a warm cache answers: 5 microseconds. */
const COMMAND_SECONDS = 5e-6;
/** DMA: 100 microseconds, then 33 MB a second. */
const DMA_SECONDS = 100e-6;
const DMA_BYTES_PER_SECOND = 33_000_000;

export class Unit {
  readonly task: TaskFile = { feature: 0, count: 1, low: 1, mid: 0, high: 0, device: 0xa0 };
  status = 0;
  error = 1;
  private buffer = new Uint8Array(0);
  private position = 0;
  private limit = 0;
  private transfer: Transfer | null = null;
  private done = 0;
  private event: ClockEvent | null = null;
  private follows = -1;        // the sector behind the last transfer

  /** @param timing of a drive with a disk that turns; null: one with a warm cache */
  constructor(
    readonly model: DriveModel,
    private readonly clock: Clock,
    private readonly raise: () => void,
    private readonly dmaReady: () => void,
    private readonly timing: DriveTiming | null = null,
  ) {
    this.reset();
  }

  reset(): void {
    this.cancel();
    this.model.reset();
    this.status = STATUS.drdy | STATUS.dsc;
    this.error = 1;
    const [mid, high] = this.model.signature;
    Object.assign(this.task, { count: 1, low: 1, mid, high, device: 0xa0 });
    if (mid) this.status = 0; // a packet device is not ready before its first command
  }

  private cancel(): void {
    this.clock.cancel(this.event);
    this.event = null;
    this.transfer = null;
    this.position = this.limit = 0;
  }

  command(value: number): void {
    if (this.status & STATUS.bsy && value !== 0x08) return;
    this.cancel();
    this.error = 0;
    this.status = STATUS.drdy | STATUS.dsc;
    this.model.command(value, this);
  }

  /** Busy for a while, then calls `then`. */
  later(then: () => void): void {
    this.status = STATUS.bsy | STATUS.dsc;
    this.after(COMMAND_SECONDS, then);
  }

  /** Seconds that a transfer takes; those of a warm cache come in where the drive has no timing of its own. */
  private duration(transfer: Transfer, warm: number): number {
    const { timing } = this;
    const { sector } = transfer;
    if (!timing || sector === undefined) return warm;
    const access = sector === this.follows ? 0 : timing.access;
    this.follows = sector + transfer.bytes / SECTOR_BYTES;
    return timing.command + access + transfer.bytes / timing.rate;
  }

  private after(seconds: number, then: () => void): void {
    this.event = this.clock.schedule(this.clock.now + Math.ceil(seconds * this.clock.hertz), () => {
      this.event = null;
      then();
    });
  }

  /** The command has succeeded. */
  succeed(): void {
    this.transfer = null;
    this.status = STATUS.drdy | STATUS.dsc;
    this.raise();
  }

  /** The command has failed with bits of the error register. */
  fail(error: number): void {
    this.transfer = null;
    this.error = error;
    this.status = STATUS.drdy | STATUS.dsc | STATUS.err;
    this.raise();
  }

  /** Begins to move a command's data. */
  start(transfer: Transfer): void {
    this.transfer = transfer;
    this.done = 0;
    if (transfer.dma) {
      this.status = STATUS.bsy | STATUS.dsc;
      this.dmaReady();
    } else if (transfer.writing) {
      this.acceptBlock();
    } else {
      this.status = STATUS.bsy | STATUS.dsc;
      this.after(this.duration(transfer, COMMAND_SECONDS), () => this.offerBlock());
    }
  }

  /** The transfer that waits for a bus master, or null. */
  get dma(): Transfer | null {
    return this.transfer?.dma && !this.event ? this.transfer : null;
  }

  /** A bus master moves the waiting transfer: `move` is called when the time has come, and says whether all could be moved. */
  serveDma(move: (transfer: Transfer) => boolean): void {
    const transfer = this.dma!;
    this.status = STATUS.drdy | STATUS.dsc | STATUS.drq;
    this.after(this.duration(transfer, DMA_SECONDS + transfer.bytes / DMA_BYTES_PER_SECOND), () => {
      if (this.guarded(() => move(transfer))) this.finish(transfer);
    });
  }

  /** The bus master was stopped in the middle: the transfer waits for another start. */
  abandonDma(): void {
    if (!this.transfer?.dma) return;
    this.clock.cancel(this.event);
    this.event = null;
  }

  private finish(transfer: Transfer): void {
    if (transfer.finished) transfer.finished();
    else this.succeed();
  }

  /** False, and the command failed, when the medium's owner throws. */
  private guarded(action: () => boolean): boolean {
    try {
      return action();
    } catch {
      this.fail(ERROR.unc);
      return false;
    }
  }

  /** The block that begins at `done` into the buffer, for the host to read. */
  private offerBlock(): void {
    const transfer = this.transfer!;
    const length = Math.min(transfer.blockBytes, transfer.bytes - this.done);
    const moved = this.guarded(() => {
      transfer.move(this.done, this.room(length));
      return true;
    });
    if (!moved) return;
    transfer.offering?.(length);
    this.expect(length);
    this.raise();
  }

  private acceptBlock(): void {
    const length = Math.min(this.transfer!.blockBytes, this.transfer!.bytes - this.done);
    this.room(length);
    this.expect(length);
  }

  private room(length: number): Uint8Array {
    if (this.buffer.length < length) this.buffer = new Uint8Array(length);
    return this.buffer.subarray(0, length);
  }

  private expect(length: number): void {
    this.position = 0;
    this.limit = length;
    this.status = STATUS.drdy | STATUS.dsc | STATUS.drq;
  }

  // hot
  readData(size: Size): number {
    if (!this.transfer || this.transfer.writing || this.position + size > this.limit) return this.readRest(size);
    let value = 0;
    for (let i = 0; i < size; i++) value |= this.buffer[this.position++]! << (8 * i);
    if (this.position >= this.limit) this.blockRead();
    return value >>> 0;
  }

  /** Odd ends of a block, or nothing at all. */
  private readRest(size: Size): number {
    const left = this.transfer && !this.transfer.writing ? this.limit - this.position : 0;
    if (left <= 0) return size === 4 ? 0xffffffff : (1 << (8 * size)) - 1;
    let value = 0;
    for (let i = 0; i < left; i++) value |= this.buffer[this.position++]! << (8 * i);
    this.blockRead();
    return value >>> 0;
  }

  private blockRead(): void {
    const transfer = this.transfer!;
    this.done += this.limit;
    this.limit = this.position = 0;
    this.status = STATUS.drdy | STATUS.dsc;
    if (this.done < transfer.bytes) this.offerBlock();
    else if (transfer.finished) transfer.finished();
    else this.transfer = null;
  }

  // hot
  writeData(size: Size, value: number): void {
    if (!this.transfer?.writing || this.limit === 0) return;
    for (let i = 0; i < size && this.position < this.limit; i++) this.buffer[this.position++] = value >>> (8 * i);
    if (this.position >= this.limit) this.blockWritten();
  }

  private blockWritten(): void {
    const transfer = this.transfer!;
    const offset = this.done;
    this.done += this.limit;
    const bytes = this.buffer.subarray(0, this.limit);
    this.limit = this.position = 0;
    const moved = this.guarded(() => {
      transfer.move(offset, bytes);
      return true;
    });
    if (!moved) return;
    if (this.done >= transfer.bytes) {
      this.status = STATUS.bsy | STATUS.dsc;
      this.after(this.duration(transfer, COMMAND_SECONDS), () => this.finish(transfer));
      return;
    }
    this.acceptBlock();
    this.raise();
  }
}
