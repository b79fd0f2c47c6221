// The 8254 interval timer (ports 0x40-0x43) and the gate and speaker port 0x61. All six modes count as the data sheet
// says, in binary or BCD; channel 0's output drives IRQ 0. Counts derive from virtual time, 1.193182 MHz.

import type { Clock, ClockEvent } from '../bus/clock.ts';
import type { IrqLine } from '../bus/irq.ts';
import { NO_IRQ } from '../bus/irq.ts';
import type { PortHandler } from '../bus/ports.ts';

const PIT_HZ = 1_193_182;

class Channel {
  mode = 3;
  bcd = false;
  access = 3;              // 1 low, 2 high, 3 low then high
  reload = 0x10000;
  start = 0;               // tick at which counting (re)started
  running = false;         // a count has been loaded (and, in modes 1 and 5, triggered)
  gate = true;
  frozen = 0;              // ticks counted when the gate stopped modes 0, 2, 3, 4
  writeLow = -1;           // low byte waiting for the high byte
  readHigh = false;
  latched = -1;
  latchedStatus = -1;
  event: ClockEvent | null = null;

  constructor(private readonly clock: Clock, private readonly out: IrqLine) {}

  /** Counts from power-on, as a BIOS leaves channel 0: mode 3, 65,536. Nobody sees the output yet. */
  runUnseen(): void {
    this.running = true;
  }

  /** From now on the output is seen. */
  beSeen(): void {
    if (this.running && !this.event) this.plan();
  }

  private elapsed(): number {
    return this.running && (this.gate || this.mode === 1 || this.mode === 5) ? this.clock.ticks(PIT_HZ) - this.start : this.frozen;
  }

  /** The value in the counting element. */
  count(): number {
    const n = this.elapsed();
    if (this.mode === 2) return this.reload - (n % this.reload);
    if (this.mode === 3) return this.reload - ((2 * n) % this.reload);
    return (((this.reload - n) % 0x10000) + 0x10000) % 0x10000;
  }

  /** The OUT pin. */
  output(): boolean {
    const n = this.elapsed();
    switch (this.mode) {
      case 0:
      case 1: return this.running ? n >= this.reload : this.mode === 1;
      case 2: return !this.gate || n % this.reload !== this.reload - 1;
      case 3: return !this.gate || n % this.reload < Math.ceil(this.reload / 2);
      default: return !this.running || n !== this.reload;
    }
  }

  control(value: number): void {
    this.access = (value >> 4) & 3;
    this.mode = (value >> 1) & 7;
    if (this.mode > 5) this.mode -= 4;
    this.bcd = (value & 1) !== 0;
    this.writeLow = this.latched = this.latchedStatus = -1;
    this.readHigh = this.running = false;
    this.frozen = 0;
    this.clock.cancel(this.event);
    this.event = null;
    this.out.set(this.mode !== 0);
  }

  write(value: number): void {
    if (this.access === 3) {
      if (this.writeLow < 0) {
        this.writeLow = value;
        if (this.mode === 0) this.stop();
        return;
      }
      this.load(this.writeLow | (value << 8));
      this.writeLow = -1;
    } else {
      this.load(this.access === 2 ? value << 8 : value);
    }
  }

  private load(raw: number): void {
    const count = this.bcd ? parseInt(raw.toString(16).replace(/[a-f]/g, '9'), 10) : raw;
    this.reload = count || (this.bcd ? 10000 : 0x10000);
    if (this.mode === 1 || this.mode === 5) return; // starts at the gate's rising edge
    this.restart();
  }

  private restart(): void {
    this.start = this.clock.ticks(PIT_HZ);
    this.frozen = 0;
    this.running = true;
    this.plan();
  }

  private stop(): void {
    this.frozen = this.elapsed();
    this.clock.cancel(this.event);
    this.event = null;
  }

  setGate(level: boolean): void {
    const rising = level && !this.gate;
    if (!level && this.gate && this.mode !== 1 && this.mode !== 5) this.stop();
    this.gate = level;
    if (!rising || this.mode === 0 || this.mode === 4) {
      if (rising && this.running) this.resume();
      return;
    }
    this.restart();
  }

