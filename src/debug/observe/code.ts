// The code of one program or kernel as an observer wants it: for every address its function, and for kernels the part of
// the ledger that each instruction belongs to. Tables over the bytes of the text, so that a look-up is an index.

import { readElf } from '../../elf/read.ts';
import { decode, Insn } from '../../isa/decode.ts';

/** Functions of all programs have different numbers; 0 is code that no symbol covers. */
export const UNKNOWN = 0;
const names: string[] = ['?'];

/** Name of a function number. */
export function functionName(fn: number): string {
  return names[fn]!;
}

/** A function number for code that is in no file. */
export function namedFunction(name: string): number {
  const found = names.indexOf(name);
  return found >= 0 ? found : names.push(name) - 1;
}

const FUNC = 2;
/** An instruction count that no run reaches. */
const ENDLESS = 0x7fffffff;

export class Code {
  readonly start: number;
  private readonly physical: number;
  private readonly functionAt: Uint32Array;
  private readonly bytes: Uint8Array;
  private readonly partAt: Uint8Array;
  /** Instructions from here on that have the same part, and where the next ones begin. */
  private readonly same: Int32Array;
  private readonly after: Uint32Array;

  constructor(elf: Uint8Array) {
    const file = readElf(elf, true);
    const text = file.segments.find(({ type, flags }) => type === 1 && flags & 1);
    const functions = file.symbols.filter(({ type, name, size }) => type === FUNC && name && size > 0);
    this.start = text ? text.vaddr >>> 0 : 0;
    const bytes = text ? text.fileSize : 0;
    this.physical = text ? text.paddr >>> 0 : 0;
    this.bytes = text ? elf.subarray(text.offset, text.offset + bytes) : new Uint8Array(0);
    this.functionAt = new Uint32Array(bytes);
    this.partAt = new Uint8Array(bytes);
    this.same = new Int32Array(bytes).fill(ENDLESS);
    this.after = new Uint32Array(bytes);
    for (const { name, addr, size } of functions) {
      const fn = names.push(name) - 1;
      const from = (addr >>> 0) - this.start;
      this.functionAt.fill(fn, from, from + size);
    }
  }

  /** Offset in the text of an address, or of the physical address at which a kernel begins before it has paging. */
  private place(la: number): number {
    return la >= this.start ? la - this.start : la - this.physical;
  }

  /** Number of the function at an address. */
  functionOf(la: number): number {
    return this.functionAt[this.place(la)] ?? UNKNOWN;
  }

  /** `function+0x12`, or nothing. */
  text(la: number): string {
    const fn = this.functionOf(la);
    if (fn === UNKNOWN) return '';
    let start = this.place(la);
    while (start > 0 && this.functionAt[start - 1] === fn) start--;
    const offset = this.place(la) - start;
    return offset ? `${functionName(fn)}+0x${offset.toString(16)}` : functionName(fn);
  }

  /** Gives every instruction its part: 0 for what belongs to its caller's. */
  setParts(partOf: (la: number, fn: number) => number): void {
    const insn = new Insn();
    const starts: number[] = [];
    for (let at = 0; at < this.bytes.length; ) {
      const length = this.functionAt[at] ? Math.max(1, decode(this.bytes, at, this.bytes.length, true, insn)) : 1;
      if (this.functionAt[at]) {
        starts.push(at);
        this.partAt.fill(partOf(this.start + at, this.functionAt[at]!), at, at + length);
        this.same[at] = insn.rep !== 0 ? ENDLESS : 1;
        this.after[at] = at + length;
      }
      at += length;
    }
    this.joinRuns(starts);
  }

  /** `same` and `after` of each instruction from those of the next one. A REP instruction ends every run. */
  private joinRuns(starts: readonly number[]): void {
    const { same, after, partAt } = this;
    for (let i = starts.length - 2; i >= 0; i--) {
      const [at, next] = [starts[i]!, starts[i + 1]!];
      if (same[at] === ENDLESS || after[at] !== next || partAt[at] !== partAt[next]) continue;
      same[at] = same[next] === ENDLESS ? ENDLESS : same[next]! + 1;
      after[at] = after[next]!;
    }
  }

  /**
   * Shares out `count` instructions executed one after the other from `la`: calls `add` with each part and its share. Returns the
   * part of the last one.
   */
  share(la: number, count: number, add: (part: number, count: number) => void): number {
    let at = this.place(la);
    let left = count;
    let part = 0;
    while (left > 0) {
      if (at < 0 || at >= this.bytes.length) {
        add(0, left);
        return 0;
      }
      part = this.partAt[at]!;
      const n = Math.min(left, this.same[at]!);
      add(part, n);
      left -= n;
      at = this.after[at]!;
    }
    return part;
  }
}
