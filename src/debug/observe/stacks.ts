// Who executes what, as stacks of functions: one for each kernel thread and each thread of a program. They are kept by
// watching calls and returns, so they are exact whatever the code does with its frame pointer; a frame ends when the stack
// pointer rises above its return address. Where a stack is met in the middle (a fork's child, after a jump) its outer
// frames are taken from the frame pointers.

import { VM_MAX_USER_ADDRESS } from '../../abi/mman.ts';
import type { Memory } from '../guest.ts';
import type { Code } from './code.ts';
import { functionName, namedFunction, UNKNOWN } from './code.ts';

/** A place in the tree of all call paths. */
export class Path {
  /** Instructions executed with exactly this path. */
  self = 0;
  private readonly inner = new Map<number, Path>();
  private last: Path | null = null;

  constructor(readonly fn: number, readonly outer: Path | null) {}

  /** This path and one function more. */
  into(fn: number): Path {
    if (this.last?.fn === fn) return this.last;
    let found = this.inner.get(fn);
    if (!found) this.inner.set(fn, (found = new Path(fn, this)));
    this.last = found;
    return found;
  }

  paths(): Iterable<Path> {
    return this.inner.values();
  }
}

/** Whose stack it is. */
export interface Owner {
  /** 0: the host kernel, 1: a virtual kernel; programs have the depth of their kernel. */
  readonly depth: number;
  /** Which kernel of that depth: empty for the host kernel, `2` when process 2 of the host is it, `2.4`. */
  readonly kernel: string;
  readonly kind: 'kernel' | 'program';
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Id of the VM space in which the code runs, or null outside all. */
  readonly space: number | null;
}

/** The code by which the kernels enter signal handlers lies at the top of user space (kern/sendsig.ts). */
export function isTrampoline(la: number): boolean {
  return la >= VM_MAX_USER_ADDRESS - 64 && la < VM_MAX_USER_ADDRESS;
}

export class Stack<Trip> {
  /** Addresses of the frames' return addresses, outermost first. */
  private readonly at: number[] = [];
  private readonly fns: number[] = [];
  private readonly paths: Path[] = [];
  /** The part that a frame's code belongs to when nothing else is said. */
  private readonly parts: number[] = [];
  /** What was going on when an interrupt made the frame. */
  private readonly trips: (Trip | undefined)[] = [];
  private depth = 0;
  trip: Trip | null = null;
  /** Bounds of the memory it lies in; 0 when they do not matter. */
  low = 0;
  high = 0;

  constructor(public owner: Owner, public root: Path, public code: Code | null, readonly memory: Memory) {}

  get path(): Path {
    return this.depth ? this.paths[this.depth - 1]! : this.root;
  }

  get part(): number {
    return this.depth ? this.parts[this.depth - 1]! : 0;
  }

  /** The function at an address in its code. */
  name(la: number): string {
    return functionName(this.functionAt(la));
  }

  /** `function+0x12` of an address in its code. */
  place(la: number): string {
    return this.code?.text(la) ?? '';
  }

  /** Frames above `outermost`. */
  get frames(): number {
    return this.depth;
  }

  get empty(): boolean {
    return this.depth === 0;
  }

  holds(esp: number): boolean {
    return esp > this.low && esp <= this.high;
  }

  clear(): void {
    this.depth = 0;
  }

  functionAt(la: number): number {
    const fn = this.code ? this.code.functionOf(la) : UNKNOWN;
    if (fn !== UNKNOWN) return fn;
    if (isTrampoline(la)) return namedFunction('[signal trampoline]');
    return namedFunction(this.code ? '[unknown]' : `[${this.owner.name}]`);
  }

  /** A function is entered; `esp` points at its return address. */
  push(la: number, esp: number, part: number, trip?: Trip): void {
    const fn = this.functionAt(la);
    const outer = this.path;
    const i = this.depth++;
    this.at[i] = esp;
    this.fns[i] = fn;
    this.paths[i] = outer.into(fn);
    this.parts[i] = part;
    this.trips[i] = trip;
  }

  /** The stack pointer has risen to `esp`: frames below are over. Calls `ended` with what their interrupts had put aside. */
  pop(esp: number, ended: (trip: Trip) => void): void {
    while (this.depth > 0 && this.at[this.depth - 1]! < esp) {
      const trip = this.trips[--this.depth];
      if (trip !== undefined) ended(trip);
    }
  }

  /** Code goes on at `la`, which may be another function: a jump between functions, or the end of an unseen call. */
  goOn(la: number, esp: number): void {
    const fn = this.functionAt(la);
    if (this.depth === 0) this.push(la, esp, 0);
    else if (this.fns[this.depth - 1] !== fn) this.replaceTop(fn);
  }

  /** The same frames below another root. */
  moveTo(root: Path): void {
    this.root = root;
    for (let i = 0; i < this.depth; i++) this.paths[i] = (i ? this.paths[i - 1]! : root).into(this.fns[i]!);
  }

  private replaceTop(fn: number): void {
    const i = this.depth - 1;
    this.fns[i] = fn;
    this.paths[i] = (i ? this.paths[i - 1]! : this.root).into(fn);
  }

  /** Is the top frame in the function of `la`? */
  isIn(la: number): boolean {
    return this.depth > 0 && this.fns[this.depth - 1] === this.functionAt(la);
  }

  /** The frames of code that is met in the middle, from its frame pointers. */
  seed(la: number, esp: number, ebp: number): void {
    const places: [number, number][] = [];
    for (let frame = ebp; frame >= esp && frame % 4 === 0 && places.length < 200; ) {
      const back = this.memory.word(frame + 4);
      if (back === 0) break;
      places.push([back, frame + 4]);
      const outer = this.memory.word(frame);
      if (outer <= frame) break;
      frame = outer;
    }
    this.clear();
    // A return address belongs to the frame that is left by the return of the one inside it.
    const inside = [la, ...places.map(([back]) => back)];
    const at = [...places.map(([, slot]) => slot), 0xffffffff];
    for (let i = inside.length - 1; i >= 0; i--) this.push(inside[i]!, at[i]!, 0);
  }
}
