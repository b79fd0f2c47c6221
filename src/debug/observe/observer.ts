// Watches our own system from outside while it runs on the `observed` engine: takes the engine's notes, finds out from guest
// memory who runs, and accounts for every executed instruction. It changes nothing.
//
// The stacks (stacks.ts) say in which function of which thread an instruction was. A `trip` (ledger.ts) is what the kernels do
// between leaving a program and running one again; it belongs to the thread for which it is done, so that a trip that sleeps does not
// collect what others do meanwhile. An interrupt that arrives in a kernel is a trip of its own, inside.

import type { Cpu, CpuObserver } from '../../cpu/cpu.ts';
import { NOTE, NOTE_BYTES, NOTE_HOW } from '../../cpu/layout.ts';
import type { KernelView } from '../guest.ts';
import type { Code } from './code.ts';
import { Ledger } from './ledger.ts';
import type { Reason, Trip, Where } from './ledger.ts';
import { PARTS } from './parts.ts';
import { isTrampoline, Path } from './stacks.ts';
import type { Owner, Stack } from './stacks.ts';
import { Watch } from './who.ts';

/** An interrupt whose handler has not begun. */
export interface Pending {
  readonly vector: number;
  /** 0 hardware, 1 INT instruction, 2 fault. */
  readonly kind: number;
  readonly error: number | null;
  /** CR2, EIP, ESP at that moment. */
  readonly address: number;
  readonly eip: number;
  readonly esp: number;
  /** Cycles of events so far, low word. */
  readonly extra: number;
}

/** Hears what happens between programs and kernels. Guest memory and registers are those of the moment. */
export interface Listener {
  /** A thread has left user mode. `owner` is who it is: for a virtual kernel's the process that the kernel is. */
  enter(thread: Stack<Trip>, owner: Owner, why: Pending, at: Moment): void;
  /** A kernel has called the function at `la`; registers and memory may be those of later. */
  called?(thread: Stack<Trip>, la: number, instructions: number): void;
  /** The processor was halted until an interrupt came. */
  idled?(from: Moment, to: Moment): void;
  /** A thread of the host is about to run in user mode, at `la`. */
  leave(thread: Stack<Trip>, owner: Owner, hostLwp: number, at: Moment, la: number): void;
}

/** Instructions, and cycles with those of a halted processor, since power-on. */
export interface Moment {
  readonly instructions: number;
  readonly cycles: number;
}

/** What has to be kept. */
export interface Wanted {
  readonly ledger: boolean;
  readonly paths: boolean;
  readonly listener?: Listener;
}

const SYSCALL_VECTOR = 0x80;
const PAGE_FAULT = 14;
const TIMER_IRQ = 0x20;
const EXIT = PARTS.indexOf('exit') + 1;
const CR3 = PARTS.indexOf('cr3') + 1;
const ENTRY = PARTS.indexOf('entry') + 1;

type Thread = Stack<Trip>;

export class Observer implements CpuObserver {
  readonly ledger = new Ledger();
  readonly root = new Path(0, null);
  private readonly watch: Watch;
  private thread: Thread;
  private ring = 0;
  private la = 0;
  private count = 0;
  private low = 0;
  /** Low words at the last note: cycles of events, TLB misses. */
  private extra = 0;
  private misses = 0;
  private lastPart = 0;
  private pending: Pending | null = null;
  private owner: Owner | null = null;
  private events = 0;
  /** Idle cycles that the listener has heard of. */
  private told = 0;

  /** @param idle cycles that a halted processor has let pass so far */
  constructor(private readonly cpu: Cpu, host: KernelView, codes: ReadonlyMap<string, Code>, private readonly want: Wanted, private readonly idle: () => number = () => 0) {
    this.watch = new Watch(host, codes, this.root);
    this.thread = this.watch.bootThread();
    cpu.observe(this);
  }

  /** Kernels are watched in full; of programs, calls and returns when paths are wanted. */
  wanted(): number {
    if (this.thread.owner.kind === 'kernel') return 3;
    return this.want.paths ? 2 : 0;
  }

  /** Now, as far as it has been accounted for. */
  moment(): Moment {
    return { instructions: this.count, cycles: this.count + this.events + this.idle() };
  }

  /** For CpuHooks.interrupt: a vector is about to be delivered. */
  interrupt(vector: number, kind: number, error: number | null): void {
    const { cpu } = this;
    cpu.takeNotes();
    this.tellIdle();
    const { state } = cpu;
    const extra = cpu.cycles - cpu.instructions;
    if (state.cpl !== this.ring) {
      this.advance(cpu.instructions);
      this.spend(extra | 0, cpu.events.of('tlbMiss') | 0);
      this.turn(state.eip, state.esp, state.cpl);
      this.la = state.eip;
      cpu.turned(state.cpl);
    }
    this.pending = { vector, kind, error, address: state.cr2, eip: state.eip, esp: state.esp, extra: extra | 0 };
  }

