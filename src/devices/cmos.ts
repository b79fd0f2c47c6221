// The MC146818 clock and its 128 bytes of battery-backed memory at ports 0x70-0x71. The time of day is a fixed start
// (1 January 2007, 00:00:00 UTC) plus virtual time, so that runs are repeatable; the periodic interrupt is not wired.

import type { Clock } from '../bus/clock.ts';
import { CYCLES_PER_SECOND } from '../bus/clock.ts';
import type { PortHandler } from '../bus/ports.ts';

/** Seconds since 1970 at power-on. */
export const POWER_ON_TIME = 1167609600;

export class Cmos {
  private index = 0;
  private readonly bytes = new Uint8Array(128);

  /** @param ramBytes installed memory, reported in the usual places */
  constructor(private readonly clock: Clock, ramBytes: number) {
    const extended = Math.min(0xffff, (ramBytes - 0x100000) >>> 10);
    const above16M = Math.min(0xffff, Math.max(0, ramBytes - 0x1000000) >>> 16);
    this.bytes[0x0a] = 0x26;
    this.bytes[0x0b] = 0x02;
    this.bytes[0x0d] = 0x80;
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
    const seconds = POWER_ON_TIME + Math.floor(this.clock.now / CYCLES_PER_SECOND);
    const date = new Date(seconds * 1000);
    switch (this.index) {
      case 0: return this.encode(date.getUTCSeconds());
      case 2: return this.encode(date.getUTCMinutes());
      case 4: return this.encode(date.getUTCHours());
      case 6: return date.getUTCDay() + 1;
      case 7: return this.encode(date.getUTCDate());
      case 8: return this.encode(date.getUTCMonth() + 1);
      case 9: return this.encode(date.getUTCFullYear() % 100);
      default: return this.bytes[this.index]!;
    }
  }

  private encode(value: number): number {
    return this.bytes[0x0b]! & 4 ? value : parseInt(String(value), 16);
  }

  private write(value: number): void {
    if (this.index !== 0x0c && this.index !== 0x0d) this.bytes[this.index] = value;
  }
}
