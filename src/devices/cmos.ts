// The MC146818 clock and its 128 bytes of battery-backed memory at ports 0x70-0x71. The time of day is a fixed start
// (1 January 2007, 00:00:00 UTC), or what the guest set, plus virtual time, so that runs are repeatable. The update flag
// stands for the last 244 microseconds of a second; the periodic, alarm and update interrupts drive IRQ 8.

import type { Clock, ClockEvent } from '../bus/clock.ts';
import type { IrqLine } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';

/** Seconds since 1970 at power-on. */
export const POWER_ON_TIME = 1167609600;

/** Seconds before the end of each that the registers may change. */
const UPDATE_TIME = 244e-6;
const [A, B, C] = [0x0a, 0x0b, 0x0c];
const SET = 0x80;          // register B: updates stopped
const PERIODIC = 0x40;     // interrupt bits, the same in B (enable) and C (flag)
const ALARM = 0x20;
const UPDATE = 0x10;
const BINARY = 4;
const HOURS_24 = 2;
const ANY_INTERRUPT = 0x80;
const TIME_REGISTERS = [0, 2, 4, 7, 8, 9];

export class Cmos {
  private index = 0;
  private readonly bytes = new Uint8Array(128);
  /** Wall time minus virtual time, in seconds. */
  private offset = POWER_ON_TIME;
  /** Fields of the clock while it is stopped for setting. */
  private frozen: number[] | null = null;
  private periodic: ClockEvent | null = null;
  private second: ClockEvent | null = null;

  /**
   * @param ramBytes installed memory, reported in the usual places
   * @param before the same chip before a reset: the battery keeps its memory and its time
   */
  constructor(private readonly clock: Clock, private readonly irq: IrqLine, ramBytes: number, before: Cmos | null = null) {
    if (before) {
      this.offset = before.offset;
      this.bytes.set(before.bytes);
    }
    this.bytes[C] = 0;
    const extended = Math.min(0xffff, (ramBytes - 0x100000) >>> 10);
    const above16M = Math.min(0xffff, Math.max(0, ramBytes - 0x1000000) >>> 16);
    this.bytes[A] = 0x26;
    this.bytes[B] = HOURS_24;
    this.bytes[0x0d] = 0x80;
    this.bytes[0x14] = 0x06; // equipment: VGA, coprocessor
    this.bytes[0x15] = 0x80; // 640 KiB base memory
    this.bytes[0x16] = 0x02;
    this.bytes[0x17] = this.bytes[0x30] = extended & 0xff;
    this.bytes[0x18] = this.bytes[0x31] = extended >> 8;
    this.bytes[0x34] = above16M & 0xff;
    this.bytes[0x35] = above16M >> 8;
    this.bytes[0x32] = 0x20; // century
  }

  readonly ports: PortHandler = {
    read: (port) => (port & 1 ? this.read() : 0xff),
    write: (port, _size, value) => {
      if (port & 1) this.write(value);
      else this.index = value & 0x7f;
    },
  };

  private read(): number {
    if (TIME_REGISTERS.includes(this.index) || this.index === 6) return this.time();
    if (this.index === A) return this.bytes[A]! | (this.updating() ? 0x80 : 0);
    if (this.index !== C) return this.bytes[this.index]!;
    const flags = this.bytes[C]!;
    this.bytes[C] = 0;
    this.irq.set(false);
    return flags;
  }

  private updating(): boolean {
    return !this.frozen && this.clock.hertz - (this.clock.now % this.clock.hertz) <= Math.floor(UPDATE_TIME * this.clock.hertz);
  }

  private time(): number {
    if (this.index === 6) return this.encode(this.date().getUTCDay() + 1);
    const value = this.fields()[TIME_REGISTERS.indexOf(this.index)]!;
    return this.index === 4 ? this.encodeHour(value) : this.encode(value);
  }

  private date(): Date {
    return new Date((this.offset + Math.floor(this.clock.now / this.clock.hertz)) * 1000);
  }

  /** Second, minute, hour, day, month, year of the century. */
  private fields(): number[] {
    if (this.frozen) return this.frozen;
    const date = this.date();
    return [date.getUTCSeconds(), date.getUTCMinutes(), date.getUTCHours(), date.getUTCDate(), date.getUTCMonth() + 1, date.getUTCFullYear() % 100];
  }