  /** An interrupt ends the time that a halted processor has let pass. */
  private tellIdle(): void {
    const idle = this.idle();
    const { instructions, cycles } = this.cpu;
    if (idle !== this.told) this.want.listener?.idled?.({ instructions, cycles: cycles + this.told }, { instructions, cycles: cycles + idle });
    this.told = idle;
  }

  notes(words: Int32Array, from: number, to: number): void {
    for (let n = from; n < to; n += NOTE_BYTES / 4) {
      const la = words[n + NOTE.la / 4]! >>> 0;
      const esp = words[n + NOTE.esp / 4]! >>> 0;
      const how = words[n + NOTE.how / 4]!;
      const extra = words[n + NOTE.extra / 4]!;
      const length = (words[n + NOTE.count / 4]! - this.low) >>> 0;
      if (length) this.advance(this.count + length);
      const { pending } = this;
      const fast = how >> 4 < this.ring;
      if (extra !== this.extra) this.spend(pending ? pending.extra : fast ? extra - this.cpu.timing.costs.fastCall : extra, words[n + NOTE.misses / 4]!);
      if (fast && !pending) {
        this.enterKernel(la, esp, this.fastCall(extra));
        this.ring = how >> 4;
        this.spend(extra, this.misses, ENTRY);
      } else if (pending) {
        this.interrupted(pending, la, esp, how & 15, how >> 4);
        if (extra !== this.extra) this.spend(extra, this.misses, ENTRY);
      } else if (how >> 4 !== this.ring) this.turn(la, esp, how >> 4);
      else this.transfer(la, esp, how);
      this.la = la;
    }
  }

  /** SYSENTER is a system call whose caller has told in registers where it was. */
  private fastCall(extra: number): Pending {
    const { state } = this.cpu;
    return { vector: SYSCALL_VECTOR, kind: 1, error: null, address: state.cr2, eip: state.edx, esp: state.ecx, extra };
  }

  /** The run is over: what is left is accounted for. */
  finish(): void {
    this.cpu.takeNotes();
    this.advance(this.cpu.instructions);
    this.spend((this.cpu.cycles - this.cpu.instructions) | 0, this.cpu.events.of('tlbMiss') | 0);
    this.ledger.bookAll();
  }

  /** Instructions up to number `until` were executed since the last note, one after the other from `la`. */
  private advance(until: number): void {
    const length = until - this.count;
    this.count = until;
    this.low = until | 0;
    const { thread } = this;
    if (this.want.paths) thread.path.self += length;
    if (!this.want.ledger) return;
    if (thread.owner.kind === 'program') {
      this.ledger.programs[inSpace(thread)][0] += length;
      return;
    }
    const { parts } = thread.trip ?? this.ledger.other;
    const own = thread.part;
    if (thread.code) this.lastPart = thread.code.share(this.la, length, (part, n) => (parts[part || own]! += n)) || own;
    else parts[own]! += length;
  }

  /** Events have cost cycles: TLB misses are what a load of %cr3 has left behind, all else belongs to `part`. */
  private spend(extra: number, misses: number, part = this.lastPart): void {
    const cycles = (extra - this.extra) >>> 0;
    this.events += cycles;
    const refill = Math.min(cycles, ((misses - this.misses) >>> 0) * this.cpu.timing.costs.tlbMiss);
    this.extra = extra;
    this.misses = misses;
    if (!this.want.ledger) return;
    if (this.thread.owner.kind === 'program') {
      this.ledger.programs[inSpace(this.thread)][1] += cycles;
      return;
    }
    const trip = this.thread.trip ?? this.ledger.other;
    trip.extra[CR3]! += refill;
    trip.extra[part]! += cycles - refill;
  }

  /** Control has moved within a ring. */
  private transfer(la: number, esp: number, how: number): void {
    const kernel = this.thread.owner.kind === 'kernel';
    if (kernel && how !== 0 && how >> 4 === this.ring && !this.thread.holds(esp)) this.otherStack(esp);
    const { thread } = this;
    switch (how & 15) {
      case NOTE_HOW.call:
        thread.push(la, esp, this.lastPart);
        if (kernel) this.want.listener?.called?.(thread, la, this.count);
        return;
      case NOTE_HOW.ret:
      case NOTE_HOW.iret:
        this.pop(thread, esp);
        thread.goOn(la, esp);
        return;
      default:
        if (kernel) thread.goOn(la, esp);
    }
  }

