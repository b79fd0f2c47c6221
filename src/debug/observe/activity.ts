// What threads do, from the observer's changes between user and kernel mode: stays in user mode, system calls from their
// beginning to their result, faults, interrupts, entering and leaving VM spaces, signals to a virtual kernel. Every moment has
// its number of instructions and its time. Who wants to print or draw that is a `Sink`.

import { PSL_C } from '../../abi/frames.ts';
import type { Cpu } from '../../cpu/cpu.ts';
import { hex, vectorName } from '../text.ts';
import { isExit, resultText, signalName, systemCall } from './calls.ts';
import type { SystemCall } from './calls.ts';
import type { Trip } from './ledger.ts';
import type { Listener, Moment, Pending } from './observer.ts';
import { isTrampoline } from './stacks.ts';
import type { Owner, Stack } from './stacks.ts';

/** A system call or a fault, from leaving user mode to being back. */
export interface Stay {
  readonly owner: Owner;
  readonly from: Moment;
  readonly why: Pending;
  readonly call: SystemCall | null;
  /** Function that was left. */
  readonly place: string;
  /** A virtual kernel was asked. */
  upcall: boolean;
}

export interface Sink {
  /** A thread has been in user mode. `owner` of a virtual kernel is the process that it is; `work` then says for whom it worked. */
  ran?(owner: Owner, from: Moment, to: Moment, why: Pending, work: Owner | null): void;
  /** A thread has left user mode. */
  entered?(owner: Owner, what: string, place: string, at: Moment): void;
  /** A thread is in user mode again, or for the first time; `virtual`: in a virtual kernel. */
  returned?(owner: Owner, at: Moment, virtual: boolean): void;
  /** A kernel has called a function, so many frames deep. */
  called?(kernel: Owner, name: string, frames: number, instructions: number): void;
  /** The host kernel has been at work, from a change of ring to the next. */
  kernel?(what: string, owner: Owner, from: Moment, to: Moment): void;
  /** The processor was halted. */
  idled?(from: Moment, to: Moment): void;
  /** A system call or a fault is over; `result` is null when it never ended. */
  stayed?(stay: Stay, result: string | null, to: Moment): void;
  /** A VM space has been entered, or left (at `left`) for its owner. */
  crossed?(way: 'in' | 'out', space: Owner, owner: Owner, at: Moment, why: string, left: Moment): void;
  /** A signal handler of a program, or of a virtual kernel, begins. */
  signalled?(owner: Owner, signal: string, at: Moment, virtual: boolean): void;
}

const SYSCALL_VECTOR = 0x80;

/** `timer`, `#PF`, `read`: why user mode was left. */
export function whyText({ vector, kind }: Pending, call: SystemCall | null): string {
  if (call) return call.name;
  if (kind === 0 && vector >= 32) return vector === 32 ? 'timer' : `IRQ ${vector - 32}`;
  return vectorName(vector);
}

interface Turn {
  readonly owner: Owner;
  readonly at: Moment;
  readonly why: Pending;
  readonly call: SystemCall | null;
}

/** What a thread has left user mode for and not come back from, outermost first; null: a signal handler without. */
interface Open {
  readonly stays: (Stay | null)[];
  entry: 'stay' | 'interrupt' | 'sigreturn';
}

export class Activity implements Listener {
  private readonly open = new Map<string, Open>();
  private running: { from: Moment; work: Owner | null } | null = null;
  private turn: Turn | null = null;
  /**
   * By thread of the host: who is inside a VM space of the host, and the virtual kernel on the host that put it there. What runs in a virtual
   * kernel inside of that one also goes through it.
   */
  private readonly inside = new Map<number, Owner>();
  /** When the programs in VM spaces were left last. */
  private readonly left = new Map<Owner, Moment>();
  private readonly kernels = new Map<number, Owner>();

  constructor(private readonly cpu: Cpu, private readonly sinks: readonly Sink[]) {}

  enter(thread: Stack<Trip>, owner: Owner, why: Pending, at: Moment): void {
    const call = why.kind === 1 && why.vector === SYSCALL_VECTOR ? systemCall(thread.memory, this.cpu.state.eax, why.esp) : null;
    const { running } = this;
    if (running) for (const sink of this.sinks) sink.ran?.(owner, running.from, at, why, running.work);
    this.running = null;
    this.turn = { owner, at, why, call };
    if (owner.space !== null) this.left.set(owner, at);
    for (const sink of this.sinks) sink.entered?.(owner, call || why.kind !== 2 ? whyText(why, call) : faultText(why), thread.place(why.eip), at);
    const open = this.openOf(owner);
    open.entry = why.kind === 0 ? 'interrupt' : call?.name === 'sigreturn' ? 'sigreturn' : 'stay';
    if (open.entry !== 'stay') return;
    const stay: Stay = { owner, from: at, why, call, place: thread.place(why.eip), upcall: false };
    if (call && isExit(call.number)) this.ended(stay, null, at);
    else open.stays.push(stay);
  }