  private encode(value: number): number {
    return this.bytes[B]! & BINARY ? value : parseInt(String(value), 16);
  }

  private encodeHour(hour: number): number {
    if (this.bytes[B]! & HOURS_24) return this.encode(hour);
    return this.encode(hour % 12 || 12) | (hour >= 12 ? 0x80 : 0);
  }

  private decode(value: number): number {
    return this.bytes[B]! & BINARY ? value : (value >> 4) * 10 + (value & 15);
  }

  private decodeHour(value: number): number {
    if (this.bytes[B]! & HOURS_24) return this.decode(value);
    return (this.decode(value & 0x7f) % 12) + (value & 0x80 ? 12 : 0);
  }

  private write(value: number): void {
    const field = TIME_REGISTERS.indexOf(this.index);
    if (field >= 0) this.setField(field, value);
    else if (this.index === A) this.writeA(value);
    else if (this.index === B) this.writeB(value);
    else if (this.index !== C && this.index !== 0x0d && this.index !== 6) this.bytes[this.index] = value;
  }

  private setField(field: number, value: number): void {
    const fields = [...this.fields()];
    fields[field] = field === 2 ? this.decodeHour(value) : this.decode(value);
    if (this.frozen) this.frozen = fields;
    else this.setTime(fields);
  }

  private setTime(fields: readonly number[]): void {
    const [second, minute, hour, day, month, year] = fields as [number, number, number, number, number, number];
    const century = this.decode(this.bytes[0x32]!) || 20;
    const seconds = Date.UTC(century * 100 + year, month - 1, day, hour, minute, second) / 1000;
    this.offset = seconds - Math.floor(this.clock.now / this.clock.hertz);
  }

  private writeA(value: number): void {
    this.bytes[A] = value & 0x7f;
    this.planPeriodic();
  }

  private writeB(value: number): void {
    if (value & SET) this.frozen ??= this.fields();
    else if (this.frozen) {
      this.setTime(this.frozen);
      this.frozen = null;
    }
    this.bytes[B] = value & SET ? value & ~UPDATE : value;
    this.planPeriodic();
    this.planSecond();
    this.raise(0);
  }

  /** Cycles between periodic interrupts by the rate in register A, or 0. */
  private period(): number {
    const rate = this.bytes[A]! & 15;
    if (rate === 0 || !(this.bytes[B]! & PERIODIC)) return 0;
    const ticks = 2 ** ((rate < 3 ? rate + 7 : rate) - 1); // of 32768 Hz
    return (ticks * this.clock.hertz) / 32768;
  }

  private planPeriodic(): void {
    this.clock.cancel(this.periodic);
    this.periodic = null;
    const period = this.period();
    if (!period) return;
    const next = Math.ceil((Math.floor(this.clock.now / period) + 1) * period);
    this.periodic = this.clock.schedule(next, () => {
      this.raise(PERIODIC);
      this.planPeriodic();
    });
  }

  /** The end of each second matters only to the alarm and update interrupts. */
  private planSecond(): void {
    this.clock.cancel(this.second);
    this.second = null;
    if (!(this.bytes[B]! & (ALARM | UPDATE)) || this.frozen) return;
    const next = (Math.floor(this.clock.now / this.clock.hertz) + 1) * this.clock.hertz;
    this.second = this.clock.schedule(next, () => {
      this.raise(UPDATE | (this.alarmMatches() ? ALARM : 0));
      this.planSecond();
    });
  }

  private alarmMatches(): boolean {
    const [second, minute, hour] = this.fields() as [number, number, number];
    const encoded = [this.encode(second), this.encode(minute), this.encodeHour(hour)];
    return encoded.every((value, i) => this.bytes[2 * i + 1]! >= 0xc0 || this.bytes[2 * i + 1] === value);
  }

  private raise(flags: number): void {
    this.bytes[C] = this.bytes[C]! | flags;
    if (this.bytes[C]! & this.bytes[B]! & (PERIODIC | ALARM | UPDATE)) {
      this.bytes[C] = this.bytes[C]! | ANY_INTERRUPT;
      this.irq.set(true);
    }
  }
}
