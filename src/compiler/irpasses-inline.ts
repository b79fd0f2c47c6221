// Puts the bodies of small functions in the place of calls to them, callees before callers. Functions with inline assembly, slots or a call of themselves are never moved. Inlined instructions
// belong to the line of the call.
import { IrBlock, Op } from "./ir.ts";
import type { IrFunc, IrInst, IrModule } from "./ir.ts";
import { newInst } from "./irpasses-ops.ts";
import { cloneInst } from "./irpasses.ts";

const SMALL: i32 = 14;             // instructions of a function worth inlining everywhere
const FEW_BLOCKS: i32 = 7;
const LARGE: i32 = 3000;           // a caller of so many instructions does not grow

const NOT_SEEN: i32 = 0;
const IN_WORK: i32 = 1;
const DONE: i32 = 2;

export class Inliner {
  private m: IrModule;
  private byName: Map<string, i32> = new Map<string, i32>();
  private state: i32[] = [];
  private small: bool[] = [];      // of functions that are DONE
  private f!: IrFunc;
  private blocks: IrBlock[] = [];  // the function's new blocks
  private start: i32[] = [];       // by old block: its new number
  private own: IrInst[] = [];      // terminators that still name old blocks
  private current!: IrBlock;

  constructor(m: IrModule) {
    this.m = m;
    for (let k = 0; k < m.funcs.length; k++) {
      this.byName.set(m.funcs[k]!.name, k);
      this.state.push(NOT_SEEN);
      this.small.push(false);
    }
  }

  /** Expand the calls in function number k. The function must not have been changed by other passes. */
  prepare(k: i32): void {
    if (this.state[k] != NOT_SEEN) return;
    this.state[k] = IN_WORK;
    const f = this.m.funcs[k]!;
    if (!f.naked) {
      for (const b of f.blocks) {
        for (const i of b.insts) {
          if (i.op == Op.CALL && i.args!.length < 6 && this.byName.has(i.sym)) this.prepareCallee(this.byName.get(i.sym)!);
        }
      }
      this.expand(f);
      this.small[k] = isSmall(f);
    }
    this.state[k] = DONE;
  }

  /** Whether copies of this function stand where it is called; it must stay unchanged until all others are done. */
  isSmall(k: i32): bool {
    return this.small[k]!;
  }

  /** A callee matters only if it may be small after its own calls are expanded: expansion never makes one smaller. */
  private prepareCallee(k: i32): void {
    if (this.state[k] == NOT_SEEN && mayBeSmall(this.m.funcs[k]!)) this.prepare(k);
  }

  private callee(i: IrInst): IrFunc | null {
    if (i.op != Op.CALL || !this.byName.has(i.sym)) return null;
    const k = this.byName.get(i.sym)!;
    return this.state[k] == DONE && this.small[k]! ? this.m.funcs[k]! : null;
  }

  // ---- one caller ----

  private expand(f: IrFunc): void {
    let calls = 0;
    let size = 0;
    for (const b of f.blocks) {
      size += b.insts.length;
      if (this.hasInlined(b)) calls++;
    }
    if (calls == 0 || size > LARGE) return;
    this.f = f;
    this.blocks = [];
    this.start.length = 0;
    this.own.length = 0;
    for (const b of f.blocks) this.expandBlock(b);
    for (const i of this.own) this.renumber(i);
    f.blocks = this.blocks;
  }

  private open(): void {
    this.current = new IrBlock();
    this.blocks.push(this.current);
  }

  private hasInlined(b: IrBlock): bool {
    for (const i of b.insts) {
      if (i.op == Op.CALL && this.callee(i) != null) return true;
    }
    return false;
  }

  /** A block without calls of small functions stays as it is. */
  private expandBlock(b: IrBlock): void {
    this.start.push(this.blocks.length);
    this.own.push(b.insts[b.insts.length - 1]!);
    if (!this.hasInlined(b)) {
      this.blocks.push(b);
      return;
    }
    this.open();
    for (const i of b.insts) {
      const callee = this.callee(i);
      if (callee != null) this.inline(i, callee!);
      else this.current.insts.push(i);
    }
  }

