// Splits every I64 virtual register into two I32 ones, so that all later passes know only I32 and F64. The low word keeps
// the number, `high[v]` is the other. Multiplication, addition and comparison become short sequences over both words;
// division, variable shifts and conversions of f64 become calls of the functions in link-runtime.
import { Cond, Op, T_F64, T_I32, T_I64 } from "./ir.ts";
import type { IrBlock, IrFunc, IrInst } from "./ir.ts";
import { newInst, X_ADC, X_ADDC, X_BRC, X_CMPC, X_MULWIDE, X_SBB, X_SETC, X_SHLD, X_SHRD, X_SUBC } from "./irpasses-ops.ts";

/** Whether a function needs this pass (or the lowering of f64 conversions). */
function isWide(f: IrFunc): bool {
  for (const t of f.vregs) {
    if (t != T_I32) return true;
  }
  return false;
}

/** Replace all I64 values of a function by pairs of I32 values. */
export function splitWide(f: IrFunc): void {
  if (!isWide(f)) return;
  const s = new Splitter(f);
  s.run();
}

class Splitter {
  private f: IrFunc;
  private high: i32[] = [];       // by register: its high word, or -1
  private out: IrInst[] = [];
  private line: i32 = 0;

  constructor(f: IrFunc) {
    this.f = f;
    const count = f.vregs.length;
    for (let v = 0; v < count; v++) this.high.push(-1);
    for (let v = 0; v < count; v++) {
      if (f.vregs[v] != T_I64) continue;
      f.vregs[v] = T_I32;
      this.high[v] = this.fresh();
    }
  }

  run(): void {
    this.f.params = this.pairs(this.f.params);
    for (const b of this.f.blocks) this.block(b);
  }

  private fresh(): i32 {
    this.f.vregs.push(T_I32);
    return this.f.vregs.length - 1;
  }

  private hi(v: i32): i32 {
    return v >= 0 ? this.high[v]! : -1;
  }

  private pairs(list: i32[]): i32[] {
    const out: i32[] = [];
    for (const v of list) {
      out.push(v);
      if (v < this.high.length && this.high[v]! >= 0) out.push(this.high[v]!);
    }
    return out;
  }

  private block(b: IrBlock): void {
    const insts = b.insts;
    for (const i of insts) {
      this.line = i.line;
      this.inst(i);
    }
    b.insts = this.out;
    insts.length = 0;
    this.out = insts;
  }

  // ---- making instructions ----

  private make(op: i32, dst: i32, a: i32, b: i32): IrInst {
    const i = newInst(op, this.line);
    i.type = T_I32;
    i.dst = dst;
    i.a = a;
    i.b = b;
    this.out.push(i);
    return i;
  }

  private makeImm(op: i32, dst: i32, a: i32, imm: i32): IrInst {
    const i = this.make(op, dst, a, -1);
    i.useImm = true;
    i.imm = imm;
    return i;
  }

  private constant(dst: i32, imm: i32): void {
    this.make(Op.CONST, dst, -1, -1).imm = imm;
  }

  /** dst = a op (b or imm), one word of an operation. */
  private part(op: i32, dst: i32, a: i32, i: IrInst, b: i32, imm: i32): IrInst {
    return i.useImm ? this.makeImm(op, dst, a, imm) : this.make(op, dst, a, b);
  }

  private call(sym: string, dst: i32, dst2: i32, args: i32[]): void {
    const i = this.make(Op.CALL, dst, -1, -1);
    i.dst2 = dst2;
    i.sym = sym;
    i.args = args;
  }

  /** The right operand's words as registers. */
  private rightLow(i: IrInst): i32 {
    if (!i.useImm) return i.b;
    const v = this.fresh();
    this.constant(v, i.imm);
    return v;
  }

  private rightHigh(i: IrInst): i32 {
    if (!i.useImm) return this.hi(i.b);
    const v = this.fresh();
    this.constant(v, i.imm2);
    return v;
  }

  // ---- dispatch ----

  private inst(i: IrInst): void {
    if (i.args != null) {
      i.args = this.pairs(i.args!);
      i.dst2 = this.hi(i.dst);
      if (i.type == T_I64) i.type = T_I32;
      this.out.push(i);
      return;
    }
    if (i.type == T_I64) this.wide(i);
    else this.narrow(i);
  }

  /** Instructions whose type is not I64 but which may touch I64 values. */
  private narrow(i: IrInst): void {
    switch (i.op) {
      case Op.EXTS: case Op.EXTU: case Op.F2L: case Op.F2BITS: case Op.WRAP: case Op.L2F: case Op.BITS2F:
      case Op.F2I: case Op.U2F:
        this.convert(i);
        break;
      default:
        this.out.push(i);
    }
  }

