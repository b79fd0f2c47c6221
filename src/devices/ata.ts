// One ATA channel with up to two drives: the command and control ports, which drive is selected, and the interrupt line,
// which rises unless nIEN is set (ATA/ATAPI-4). A drive that is not there reads as zero, so that software finds nothing.

import type { Clock } from '../bus/clock.ts';
import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';
import { AtaDisk } from './ata-disk.ts';
import { STATUS, Unit } from './ata-unit.ts';
import type { DiskImage, DriveTiming } from './ata-unit.ts';
import { AtapiDrive } from './atapi.ts';

export { SECTOR_BYTES } from './ata-unit.ts';
export type { DiskImage } from './ata-unit.ts';

const NIEN = 2;
const SRST = 4;
const DIAGNOSE = 0x90;

export class AtaChannel {
  private readonly units: (Unit | null)[];
  private selected = 0;
  private control = 0;
  /** Told when a drive waits for DMA. */
  dmaRequested: () => void = () => {};
  /** Told when the interrupt line rises. */
  interrupted: () => void = () => {};

  /**
   * @param base first of eight command ports (0x1F0); the control port is base + 0x206
   * @param timing of its disks (ata-unit.ts)
   */
  constructor(
    private readonly base: number,
    clock: Clock,
    private readonly irq: IrqLine,
    images: readonly (DiskImage | null)[],
    timing: DriveTiming | null = null,
  ) {
    this.units = [0, 1].map((n) => {
      const image = images[n];
      if (!image) return null;
      const model = image.cdrom ? new AtapiDrive(image) : new AtaDisk(image);
      return new Unit(model, clock, () => this.raise(n), () => this.dmaRequested(), timing);
    });
  }

  /** The selected drive, or null when it is not there. */
  get unit(): Unit | null {
    return this.units[this.selected]!;
  }

  readonly ports: PortHandler = {
    wide: 4,
    read: (port, size) => (port === this.base ? (this.unit?.readData(size) ?? 0) : this.readRegister(port - this.base)),
    write: (port, size, value) => {
      if (port === this.base) this.unit?.writeData(size, value);
      else this.writeRegister(port - this.base, value & 0xff);
    },
  };

  readonly controlPort: PortHandler = {
    read: () => this.unit?.status ?? 0,
    write: (_port, _size, value) => {
      if (value & SRST && !(this.control & SRST)) this.reset();
      this.control = value;
      if (value & NIEN) this.irq.set(false);
    },
  };

  private reset(): void {
    this.selected = 0;
    this.irq.set(false);
    for (const unit of this.units) unit?.reset();
  }

  private raise(n: number): void {
    if (n !== this.selected || this.control & NIEN) return;
    this.irq.set(true);
    this.interrupted();
  }

  private readRegister(register: number): number {
    const { unit } = this;
    if (!unit) return 0;
    const { task } = unit;
    switch (register) {
      case 1: return unit.error;
      case 2: return task.count;
      case 3: return task.low;
      case 4: return task.mid;
      case 5: return task.high;
      case 6: return task.device;
      default:
        this.irq.set(false);
        return unit.status;
    }
  }

  private writeRegister(register: number, value: number): void {
    if (register === 7) return this.command(value);
    if (register === 6) this.selected = (value >> 4) & 1;
    const name = (['feature', 'feature', 'count', 'low', 'mid', 'high', 'device'] as const)[register]!;
    for (const unit of this.units) {
      if (unit && !(unit.status & STATUS.bsy)) unit.task[name] = register === 6 ? value | 0xa0 : value;
    }
  }

  private command(value: number): void {
    this.irq.set(false);
    if (value === DIAGNOSE) for (const unit of this.units) unit?.command(value);
    else this.unit?.command(value);
  }
}
