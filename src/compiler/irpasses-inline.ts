// Puts the bodies of small functions in the place of calls to them, callees before callers, and drops functions that nothing
// refers to any more. Functions with inline assembly, slots or a call of themselves are never moved. Inlined instructions
// belong to the line of the call.
import { IrBlock, IrInst, Op } from "./ir.ts";
import type { IrFunc, IrModule } from "./ir.ts";
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

  run(): void {
    for (let k = 0; k < this.m.funcs.length; k++) this.visit(k);
  }

  private visit(k: i32): void {
    if (this.state[k] != NOT_SEEN) return;
    this.state[k] = IN_WORK;
    const f = this.m.funcs[k]!;
    if (!f.naked) {
      for (const b of f.blocks) {
        for (const i of b.insts) {
          if (i.op == Op.CALL && this.byName.has(i.sym)) this.visit(this.byName.get(i.sym)!);
        }
      }
      this.expand(f);
      this.small[k] = isSmall(f);
    }
    this.state[k] = DONE;
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
      for (const i of b.insts) {
        if (this.callee(i) != null) calls++;
      }
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

  private expandBlock(b: IrBlock): void {
    this.start.push(this.blocks.length);
    this.open();
    for (const i of b.insts) {
      const callee = this.callee(i);
      if (callee != null) this.inline(i, callee!);
      else this.current.insts.push(i);
    }
    this.own.push(b.insts[b.insts.length - 1]!);
  }

  private renumber(i: IrInst): void {
    if (i.target0 >= 0) i.target0 = this.start[i.target0]!;
    if (i.target1 >= 0) i.target1 = this.start[i.target1]!;
    const cases = i.cases;
    if (cases == null) return;
    for (let k = 0; k < cases.length; k++) cases[k] = this.start[cases[k]!]!;
  }

  private make(op: i32, line: i32): IrInst {
    const i = new IrInst();
    i.op = op;
    i.line = line;
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
    for (let v = 0; v < callee.vregs.length; v++) {
      this.f.vregs.push(callee.vregs[v]!);
      this.f.vregNames.push("");
    }
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
        if (call.dst >= 0 && old.a < 0 && old.useImm) this.constant(call, old.imm);
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

  private constant(call: IrInst, imm: i32): void {
    const i = this.make(Op.CONST, call.line);
    i.type = this.f.vregs[call.dst]!;
    i.dst = call.dst;
    i.imm = imm;
  }

  // ---- functions that nothing refers to ----

  /** Keep what can be reached from the entry symbol and the data. */
  dropUnreachable(entry: string): void {
    const reached: bool[] = [];
    for (let k = 0; k < this.m.funcs.length; k++) reached.push(false);
    const work: i32[] = [];
    this.reach(entry, reached, work);
    this.reach(this.m.entry, reached, work);
    for (const d of this.m.data) {
      for (const r of d.relocs) this.reach(r.sym, reached, work);
    }
    while (work.length > 0) this.scan(this.m.funcs[work.pop()!]!, reached, work);
    let n = 0;
    for (let k = 0; k < this.m.funcs.length; k++) {
      if (!reached[k]!) continue;
      this.m.funcs[n] = this.m.funcs[k]!;
      n++;
    }
    this.m.funcs.length = n;
  }

  private reach(sym: string, reached: bool[], work: i32[]): void {
    if (sym == "" || !this.byName.has(sym)) return;
    const k = this.byName.get(sym)!;
    if (reached[k]!) return;
    reached[k] = true;
    work.push(k);
  }

  private scan(f: IrFunc, reached: bool[], work: i32[]): void {
    for (const b of f.blocks) {
      for (const i of b.insts) {
        this.reach(i.sym, reached, work);
        const asm = i.asm;
        if (asm == null) continue;
        for (const o of asm.operands) this.reach(o.sym, reached, work);
      }
    }
  }
}

function isSmall(f: IrFunc): bool {
  if (f.naked || f.slots.length > 0 || f.blocks.length > FEW_BLOCKS) return false;
  let size = 0;
  let returns = false;
  for (const b of f.blocks) {
    for (const i of b.insts) {
      if (i.op == Op.ASM || (i.op == Op.CALL && i.sym == f.name)) return false;
      if (i.op == Op.RET) returns = true;
      if (i.op != Op.JMP && i.op != Op.RET) size++;
    }
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