  private convert(i: IrInst): void {
    const h = this.hi(i.dst);
    switch (i.op) {
      case Op.EXTS: {
        this.make(Op.MOV, i.dst, i.a, -1);
        this.makeImm(Op.SHRS, h, i.dst, 31);
        break;
      }
      case Op.EXTU: {
        this.make(Op.MOV, i.dst, i.a, -1);
        this.constant(h, 0);
        break;
      }
      case Op.WRAP:
        this.make(Op.MOV, i.dst, i.a, -1);
        break;
      case Op.F2I: this.call("__f2i", i.dst, -1, [i.a]); break;
      case Op.F2L: this.call("__f2l", i.dst, h, [i.a]); break;
      case Op.U2F: {
        const zero = this.fresh();
        this.constant(zero, 0);
        this.longToFloat(i, i.a, zero);
        break;
      }
      case Op.L2F: this.longToFloat(i, i.a, this.hi(i.a)); break;
      default: {
        i.type = T_F64;
        if (i.op == Op.BITS2F) i.b = this.hi(i.a);
        else i.dst2 = h;
        this.out.push(i);
      }
    }
  }

  private longToFloat(i: IrInst, low: i32, high: i32): void {
    i.op = Op.L2F;
    i.type = T_F64;
    i.a = low;
    i.b = high;
    this.out.push(i);
  }

  private wide(i: IrInst): void {
    const d = i.dst;
    const dh = this.hi(d);
    const a = i.a;
    const ah = this.hi(a);
    const bh = i.useImm ? -1 : this.hi(i.b);
    switch (i.op) {
      case Op.CONST:
        this.constant(d, i.imm);
        this.constant(dh, i.imm2);
        break;
      case Op.MOV:
        this.make(Op.MOV, d, a, -1);
        this.make(Op.MOV, dh, ah, -1);
        break;
      case Op.ADD:
        this.part(X_ADDC, d, a, i, i.b, i.imm);
        this.part(X_ADC, dh, ah, i, bh, i.imm2);
        break;
      case Op.SUB:
        this.part(X_SUBC, d, a, i, i.b, i.imm);
        this.part(X_SBB, dh, ah, i, bh, i.imm2);
        break;
      case Op.AND: case Op.OR: case Op.XOR:
        this.part(i.op, d, a, i, i.b, i.imm);
        this.part(i.op, dh, ah, i, bh, i.imm2);
        break;
      case Op.NOT:
        this.make(Op.NOT, d, a, -1);
        this.make(Op.NOT, dh, ah, -1);
        break;
      case Op.NEG: this.negate(d, dh, a, ah); break;
      case Op.MUL: this.multiply(i, d, dh, a, ah); break;
      case Op.DIVS: this.call("__divdi3", d, dh, [a, ah, this.rightLow(i), this.rightHigh(i)]); break;
      case Op.DIVU: this.call("__udivdi3", d, dh, [a, ah, this.rightLow(i), this.rightHigh(i)]); break;
      case Op.REMS: this.call("__moddi3", d, dh, [a, ah, this.rightLow(i), this.rightHigh(i)]); break;
      case Op.REMU: this.call("__umoddi3", d, dh, [a, ah, this.rightLow(i), this.rightHigh(i)]); break;
      case Op.SHL: case Op.SHRS: case Op.SHRU: this.shift(i, d, dh, a, ah); break;
      case Op.CMP: case Op.BR: this.compare(i, a, ah); break;
      case Op.LOAD: this.load(i, d, dh); break;
      case Op.STORE: this.store(i, a, ah); break;
      case Op.RET:
        i.type = T_I32;
        i.b = ah;
        this.out.push(i);
        break;
      default:
        this.convert(i);
    }
  }

  private negate(d: i32, dh: i32, a: i32, ah: i32): void {
    const zero = this.fresh();
    const zeroHigh = this.fresh();
    this.constant(zero, 0);
    this.constant(zeroHigh, 0);
    this.make(X_SUBC, d, zero, a);
    this.make(X_SBB, dh, zeroHigh, ah);
  }

  private multiply(i: IrInst, d: i32, dh: i32, a: i32, ah: i32): void {
    const b = this.rightLow(i);
    const low = this.fresh();
    const high = this.fresh();
    const cross = this.fresh();
    const sum = this.fresh();
    const cross2 = this.fresh();
    if (i.useImm) this.makeImm(Op.MUL, cross, a, i.imm2);
    else this.make(Op.MUL, cross, a, this.hi(i.b));
    this.make(Op.MUL, cross2, ah, b);
    this.make(Op.ADD, sum, cross, cross2);
    this.make(X_MULWIDE, low, a, b).dst2 = high;
    this.make(Op.MOV, d, low, -1);
    this.make(Op.ADD, dh, high, sum);
  }

