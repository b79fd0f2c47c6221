// The local APIC of the one processor, at FEE00000: interrupts by vector with their priorities, task priority, EOI, the
// timer in its one-shot and periodic modes, and interrupts that the processor sends to itself. Software-disabled, as after
// reset, it lets the 8259A's INTR through; enabled, it does so while LINT0 is an unmasked ExtINT. Startup messages to other
// processors go nowhere. (Intel SDM vol. 3, chapter 10.)

import type { Clock, ClockEvent } from '../bus/clock.ts';
import type { IrqLine } from '../bus/irq.ts';

export const LOCAL_APIC = 0xfee00000;

const [ID, VERSION, TPR, PPR, EOI, LDR, DFR, SVR, ISR, IRR, ESR, ICR_LOW, ICR_HIGH] = [0x20, 0x30, 0x80, 0xa0, 0xb0, 0xd0, 0xe0, 0xf0, 0x100, 0x200, 0x280, 0x300, 0x310];
const [LVT_TIMER, LVT_LINT0, LVT_ERROR, INITIAL_COUNT, CURRENT_COUNT, DIVIDE] = [0x320, 0x350, 0x370, 0x380, 0x390, 0x3e0];
const [MASKED, PERIODIC, ENABLED] = [0x10000, 0x20000, 0x100];
const [FIXED, EXTERNAL] = [0, 7];
/** Five local vector table entries, an integrated APIC. */
const VERSION_VALUE = 0x00040014;
const BUS_HZ = 100_000_000;

/** 256 bits, one for each vector. */
class Vectors {
  readonly words = new Uint32Array(8);

  set(vector: number, on: boolean): void {
    const bit = 1 << (vector & 31);
    if (on) this.words[vector >> 5] = this.words[vector >> 5]! | bit;
    else this.words[vector >> 5] = this.words[vector >> 5]! & ~bit;
  }

  has(vector: number): boolean {
    return (this.words[vector >> 5]! & (1 << (vector & 31))) !== 0;
  }

  /** The highest vector that is set, or -1. */
  get highest(): number {
    for (let n = 7; n >= 0; n--) if (this.words[n]) return n * 32 + 31 - Math.clz32(this.words[n]!);
    return -1;
  }
}

export class LocalApic {
  private readonly request = new Vectors();
  private readonly service = new Vectors();
  private readonly level = new Vectors();
  private readonly registers = new Map<number, number>([[SVR, 0xff], [DFR, 0xffffffff]]);
  private external = false;
  private timer: ClockEvent | null = null;
  private started = 0;
  /** Told of the vector of every EOI of a level-triggered interrupt. */
  ended: (vector: number) => void = () => {};

  /** @param intr the processor's INTR line */
  constructor(private readonly clock: Clock, private readonly intr: IrqLine) {
    for (let at = LVT_TIMER; at <= LVT_ERROR; at += 16) this.registers.set(at, MASKED);
  }

  private get(register: number): number {
    return this.registers.get(register) ?? 0;
  }

  /** The 8259A's INTR output, at LINT0. */
  readonly lint0: IrqLine = {
    set: (level) => {
      this.external = level;
      this.update();
    },
  };

  /** An interrupt message from an I/O APIC or from the processor itself. */
  send(vector: number, level: boolean): void {
    if (vector < 16 || !(this.get(SVR) & ENABLED)) return;
    this.request.set(vector, true);
    this.level.set(vector, level);
    this.update();
  }

  /** The processor takes an interrupt: its vector, or -1 when the 8259A shall say which. */
  acknowledge(): number {
    const vector = this.deliverable;
    if (vector < 0) return this.passesExternal ? -1 : this.get(SVR) & 0xff;
    this.request.set(vector, false);
    this.service.set(vector, true);
    this.update();
    return vector;
  }

  private get passesExternal(): boolean {
    const lint0 = this.get(LVT_LINT0);
    return !(this.get(SVR) & ENABLED) || (!(lint0 & MASKED) && ((lint0 >> 8) & 7) === EXTERNAL);
  }

  /** Processor priority: the task's or that of what is in service. */
  private get priority(): number {
    const serving = Math.max(0, this.service.highest);
    return serving >> 4 > this.get(TPR) >> 4 ? serving & 0xf0 : this.get(TPR) & 0xff;
  }

  private get deliverable(): number {
    const vector = this.request.highest;
    return vector >= 0 && vector >> 4 > this.priority >> 4 ? vector : -1;
  }

  private update(): void {
    this.intr.set(this.deliverable >= 0 || (this.external && this.passesExternal));
  }

  read(offset: number): number {
    const at = offset & 0xff0;
    if (at >= ISR && at < IRR + 0x80) return [this.service, this.level, this.request][(at - ISR) >> 7]!.words[(at >> 4) & 7]!;
    switch (at) {
      case ID: return 0;
      case VERSION: return VERSION_VALUE;
      case PPR: return this.priority;
      case CURRENT_COUNT: return this.remaining();
      default: return this.get(at);
    }
  }

  write(offset: number, value: number): void {
    const at = offset & 0xff0;
    switch (at) {
      case EOI: return this.endOfInterrupt();
      case ESR: this.registers.set(ESR, 0); return;
      case ICR_LOW: return this.command(value);
      case INITIAL_COUNT:
        this.registers.set(at, value);
        return this.startTimer();
      case TPR: case LDR: case DFR: case SVR: case ICR_HIGH: case DIVIDE:
        this.registers.set(at, value);
        return this.update();
      default:
        if (at >= LVT_TIMER && at <= LVT_ERROR) this.registers.set(at, value);
        this.update();
    }
  }

  private endOfInterrupt(): void {
    const vector = this.service.highest;
    if (vector < 0) return;
    this.service.set(vector, false);
    if (this.level.has(vector)) this.ended(vector);
    this.update();
  }

  /** Interrupt command: only messages that reach this processor do anything. */
  private command(value: number): void {
    this.registers.set(ICR_LOW, value & ~0x1000);
    const shorthand = (value >>> 18) & 3;
    const toSelf = shorthand === 1 || shorthand === 2 || (shorthand === 0 && this.get(ICR_HIGH) >>> 24 === 0);
    if (toSelf && ((value >> 8) & 7) === FIXED) this.send(value & 0xff, false);
  }

  /** Cycles of the processor for one count of the timer. */
  private get cyclesPerCount(): number {
    const code = (this.get(DIVIDE) & 3) | ((this.get(DIVIDE) & 8) >> 1);
    return (2 ** ((code + 1) & 7) * this.clock.hertz) / BUS_HZ;
  }

  private remaining(): number {
    if (!this.timer) return 0;
    return Math.max(0, this.get(INITIAL_COUNT) - Math.floor((this.clock.now - this.started) / this.cyclesPerCount));
  }

  private startTimer(): void {
    this.clock.cancel(this.timer);
    this.timer = null;
    const count = this.get(INITIAL_COUNT) >>> 0;
    if (!count) return;
    this.started = this.clock.now;
    this.timer = this.clock.schedule(this.clock.now + Math.ceil(count * this.cyclesPerCount), () => this.expire());
  }

  private expire(): void {
    this.timer = null;
    const entry = this.get(LVT_TIMER);
    if (entry & PERIODIC) this.startTimer();
    if (!(entry & MASKED)) this.send(entry & 0xff, false);
  }
}