  private resume(): void {
    this.start = this.clock.ticks(PIT_HZ) - this.frozen;
    this.plan();
  }

  /** Schedules the next edge of OUT that an interrupt controller would see. */
  private plan(): void {
    this.clock.cancel(this.event);
    this.event = null;
    this.out.set(this.output());
    if (this.out === NO_IRQ || !this.gate) return;
    const n = this.clock.ticks(PIT_HZ) - this.start;
    if (this.mode === 2 || this.mode === 3) {
      const next = (Math.floor(n / this.reload) + 1) * this.reload;
      this.event = this.clock.schedule(this.clock.cycleOf(this.start + next, PIT_HZ), () => this.pulse());
      return;
    }
    const edge = this.mode >= 4 ? this.reload + 1 : this.reload; // strobes rise one tick after they fall
    if (n < edge) this.event = this.clock.schedule(this.clock.cycleOf(this.start + edge, PIT_HZ), () => this.pulse());
  }

  /** A rising edge of OUT: the low part of the wave is too short for anybody to see. */
  private pulse(): void {
    this.event = null;
    this.out.set(false);
    this.out.set(true);
    this.plan();
  }

  latch(): void {
    if (this.latched < 0) this.latched = this.encoded();
  }

  latchStatus(): void {
    if (this.latchedStatus >= 0) return;
    const out = this.output() ? 0x80 : 0;
    this.latchedStatus = out | (this.running ? 0 : 0x40) | (this.access << 4) | (this.mode << 1) | (this.bcd ? 1 : 0);
  }

  private encoded(): number {
    const count = this.count() & 0xffff;
    return this.bcd ? parseInt(String(count % 10000), 16) : count;
  }

  read(): number {
    if (this.latchedStatus >= 0) {
      const status = this.latchedStatus;
      this.latchedStatus = -1;
      return status;
    }
    const value = this.latched >= 0 ? this.latched : this.encoded();
    const high = this.access === 2 || (this.access === 3 && this.readHigh);
    if (this.access === 3) this.readHigh = !this.readHigh;
    if (this.access !== 3 || high) this.latched = -1;
    return high ? value >> 8 : value & 0xff;
  }
}

export class Pit {
  private readonly channels: Channel[];
  private speaker = 0;
  private refresh = 0;

  /** @param irq0 line of IRQ 0 */
  constructor(clock: Clock, irq0: IrqLine) {
    this.channels = [new Channel(clock, irq0), new Channel(clock, NO_IRQ), new Channel(clock, NO_IRQ)];
    this.channels[2]!.setGate(false);
    this.channels[0]!.runUnseen();
  }

  /**
   * The guest listens to IRQ 0. Until then, and until it programs channel 0, no event is scheduled, so that a machine
   * without a timer user stands still when it is halted.
   */
  listenedTo(): void {
    this.channels[0]!.beSeen();
  }

  /** Ports 0x40-0x43. */
  readonly ports: PortHandler = {
    read: (port) => ((port & 3) === 3 ? 0xff : this.channels[port & 3]!.read()),
    write: (port, _size, value) => {
      if ((port & 3) !== 3) this.channels[port & 3]!.write(value);
      else if (value >> 6 === 3) this.readBack(value);
      else if (!(value & 0x30)) this.channels[value >> 6]!.latch();
      else this.channels[value >> 6]!.control(value);
    },
  };

  private readBack(value: number): void {
    this.channels.forEach((channel, i) => {
      if (!(value & (2 << i))) return;
      if (!(value & 0x20)) channel.latch();
      if (!(value & 0x10)) channel.latchStatus();
    });
  }

  /** Port 0x61: bit 0 gate of channel 2, bit 1 speaker, bit 4 refresh toggle, bit 5 output of channel 2. */
  readonly port61: PortHandler = {
    read: () => {
      this.refresh ^= 0x10;
      return this.speaker | this.refresh | (this.channels[2]!.output() ? 0x20 : 0);
    },
    write: (_port, _size, value) => {
      this.speaker = value & 3;
      this.channels[2]!.setGate((value & 1) !== 0);
    },
  };
}
