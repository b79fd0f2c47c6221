// Virtual time. One clock counts cycles since power-on; it advances only by executed instructions and by the time that a
// halted processor skips, so equal inputs give equal times. Devices schedule events at absolute cycle numbers; events due
// at the same cycle fire in the order in which they were scheduled. Nothing here reads the wall clock.

/** Cycles in one second of virtual time when nothing else is said: one instruction is one cycle. */
export const CYCLES_PER_SECOND = 100_000_000;

export interface ClockEvent {
  readonly at: number;
  readonly fire: () => void;
}

export class Clock {
  private readonly queue: ClockEvent[] = [];
  private skipped = 0;

  /**
   * @param executed cycles spent in executed instructions so far
   * @param onEarlier called when a new event becomes the first one, with its cycle number in executed cycles
   * @param onSkip told of cycles that pass without being executed
   * @param hertz cycles in one second
   */
  constructor(
    private readonly executed: () => number,
    private readonly onEarlier: (executed: number) => void,
    private readonly onSkip: (cycles: number) => void = () => {},
    readonly hertz = CYCLES_PER_SECOND,
  ) {}

  /** Cycles since power-on. */
  get now(): number {
    return this.executed() + this.skipped;
  }

  /** Ticks of a counter at `frequency` Hz until now, exact for any cycle below 2^53. */
  ticks(frequency: number): number {
    const seconds = Math.floor(this.now / this.hertz);
    return seconds * frequency + Math.floor(((this.now - seconds * this.hertz) * frequency) / this.hertz);
  }

  /** First cycle at which that many of them have passed. */
  cycleOf(ticks: number, frequency: number): number {
    const seconds = Math.floor(ticks / frequency);
    return seconds * this.hertz + Math.ceil(((ticks - seconds * frequency) * this.hertz) / frequency);
  }

  /** Calls `fire` at cycle `at` (or as soon as possible when that is past). */
  schedule(at: number, fire: () => void): ClockEvent {
    const event = { at, fire };
    let i = this.queue.length;
    while (i > 0 && this.queue[i - 1]!.at > at) i--;
    this.queue.splice(i, 0, event);
    if (i === 0) this.onEarlier(at - this.skipped);
    return event;
  }

  cancel(event: ClockEvent | null): void {
    if (!event) return;
    const i = this.queue.indexOf(event);
    if (i >= 0) this.queue.splice(i, 1);
  }

  /** Cancels all events. */
  clear(): void {
    this.queue.length = 0;
  }

  /** Executed-cycle number of the first event, or Infinity. */
  get deadline(): number {
    return this.queue.length ? this.queue[0]!.at - this.skipped : Infinity;
  }

  /** Fires everything that is due. */
  fireDue(): void {
    while (this.queue.length && this.queue[0]!.at <= this.now) this.queue.shift()!.fire();
  }

  /** Cycles until the first event, at least 0, or Infinity. */
  get untilNext(): number {
    return this.queue.length ? Math.max(0, this.queue[0]!.at - this.now) : Infinity;
  }

  /** A halted processor lets time pass without executing. */
  skip(cycles: number): void {
    this.skipped += cycles;
    this.onSkip(cycles);
  }
}