  private shift(i: IrInst, d: i32, dh: i32, a: i32, ah: i32): void {
    if (!i.useImm) {
      const name = i.op == Op.SHL ? "__ashldi3" : i.op == Op.SHRS ? "__ashrdi3" : "__lshrdi3";
      this.call(name, d, dh, [a, ah, i.b]);
      return;
    }
    const n = i.imm & 63;
    if (n == 0) {
      this.make(Op.MOV, d, a, -1);
      this.make(Op.MOV, dh, ah, -1);
    } else if (i.op == Op.SHL) {
      this.shiftLeft(d, dh, a, ah, n);
    } else {
      this.shiftRight(i.op, d, dh, a, ah, n);
    }
  }

  private shiftLeft(d: i32, dh: i32, a: i32, ah: i32, n: i32): void {
    if (n >= 32) {
      if (n == 32) this.make(Op.MOV, dh, a, -1);
      else this.makeImm(Op.SHL, dh, a, n - 32);
      this.constant(d, 0);
      return;
    }
    this.make(X_SHLD, dh, ah, a).imm = n;
    this.makeImm(Op.SHL, d, a, n);
  }

  private shiftRight(op: i32, d: i32, dh: i32, a: i32, ah: i32, n: i32): void {
    if (n >= 32) {
      if (n == 32) this.make(Op.MOV, d, ah, -1);
      else this.makeImm(op, d, ah, n - 32);
      if (op == Op.SHRS) this.makeImm(Op.SHRS, dh, ah, 31);
      else this.constant(dh, 0);
      return;
    }
    this.make(X_SHRD, d, a, ah).imm = n;
    this.makeImm(op, dh, ah, n);
  }

  private compare(i: IrInst, a: i32, ah: i32): void {
    if (i.cond == Cond.EQ || i.cond == Cond.NE) {
      this.equality(i, a, ah);
      return;
    }
    // only "borrow" conditions fall out of a subtraction: exchange the operands of the others
    let cond = i.cond;
    const exchange = cond == Cond.GT || cond == Cond.LE || cond == Cond.UGT || cond == Cond.ULE;
    if (exchange) {
      const b = this.rightLow(i);
      const bh = this.rightHigh(i);
      cond = cond == Cond.GT ? Cond.LT : cond == Cond.LE ? Cond.GE : cond == Cond.UGT ? Cond.ULT : Cond.UGE;
      this.make(X_CMPC, -1, b, a);
      this.finishCompare(i, cond, this.make(X_BRC, -1, bh, ah));
      return;
    }
    this.part(X_CMPC, -1, a, i, i.b, i.imm);
    this.finishCompare(i, cond, this.part(X_BRC, -1, ah, i, i.useImm ? -1 : this.hi(i.b), i.imm2));
  }

  private finishCompare(i: IrInst, cond: i32, last: IrInst): void {
    last.cond = cond;
    if (i.op == Op.BR) {
      last.target0 = i.target0;
      last.target1 = i.target1;
    } else {
      last.op = X_SETC;
      last.dst = i.dst;
    }
  }

  private equality(i: IrInst, a: i32, ah: i32): void {
    let low = a;
    let high = ah;
    if (!i.useImm || i.imm != 0) {
      low = this.fresh();
      this.part(Op.XOR, low, a, i, i.b, i.imm);
    }
    if (!i.useImm || i.imm2 != 0) {
      high = this.fresh();
      this.part(Op.XOR, high, ah, i, i.useImm ? -1 : this.hi(i.b), i.imm2);
    }
    const both = this.fresh();
    this.make(Op.OR, both, low, high);
    i.type = T_I32;
    i.a = both;
    i.b = -1;
    i.useImm = true;
    i.imm = 0;
    i.imm2 = 0;
    this.out.push(i);
  }

  private memory(op: i32, i: IrInst, offset: i32): IrInst {
    const m = this.make(op, -1, -1, -1);
    m.base = i.base;
    m.index = i.index;
    m.scale = i.scale;
    m.disp = (i.disp + offset) | 0;
    m.slot = i.slot;
    m.sym = i.sym;
    m.volatile = i.volatile;
    return m;
  }

  /** The words of an I64 are both in memory, even when a narrower width is asked for (then it is widened). */
  private load(i: IrInst, d: i32, dh: i32): void {
    const low = this.memory(Op.LOAD, i, 0);
    if (i.width < 8) {
      low.width = i.width;
      low.signed = i.signed;
      low.dst = d;
      if (i.signed) this.makeImm(Op.SHRS, dh, d, 31);
      else this.constant(dh, 0);
      return;
    }
    low.dst = d;
    this.memory(Op.LOAD, i, 4).dst = dh;
  }

  private store(i: IrInst, a: i32, ah: i32): void {
    const low = this.memory(Op.STORE, i, 0);
    if (i.useImm) {
      low.useImm = true;
      low.imm = i.imm;
    } else {
      low.a = a;
    }
    if (i.width < 8) {
      low.width = i.width;
      return;
    }
    const high = this.memory(Op.STORE, i, 4);
    if (i.useImm) {
      high.useImm = true;
      high.imm = i.imm2;
    } else {
      high.a = ah;
    }
  }
}
