// Notices a guest that waits for somebody who will never come: nobody can type any more, it has read all that was typed,
// and for a long span of virtual time it wrote nothing and did next to nothing but serve its own timer. A guest that
// computes is never taken for one, however long it is silent.

import type { Machine } from '../pc/machine.ts';

/** A waiting guest executes less than this share of the time. */
const BUSY_SHARE = 0.1;

export class IdleWatch {
  private since = 0;
  private executed = 0;
  private written = -1;

  /** @param seconds virtual time of waiting that is enough; Infinity never is */
  constructor(private readonly machine: Machine, readonly seconds: number) {}

  /**
   * To be asked now and then while nobody can type.
   * @param written bytes that the guest has written so far
   */
  waitsForever(written: number): boolean {
    const { clock, cpu } = this.machine;
    if (written !== this.written || this.machine.unread) return this.restart(written);
    const passed = clock.now - this.since;
    if (passed < this.seconds * clock.hertz) return false;
    return (cpu.cycles - this.executed) / passed < BUSY_SHARE || this.restart(written);
  }

  private restart(written: number): false {
    this.since = this.machine.clock.now;
    this.executed = this.machine.cpu.cycles;
    this.written = written;
    return false;
  }
}
