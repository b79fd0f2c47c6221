// What every debugger front end shares: whether the machine is paused, breakpoints and watchpoints by linear address (kept
// beside the code, which is never changed), single steps, and the one place that listens to the processor for them and
// for the log. Running and waiting belong to the caller: `run` is called in a loop, and `paused` says to wait instead.

import type { CpuHooks } from '../cpu/cpu.ts';
import type { Machine, RunResult } from '../pc/machine.ts';
import { linearEip } from './code.ts';
import type { KernelView } from './guest.ts';
import type { SymbolTable } from './symbols.ts';

export type WatchKind = 'write' | 'read' | 'access';

export interface Watchpoint {
  readonly kind: WatchKind;
  readonly address: number;
  readonly length: number;
}

/** Why the machine is paused. */
export type Stop =
  | { kind: 'asked' }
  | { kind: 'step' }
  | { kind: 'breakpoint'; address: number }
  | { kind: 'watchpoint'; watchpoint: Watchpoint; address: number };

/** Somebody who wants to know what happens, besides breakpoints: the log. */
export interface Listener {
  readonly interrupt?: CpuHooks['interrupt'];
  /** Called with the linear address of every instruction before it runs. */
  readonly instruction?: (la: number) => void;
}

const PAGE = 0xfffff000;

/** One function that calls all that are there, or undefined. */
function joined<A extends unknown[]>(functions: readonly (((...args: A) => void) | undefined)[]): ((...args: A) => void) | undefined {
  const present = functions.filter((f) => f !== undefined);
  return present.length < 2 ? present[0] : (...args) => present.forEach((f) => f(...args));
}

export class Debugger {
  paused = false;
  /** Called when a running machine has paused. */
  onStop: (stop: Stop) => void = () => {};
  /** Called when the loop that waits for `paused` to end should look again. */
  wake: () => void = () => {};
  /** Set when the user has asked to quit. */
  quit = false;
  /** Our own system's kernels, when that is what runs. */
  guest: KernelView | null = null;
  private readonly breakpoints = new Set<number>();
  private readonly watchpoints: Watchpoint[] = [];
  private readonly listeners: Listener[] = [];
  private hit: Stop | null = null;
  /** The breakpoint the machine stands at, which must not stop it again before it has run. */
  private passing = -1;

  constructor(readonly machine: Machine, readonly symbols: SymbolTable) {}

  /** Installs somebody who wants to know: the log, an observer. */
  listen(listener: Listener): void {
    this.listeners.push(listener);
    this.arm();
  }

  setBreakpoint(address: number, present: boolean): void {
    if (present) this.breakpoints.add(address >>> 0);
    else this.breakpoints.delete(address >>> 0);
    this.arm();
  }

  setWatchpoint(wanted: Watchpoint, present: boolean): void {
    const at = this.watchpoints.findIndex(({ kind, address, length }) => kind === wanted.kind && address === wanted.address && length === wanted.length);
    if (present && at < 0) this.watchpoints.push(wanted);
    if (!present && at >= 0) this.watchpoints.splice(at, 1);
    this.arm();
  }

  /** Forgets all breakpoints and watchpoints. */
  clear(): void {
    this.breakpoints.clear();
    this.watchpoints.length = 0;
    this.arm();
  }

  /** Addresses of the breakpoints, in order. */
  listBreakpoints(): number[] {
    return [...this.breakpoints].sort((a, b) => a - b);
  }

  private arm(): void {
    const instruction = joined(this.listeners.map((listener) => listener.instruction));
    const interrupt = joined(this.listeners.map((listener) => listener.interrupt));
    const pages = new Set([...this.breakpoints].map((address) => (address & PAGE) >>> 0));
    const code: CpuHooks = {
      breakpoint: (la) => {
        if (this.breakpoints.has(la) && !this.passes(la)) return this.stopAt(la);
        instruction?.(la);
        return instruction || pages.has((la & PAGE) >>> 0) ? 1 : 0;
      },
      breakpointPage: (la) => instruction !== undefined || pages.has((la & PAGE) >>> 0),
    };
    this.machine.cpu.setHooks({
      ...(interrupt ? { interrupt } : {}),
      ...(instruction || this.breakpoints.size ? code : {}),
      ...(this.watchpoints.length ? { access: (la: number, size: number, write: boolean) => this.accessed(la, size, write) } : {}),
    });
  }

  private passes(la: number): boolean {
    const standing = this.passing === la;
    if (standing) this.passing = -1;
    return standing;
  }

  private stopAt(la: number): 2 {
    this.hit = { kind: 'breakpoint', address: la };
    this.machine.interrupted = true;
    return 2;
  }

  private accessed(la: number, size: number, write: boolean): void {
    const found = this.watchpoints.find(({ kind, address, length }) =>
      la < address + length && address < la + size && (kind === 'access' || (kind === 'write') === write));
    if (!found) return;
    this.hit = { kind: 'watchpoint', watchpoint: found, address: Math.max(la, found.address) };
    this.machine.interrupt();
  }

  /** Runs like Machine.run; `stopped` means that the machine is paused now and `onStop` was told. */
  run(until: number, skipIdle: boolean): RunResult {
    const result = this.machine.run(until, skipIdle);
    if (result.kind === 'stopped') this.stopped(this.hit ?? { kind: 'asked' });
    return result;
  }

  /** One instruction of a paused machine. */
  step(): RunResult {
    this.passing = linearEip(this.machine.cpu);
    const result = this.machine.step();
    this.passing = -1;
    return result;
  }

  /** What a step has hit, once: a watchpoint, or nothing but the step itself. */
  takeStepStop(): Stop {
    const stop = this.hit;
    this.hit = null;
    return stop?.kind === 'watchpoint' ? stop : { kind: 'step' };
  }

  /** Pauses a running machine at once; the stop is told. */
  pause(): void {
    if (!this.paused) this.stopped({ kind: 'asked' });
  }

  private stopped(stop: Stop): void {
    this.hit = null;
    this.paused = true;
    this.onStop(stop);
  }

  resume(): void {
    if (this.paused) this.passing = linearEip(this.machine.cpu);
    this.paused = false;
    this.wake();
  }
}
