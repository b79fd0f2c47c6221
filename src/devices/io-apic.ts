// The I/O APIC at FEC00000: 24 inputs, each with an entry that says which vector it sends to the local APIC, at an edge or
// while its level is high, or that it is masked, as all are after reset. (Intel 82093AA data sheet.)

import type { IrqLine } from '../bus/irq.ts';

export const IO_APIC = 0xfec00000;
/** Its number on the APIC bus, as the firmware sets it and tells in its tables. */
export const IO_APIC_ID = 1;

const PINS = 24;
const [MASKED, LEVEL, IN_SERVICE] = [0x10000, 0x8000, 0x4000];
const TABLE = 0x10;
const VERSION_VALUE = 0x11 | ((PINS - 1) << 16);
/** The timer's interrupt request arrives here, as on most boards. */
const TIMER_PIN = 2;

export class IoApic {
  private select = 0;
  private id = IO_APIC_ID << 24;
  private readonly low = new Array<number>(PINS).fill(MASKED);
  private readonly high = new Array<number>(PINS).fill(0);
  private readonly lines = new Array<boolean>(PINS).fill(false);

  /** @param send takes vector and whether it is level triggered */
  constructor(private readonly send: (vector: number, level: boolean) => void) {}

  /** The input of IRQ n of the ISA bus. */
  line(irq: number): IrqLine {
    const pin = irq === 0 ? TIMER_PIN : irq;
    return { set: (level) => this.setLine(pin, level) };
  }

  private setLine(pin: number, level: boolean): void {
    const rising = level && !this.lines[pin];
    this.lines[pin] = level;
    if (rising || (level && this.low[pin]! & LEVEL)) this.deliver(pin);
  }

  private deliver(pin: number): void {
    const entry = this.low[pin]!;
    if (entry & (MASKED | IN_SERVICE)) return;
    if (entry & LEVEL) this.low[pin] = entry | IN_SERVICE;
    this.send(entry & 0xff, (entry & LEVEL) !== 0);
  }

  /** The local APIC has seen the end of a level-triggered interrupt. */
  ended(vector: number): void {
    this.low.forEach((entry, pin) => {
      if ((entry & 0xff) !== vector || !(entry & IN_SERVICE)) return;
      this.low[pin] = entry & ~IN_SERVICE;
      if (this.lines[pin]) this.deliver(pin);
    });
  }

  /** Register select at offset 0, data at 0x10. */
  read(offset: number): number {
    if (offset < 0x10) return this.select;
    if (this.select >= TABLE) return this.entry(this.select & 1 ? this.high : this.low);
    return this.select === 1 ? VERSION_VALUE : this.id;
  }

  private entry(table: readonly number[]): number {
    return table[(this.select - TABLE) >> 1] ?? 0;
  }

  write(offset: number, value: number): void {
    if (offset < 0x10) this.select = value & 0xff;
    else if (this.select < TABLE) this.id = this.select === 1 ? this.id : value & 0x0f000000;
    else this.writeEntry((this.select - TABLE) >> 1, value);
  }

  private writeEntry(pin: number, value: number): void {
    if (pin >= PINS) return;
    if (this.select & 1) {
      this.high[pin] = value;
      return;
    }
    this.low[pin] = (value & 0x1afff) | (value & LEVEL ? this.low[pin]! & IN_SERVICE : 0);
    if (this.low[pin]! & LEVEL && this.lines[pin]) this.deliver(pin);
  }
}