  private pop(thread: Thread, esp: number): void {
    thread.pop(esp, (outer) => {
      if (thread.trip) this.ledger.book(thread.trip);
      thread.trip = outer === this.ledger.none ? null : outer;
    });
  }

  /** A kernel has changed threads. */
  private otherStack(esp: number): void {
    this.thread = this.watch.kernelThread(this.thread, esp);
  }

  /** The handler of the pending interrupt begins. `how` tells what was done last before it. */
  private interrupted(why: Pending, la: number, esp: number, how: number, ring: number): void {
    this.pending = null;
    const { thread } = this;
    if ((how === NOTE_HOW.call || how === NOTE_HOW.ret) && this.wanted() & 2) this.transfer(why.eip, why.esp, how | (this.ring << 4));
    if (ring !== this.ring) this.enterKernel(la, esp, why);
    else if (why.kind === 0) {
      const outer = thread.trip;
      thread.push(la, esp, ENTRY, outer ?? this.ledger.none);
      thread.trip = this.ledger.begin(interruptReason(why), this.watch.where());
    } else thread.push(la, esp, 0);
    if (ring === this.ring) this.want.listener?.called?.(thread, la, this.count);
    this.ring = ring;
  }

  /** The ring has changed, by no interrupt: a kernel goes to user mode. */
  private turn(la: number, esp: number, ring: number): void {
    this.ring = ring;
    if (ring === 3) this.enterUser(la, esp);
  }

  /** From user mode into the host kernel. */
  private enterKernel(la: number, esp: number, why: Pending): void {
    const from = this.thread;
    const to = this.watch.hostThread(from);
    if (this.want.listener && this.owner) this.want.listener.enter(from, this.owner, why, this.moment());
    to.clear();
    const own = this.lastPart === ENTRY || this.lastPart === EXIT ? 0 : this.lastPart;
    to.push(la, esp, from.owner.kind === 'kernel' ? own : 0);
    this.want.listener?.called?.(to, la, this.count);
    const interrupt = why.kind === 0;
    if (from.owner.kind === 'program' || interrupt) {
      to.trip = this.ledger.begin(interrupt ? interruptReason(why) : exceptionReason(why), from.owner.kind === 'program' ? inSpace(from) : this.watch.where());
      to.trip.fromProgram = from.owner.kind === 'program';
    } else to.trip = from.trip;
    this.thread = to;
  }

  /** From the host kernel to user mode: to a program, or to a virtual kernel. */
  private enterUser(la: number, esp: number): void {
    const { trip } = this.thread;
    this.thread.trip = null;
    const to = this.watch.userThread(esp);
    this.pop(to, esp);
    const told = to.owner.kind === 'program' ? false : this.backInVirtualKernel(to, trip);
    if (to.owner.kind === 'program' && trip) this.ledger.book(trip);
    if (to.empty) to.seed(la, esp, this.cpu.state.ebp);
    else if (!to.isIn(la)) this.jumped(to, la, esp, told);
    this.thread = to;
    if (!this.want.listener) return;
    this.owner = this.watch.ownerOf(to);
    this.want.listener.leave(to, this.owner, this.watch.hostLwp, this.moment(), la);
  }

  /** User code goes on somewhere else than where it was left: a signal handler begins. */
  private jumped(to: Thread, la: number, esp: number, told: boolean): void {
    if (to.owner.kind === 'program' || told || !isTrampoline(la)) {
      to.push(la, esp, 0);
      return;
    }
    to.push(la, esp, 0, to.trip ?? this.ledger.none);
    to.trip = this.ledger.begin('signal', 1);
  }

  /** A virtual kernel goes on, or begins to handle what a program of its has done. True: it is told of a signal that has ended the program's run. */
  private backInVirtualKernel(to: Thread, trip: Trip | null): boolean {
    if (trip === null || trip === to.trip || !this.ledger.isOpen(trip)) return false;
    if (trip.interrupt && !trip.fromProgram) {
      this.ledger.book(trip);
      return false;
    }
    if (trip.interrupt) trip.reason = 'signal';
    to.trip = trip;
    trip.holders.push(to);
    return trip.interrupt;
  }
}

/** 1: a program in a VM space. */
function inSpace({ owner }: Thread): Where {
  return owner.depth > 0 || owner.space !== null ? 1 : 0;
}

function interruptReason({ vector }: Pending): Reason {
  return vector === TIMER_IRQ ? 'timer' : 'device';
}

function exceptionReason({ vector }: Pending): Reason {
  return vector === SYSCALL_VECTOR ? 'system call' : vector === PAGE_FAULT ? 'fault' : 'trap';
}
