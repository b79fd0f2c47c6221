// Builds one IrFunc: virtual registers, blocks and instructions. Blocks get a number when they are made and their place
// when they are started; `finish` puts them in that order, drops those that nothing reaches and skips empty ones.
// Instructions behind a terminator are not recorded.

import { Cond, IrBlock, IrFunc, IrInst, IrSlot, Op, T_I32, T_I64 } from "./ir.ts";

/** A place in memory, as LOAD, STORE and LEA take it, or a variable in a register (`vreg` >= 0). */
export class Place {
  vreg: i32 = -1;
  base: i32 = -1;
  index: i32 = -1;
  scale: i32 = 1;
  disp: i32 = 0;
  slot: i32 = -1;
  sym: string = "";
  volatile: bool = false;
}

/** A point in the code before which a variable's value can still be copied. */
export class Mark {
  block: IrBlock;
  at: i32;
  stamp: i32;

  constructor(block: IrBlock, at: i32, stamp: i32) {
    this.block = block;
    this.at = at;
    this.stamp = stamp;
  }
}

/** A block at the end of the function that reports a failed check and does not return. */
export class ColdBlock {
  block: i32;
  line: i32;

  constructor(block: i32, line: i32) {
    this.block = block;
    this.line = line;
  }
}

export class Builder {
  readonly f: IrFunc;
  line: i32 = 0;
  readonly cold: ColdBlock[] = [];
  private made: IrBlock[] = [];        // by number
  private order: i32[] = [];           // numbers in the order of placement
  private current: IrBlock;
  private ended: bool = false;         // the current block has its terminator
  private assigned: i32[] = [];        // by register: -1 for temporaries, else time of the last assignment
  private clock: i32 = 0;

  constructor(f: IrFunc) {
    this.f = f;
    this.current = new IrBlock();
    this.made.push(this.current);
    this.order.push(0);
  }

  // ---- registers ----

  temp(type: i32): i32 {
    this.f.vregs.push(type);
    this.assigned.push(-1);
    return this.f.vregs.length - 1;
  }

  variable(type: i32): i32 {
    const v = this.temp(type);
    this.assigned[v] = 0;
    return v;
  }

  slot(size: i32, align: i32): i32 {
    const s = new IrSlot();
    s.size = size;
    s.align = align;
    this.f.slots.push(s);
    return this.f.slots.length - 1;
  }

  /** Note that a variable changes here. */
  touch(v: i32): void {
    this.clock++;
    this.assigned[v] = this.clock;
  }

  /** Remember this point if v is a variable, because what follows may change it; see `settle`. */
  mark(v: i32): Mark | null {
    if (v < 0 || this.assigned[v]! < 0 || this.ended) return null;
    return new Mark(this.current, this.current.insts.length, this.clock);
  }

  /** The value v had at the mark: v itself, or a copy when it has been assigned since. */
  settle(v: i32, m: Mark | null): i32 {
    if (m == null || this.assigned[v]! <= m.stamp) return v;
    const copy = this.temp(this.f.vregs[v]!);
    const move = this.make(Op.MOV, this.f.vregs[v]!);
    move.dst = copy;
    move.a = v;
    const insts = m.block.insts;
    insts.push(move);
    for (let i = insts.length - 1; i > m.at; i--) insts[i] = insts[i - 1]!;
    insts[m.at] = move;
    return copy;
  }

  // ---- blocks ----

  newBlock(): i32 {
    this.made.push(new IrBlock());
    return this.made.length - 1;
  }

  /** Go on in a block, coming from the current one if that has not ended. */
  start(block: i32): void {
    if (!this.ended) this.jump(block);
    this.current = this.made[block]!;
    this.order.push(block);
    this.ended = false;
  }

  isEnded(): bool {
    return this.ended;
  }

  // ---- instructions ----

  private make(op: i32, type: i32): IrInst {
    const i = new IrInst();
    i.op = op;
    i.type = type;
    i.line = this.line;
    return i;
  }

  /** A new instruction at the end of the current block. */
  emit(op: i32, type: i32): IrInst {
    const i = this.make(op, type);
    if (!this.ended) this.current.insts.push(i);
    return i;
  }

