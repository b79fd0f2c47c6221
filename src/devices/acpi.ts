// The power management function of a PIIX4 as far as ACPI's fixed hardware goes: event, enable and control register of block
// PM1a, the 24-bit timer at 3.579545 MHz, and the command port by which a system switches from the legacy mode to ACPI's. The
// system control interrupt is level triggered and rises only in ACPI mode. Putting SLP_EN into the control register powers
// off, whatever the sleep type: soft off is the only sleep that the tables name. (ACPI 1.0, section 4.7; Intel 82371AB.)

import type { Clock, ClockEvent } from '../bus/clock.ts';
import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler, PortMap } from '../bus/ports.ts';
import type { PciFunction } from './pci.ts';

/** The registers' place as a BIOS sets it; event block, control and timer are at 0, 4 and 8. */
export const PM_BASE = 0x600;
export const PM_CONTROL = 4;
export const PM_TIMER = 8;
export const SMI_COMMAND = 0xb2;
export const ACPI_ENABLE = 0xf1;
export const ACPI_DISABLE = 0xf0;
export const SCI_IRQ = 9;

const PORTS = 64;
const TIMER_HZ = 3_579_545;
/** The timer's status bit is set whenever this bit of the count changes. */
const TIMER_HALF = 0x80_0000;
const TIMER_MASK = 0xff_ffff;
const [TIMER_STATUS, GLOBAL, POWER_BUTTON, RTC] = [0x001, 0x020, 0x100, 0x400];
const EVENTS = TIMER_STATUS | GLOBAL | POWER_BUTTON | RTC;
const [SCI_ENABLE, SLEEP_ENABLE] = [1, 0x20];
const [BASE_REGISTER, MISCELLANEOUS] = [0x40, 0x80];

export class AcpiFunction implements PciFunction {
  readonly device = 1;
  readonly function = 3;
  readonly bytes = new Uint8Array(256);
  readonly writable = new Uint8Array(256);
  private base = -1;
  private status = 0;
  private enable = 0;
  private control = 0;
  /** Tick at which the timer's status bit is set next. */
  private half = TIMER_HALF;
  private event: ClockEvent | null = null;
  private readonly command = [0, 0];

  /** @param off powers the machine off */
  constructor(private readonly ports: PortMap, private readonly clock: Clock, private readonly sci: IrqLine, private readonly off: () => void) {
    this.bytes.set([0x86, 0x80, 0x13, 0x71, 0, 0, 0x80, 0x02, 3, 0, 0x80, 0x06]);
    this.bytes.set([SCI_IRQ, 1], 0x3c);
    this.bytes.set([(PM_BASE & 0xff) | 1, PM_BASE >> 8], BASE_REGISTER);
    this.bytes[MISCELLANEOUS] = 1;
    this.writable.set([0xc0, 0xff], BASE_REGISTER);
    this.writable[0x3c] = 0xff;
    this.writable[MISCELLANEOUS] = 1;
    this.written();
  }

  /** Puts the registers where the configuration space says, if it lets them answer. */
  written(): void {
    const place = (this.bytes[BASE_REGISTER]! | (this.bytes[BASE_REGISTER + 1]! << 8)) & 0xffc0;
    const base = this.bytes[MISCELLANEOUS]! & 1 && place ? place : -1;
    if (base === this.base) return;
    if (this.base >= 0) this.ports.detach(this.base, this.base + PORTS - 1, this.registers);
    if (base >= 0) this.ports.attachFree(base, base + PORTS - 1, this.registers);
    this.base = base;
  }

  private readonly registers: PortHandler = {
    read: (port) => this.read(port - this.base),
    write: (port, _size, value) => this.write(port - this.base, value),
  };

  /** Ports 0xB2 and 0xB3: a command for the firmware, and a byte beside it. */
  readonly commandPorts: PortHandler = {
    read: (port) => this.command[port & 1]!,
    write: (port, _size, value) => {
      this.command[port & 1] = value;
      if (port !== SMI_COMMAND) return;
      if (value === ACPI_ENABLE) this.control |= SCI_ENABLE;
      if (value === ACPI_DISABLE) this.control &= ~SCI_ENABLE;
      this.update();
    },
  };

  /** The button on the front: a running system is told, and decides what to do. */
  pressPower(): void {
    this.status |= POWER_BUTTON;
    this.update();
  }

  private read(at: number): number {
    switch (at) {
      case 0: case 1: return (this.events() >> (8 * at)) & 0xff;
      case 2: case 3: return (this.enable >> (8 * (at - 2))) & 0xff;
      case 4: case 5: return (this.control >> (8 * (at - 4))) & 0xff;
      case 8: case 9: case 10: return ((this.clock.ticks(TIMER_HZ) & TIMER_MASK) >> (8 * (at - 8))) & 0xff;
      default: return 0;
    }
  }

  private write(at: number, value: number): void {
    const shift = 8 * (at & 1);
    if (at < 2) this.acknowledge(value << shift);
    else if (at < 4) this.enable = ((this.enable & ~(0xff << shift)) | (value << shift)) & EVENTS;
    else if (at === 4) this.control = (this.control & 0xff00) | (value & ~4);
    else if (at === 5) this.sleep(value);
    this.update();
  }

  /** Status bits are cleared by ones. */
  private acknowledge(bits: number): void {
    this.status = this.events() & ~bits;
    if (bits & TIMER_STATUS) this.half = (Math.floor(this.clock.ticks(TIMER_HZ) / TIMER_HALF) + 1) * TIMER_HALF;
  }

  private sleep(high: number): void {
    this.control = (this.control & 0xff) | ((high & ~SLEEP_ENABLE) << 8);
    if (high & SLEEP_ENABLE) this.off();
  }

  private events(): number {
    if (this.clock.ticks(TIMER_HZ) >= this.half) this.status |= TIMER_STATUS;
    return this.status;
  }

  /** The interrupt's level, and the event at which the timer changes it. */
  private update(): void {
    const acpi = (this.control & SCI_ENABLE) !== 0;
    this.sci.set(acpi && (this.events() & this.enable & EVENTS) !== 0);
    this.clock.cancel(this.event);
    this.event = null;
    if (!acpi || !(this.enable & TIMER_STATUS) || this.status & TIMER_STATUS) return;
    this.event = this.clock.schedule(this.clock.cycleOf(this.half, TIMER_HZ), () => this.update());
  }
}