  private renumber(i: IrInst): void {
    if (i.target0 >= 0) i.target0 = this.start[i.target0]!;
    if (i.target1 >= 0) i.target1 = this.start[i.target1]!;
    const cases = i.cases;
    if (cases == null) return;
    for (let k = 0; k < cases.length; k++) cases[k] = this.start[cases[k]!]!;
  }

  private make(op: i32, line: i32): IrInst {
    const i = newInst(op, line);
    this.current.insts.push(i);
    return i;
  }

  private move(dst: i32, a: i32, type: i32, line: i32): void {
    const i = this.make(Op.MOV, line);
    i.type = type;
    i.dst = dst;
    i.a = a;
  }

  private inline(call: IrInst, callee: IrFunc): void {
    const first = this.f.vregs.length;
    for (const type of callee.vregs) this.f.vregs.push(type);
    const args = call.args!;
    for (let k = 0; k < args.length; k++) {
      const p = first + callee.params[k]!;
      this.move(p, args[k]!, this.f.vregs[p]!, call.line);
    }
    if (callee.blocks.length == 1) {
      this.copyBlock(callee.blocks[0]!, call, first, 0, -1);
      return;
    }
    const base = this.blocks.length;
    const after = base + callee.blocks.length;
    this.make(Op.JMP, call.line).target0 = base;
    for (const b of callee.blocks) {
      this.open();
      this.copyBlock(b, call, first, base, after);
    }
    this.open();
  }

  /** Copy a block of the callee into the current one; a return goes on at block `after`, or right here if that is -1. */
  private copyBlock(b: IrBlock, call: IrInst, first: i32, base: i32, after: i32): void {
    for (const old of b.insts) {
      if (old.op == Op.RET) {
        if (call.dst >= 0 && old.a >= 0) this.move(call.dst, first + old.a, this.f.vregs[call.dst]!, call.line);
        if (after >= 0) this.make(Op.JMP, call.line).target0 = after;
        continue;
      }
      const i = cloneInst(old);
      i.line = call.line;
      shift(i, first);
      if (i.target0 >= 0) i.target0 += base;
      if (i.target1 >= 0) i.target1 += base;
      const cases = i.cases;
      if (cases != null) {
        const copy: i32[] = [];
        for (let k = 0; k < cases.length; k++) copy.push(cases[k]! + base);
        i.cases = copy;
      }
      this.current.insts.push(i);
    }
  }
}

/** Instructions of a block that count; reports of failed checks do not. */
function weightOf(b: IrBlock): i32 {
  const last = b.insts[b.insts.length - 1]!.op;
  if (last == Op.TRAP) return 0;
  return last == Op.JMP || last == Op.RET ? b.insts.length - 1 : b.insts.length;
}

function mayBeSmall(f: IrFunc): bool {
  if (f.blocks.length > FEW_BLOCKS) return false;
  let size = 0;
  for (const b of f.blocks) size += weightOf(b);
  return size <= SMALL + 2 * FEW_BLOCKS;
}

function isSmall(f: IrFunc): bool {
  if (f.naked || f.slots.length > 0 || f.blocks.length > FEW_BLOCKS) return false;
  let size = 0;
  let returns = false;
  for (const b of f.blocks) {
    for (const i of b.insts) {
      if (i.op == Op.ASM || (i.op == Op.CALL && i.sym == f.name)) return false;
      if (i.op == Op.RET) returns = true;
    }
    size += weightOf(b);
  }
  return returns && size <= SMALL;
}

/** Renumber the registers of a copied instruction. */
function shift(i: IrInst, first: i32): void {
  if (i.dst >= 0) i.dst += first;
  if (i.a >= 0) i.a += first;
  if (i.b >= 0) i.b += first;
  if (i.base >= 0) i.base += first;
  if (i.index >= 0) i.index += first;
  const args = i.args;
  if (args == null) return;
  const copy: i32[] = [];
  for (let k = 0; k < args.length; k++) copy.push(args[k]! + first);
  i.args = copy;
}