  private end(op: i32, type: i32): IrInst {
    const i = this.emit(op, type);
    this.ended = true;
    return i;
  }

  constant(type: i32, lo: i32, hi: i32): i32 {
    const dst = this.temp(type);
    const i = this.emit(Op.CONST, type);
    i.dst = dst;
    i.imm = lo;
    i.imm2 = hi;
    return dst;
  }

  /** dst = op a, into a new register of class `result`; `type` is the class of the operation. */
  unary(op: i32, type: i32, result: i32, a: i32): i32 {
    const dst = this.temp(result);
    const i = this.emit(op, type);
    i.dst = dst;
    i.a = a;
    return dst;
  }

  binary(op: i32, type: i32, a: i32, b: i32): i32 {
    const dst = this.temp(type);
    const i = this.emit(op, type);
    i.dst = dst;
    i.a = a;
    i.b = b;
    return dst;
  }

  binaryImm(op: i32, type: i32, a: i32, lo: i32, hi: i32): i32 {
    const dst = this.temp(type);
    const i = this.emit(op, type);
    i.dst = dst;
    i.a = a;
    i.useImm = true;
    i.imm = lo;
    i.imm2 = hi;
    return dst;
  }

  compare(cond: i32, type: i32, a: i32, b: i32): i32 {
    const dst = this.temp(T_I32);
    const i = this.emit(Op.CMP, type);
    i.dst = dst;
    i.cond = cond;
    i.a = a;
    i.b = b;
    return dst;
  }

  compareImm(cond: i32, type: i32, a: i32, lo: i32, hi: i32): i32 {
    const dst = this.compare(cond, type, a, -1);
    this.setImm(lo, hi);
    return dst;
  }

  private setImm(lo: i32, hi: i32): void {
    if (this.ended && this.current.insts.length == 0) return;
    const i = this.current.insts[this.current.insts.length - 1]!;
    i.useImm = true;
    i.imm = lo;
    i.imm2 = hi;
  }

  /** variable = v. When v has just been computed into a temporary, the computation is redirected instead. */
  assign(variable: i32, v: i32): void {
    if (variable == v) return;
    this.touch(variable);
    const insts = this.current.insts;
    if (!this.ended && insts.length > 0 && this.assigned[v]! < 0) {
      const last = insts[insts.length - 1]!;
      if (last.dst == v) {
        last.dst = variable;
        return;
      }
    }
    const i = this.emit(Op.MOV, this.f.vregs[variable]!);
    i.dst = variable;
    i.a = v;
  }

  private setPlace(i: IrInst, p: Place): void {
    i.base = p.base;
    i.index = p.index;
    i.scale = p.scale;
    i.disp = p.disp;
    i.slot = p.slot;
    i.sym = p.sym;
    i.volatile = p.volatile;
  }

  load(p: Place, type: i32, width: i32, signed: bool): i32 {
    const dst = this.temp(type);
    const i = this.emit(Op.LOAD, type);
    i.dst = dst;
    i.width = width;
    i.signed = signed;
    this.setPlace(i, p);
    return dst;
  }

  store(p: Place, type: i32, width: i32, v: i32): void {
    const i = this.emit(Op.STORE, type);
    i.a = v;
    i.width = width;
    this.setPlace(i, p);
  }

  storeImm(p: Place, width: i32, imm: i32): void {
    const i = this.emit(Op.STORE, T_I32);
    i.useImm = true;
    i.imm = imm;
    i.width = width;
    this.setPlace(i, p);
  }

  address(p: Place): i32 {
    if (p.index < 0 && p.slot < 0 && p.sym == "" && p.base >= 0) {
      return p.disp == 0 ? p.base : this.binaryImm(Op.ADD, T_I32, p.base, p.disp, 0);
    }
    const dst = this.temp(T_I32);
    const i = this.emit(Op.LEA, T_I32);
    i.dst = dst;
    this.setPlace(i, p);
    return dst;
  }

  symbolAddress(sym: string): i32 {
    const p = new Place();
    p.sym = sym;
    return this.address(p);
  }