  called(thread: Stack<Trip>, la: number, instructions: number): void {
    for (const sink of this.sinks) sink.called?.(thread.owner, thread.name(la), thread.frames, instructions);
  }

  idled(from: Moment, to: Moment): void {
    for (const sink of this.sinks) sink.idled?.(from, to);
  }

  private openOf(owner: Owner): Open {
    const key = `${owner.kernel}:${owner.pid}.${owner.tid}`;
    let open = this.open.get(key);
    if (!open) this.open.set(key, (open = { stays: [], entry: 'interrupt' }));
    return open;
  }

  leave(thread: Stack<Trip>, owner: Owner, hostLwp: number, at: Moment, la: number): void {
    const { turn } = this;
    if (turn) for (const sink of this.sinks) sink.kernel?.(whyText(turn.why, turn.call), turn.owner, turn.at, at);
    const virtual = thread.owner.kind === 'kernel';
    this.cross(owner, hostLwp, at, virtual);
    const open = this.openOf(owner);
    if (isTrampoline(la)) this.handlerBegins(thread, owner, open, at, virtual);
    else if (open.entry !== 'interrupt') this.back(open, at);
    for (const sink of this.sinks) sink.returned?.(owner, at, virtual);
    open.entry = 'interrupt';
    this.running = { from: at, work: virtual ? thread.owner : null };
  }

  /** Where `sigreturn` leads to a handler, one has ended and one begins. */
  private handlerBegins(thread: Stack<Trip>, owner: Owner, open: Open, at: Moment, virtual: boolean): void {
    if (open.entry === 'interrupt') open.stays.push(null);
    const signal = signalName(thread.memory.word(this.cpu.state.esp));
    for (const sink of this.sinks) sink.signalled?.(owner, signal, at, virtual);
  }

  /** What the thread has waited for is over. */
  private back(open: Open, at: Moment): void {
    const stay = open.stays.pop();
    const { state } = this.cpu;
    if (stay) this.ended(stay, stay.call ? resultText((state.eflags & PSL_C) !== 0, state.eax) : '', at);
  }

  private ended(stay: Stay, result: string | null, at: Moment): void {
    for (const sink of this.sinks) sink.stayed?.(stay, result, at);
  }

  /** Has the way back from the kernel led into a VM space or out of one? */
  private cross(owner: Owner, hostLwp: number, at: Moment, virtual: boolean): void {
    const before = this.inside.get(hostLwp);
    if (virtual && owner.depth === 0) this.kernels.set(hostLwp, owner);
    if (before === owner) return;
    const kernel = this.kernels.get(hostLwp);
    if (before && kernel) {
      const { turn } = this;
      const stay = this.openOf(before).stays.at(-1);
      if (stay) stay.upcall = true;
      const why = turn && turn.owner === before && turn.why.kind !== 0 ? whyText(turn.why, turn.call) : 'signal';
      for (const sink of this.sinks) sink.crossed?.('out', before, kernel, at, why, this.left.get(before) ?? at);
      this.left.delete(before);
    }
    if (owner.space === null) this.inside.delete(hostLwp);
    else this.inside.set(hostLwp, owner);
    if (owner.space !== null && kernel) for (const sink of this.sinks) sink.crossed?.('in', owner, kernel, at, '', at);
  }

  /** The run is over: what is still open. */
  finish(at: Moment): void {
    for (const { stays } of this.open.values()) for (const stay of stays) if (stay) this.ended(stay, null, at);
    this.open.clear();
  }
}

/** `sh 5`, with the VM space when there is one: as logs and traces name a thread. */
export function ownerText({ name, pid, tid, space }: Owner): string {
  return `${name} ${pid}${tid > 1 ? `.${tid}` : ''}${space === null ? '' : ` in vmspace ${space}`}`;
}

/** What a fault was: `#PF at 0804c123, write`. */
export function faultText({ vector, address, error }: Pending): string {
  if (vector !== 14) return vectorName(vector);
  return `#PF at ${hex(address)}, ${(error ?? 0) & 2 ? 'write' : 'read'}${(error ?? 0) & 1 ? ', protection' : ''}`;
}