  /** Call a symbol; the result register, or -1 for T_VOID (0). */
  call(sym: string, args: i32[], type: i32): i32 {
    const dst = type == 0 ? -1 : this.temp(type);
    const i = this.emit(Op.CALL, type);
    i.dst = dst;
    i.sym = sym;
    i.args = args;
    return dst;
  }

  callValue(code: i32, args: i32[], type: i32): i32 {
    const dst = type == 0 ? -1 : this.temp(type);
    const i = this.emit(Op.CALLI, type);
    i.dst = dst;
    i.a = code;
    i.args = args;
    return dst;
  }

  jump(block: i32): void {
    this.end(Op.JMP, 0).target0 = block;
  }

  branch(cond: i32, type: i32, a: i32, b: i32, yes: i32, no: i32): void {
    const i = this.end(Op.BR, type);
    i.cond = cond;
    i.a = a;
    i.b = b;
    i.target0 = yes;
    i.target1 = no;
  }

  branchImm(cond: i32, type: i32, a: i32, lo: i32, hi: i32, yes: i32, no: i32): void {
    const i = this.end(Op.BR, type);
    i.cond = cond;
    i.a = a;
    i.useImm = true;
    i.imm = lo;
    i.imm2 = hi;
    i.target0 = yes;
    i.target1 = no;
  }

  /** Branch on v being non-zero. */
  branchTrue(v: i32, yes: i32, no: i32): void {
    this.branchImm(Cond.NE, this.f.vregs[v] == T_I64 ? T_I64 : T_I32, v, 0, 0, yes, no);
  }

  table(v: i32, low: i32, cases: i32[], other: i32): void {
    const i = this.end(Op.SWITCH, T_I32);
    i.a = v;
    i.imm = low;
    i.cases = cases;
    i.target0 = other;
  }

  ret(type: i32, v: i32): void {
    this.end(Op.RET, type).a = v;
  }

  trap(): void {
    this.end(Op.TRAP, 0);
  }

  /** A block that reports a failed check on the current line; one for each line. */
  coldBlock(): i32 {
    for (const c of this.cold) {
      if (c.line == this.line) return c.block;
    }
    const b = this.newBlock();
    this.cold.push(new ColdBlock(b, this.line));
    return b;
  }

  // ---- the end ----

  finish(): IrFunc {
    const reached = new Array<bool>(this.made.length);
    this.reach(reached);
    const numbers = new Array<i32>(this.made.length);
    for (const block of this.order) {
      if (!reached[block]!) continue;
      numbers[block] = this.f.blocks.length;
      this.f.blocks.push(this.made[block]!);
    }
    for (const b of this.f.blocks) this.renumber(b.insts[b.insts.length - 1]!, numbers);
    return this.f;
  }

  /** Mark the blocks that control can reach, and let jumps skip blocks that only jump on. */
  private reach(reached: bool[]): void {
    const work: i32[] = [0];
    reached[0] = true;
    while (work.length > 0) {
      const b = this.made[work.pop()!]!;
      const last = b.insts[b.insts.length - 1]!;
      if (last.target0 >= 0) last.target0 = this.visit(last.target0, reached, work);
      if (last.target1 >= 0) last.target1 = this.visit(last.target1, reached, work);
      const cases = last.cases;
      if (cases == null) continue;
      for (let i = 0; i < cases.length; i++) cases[i] = this.visit(cases[i]!, reached, work);
    }
  }

  private visit(start: i32, reached: bool[], work: i32[]): i32 {
    let block = start;
    for (let steps = 0; steps < 20; steps++) {
      const insts = this.made[block]!.insts;
      if (insts.length != 1 || insts[0]!.op != Op.JMP) break;
      block = insts[0]!.target0;
    }
    if (!reached[block]!) {
      reached[block] = true;
      work.push(block);
    }
    return block;
  }

  private renumber(last: IrInst, numbers: i32[]): void {
    if (last.target0 >= 0) last.target0 = numbers[last.target0]!;
    if (last.target1 >= 0) last.target1 = numbers[last.target1]!;
    const cases = last.cases;
    if (cases == null) return;
    for (let i = 0; i < cases.length; i++) cases[i] = numbers[cases[i]!]!;
  }
}
