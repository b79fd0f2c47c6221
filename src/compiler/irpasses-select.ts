// Chooses instruction shapes within a block: a value computed only to be copied goes straight to its destination; a load used
// once becomes a memory operand of its user; load, change, store back becomes one instruction; a masked value compared with
// zero becomes a test. Also drops computations that nobody uses. Positions are instruction numbers in the block at hand.
import { Cond, Op, T_F64, T_I32 } from "./ir.ts";
import type { IrFunc, IrInst } from "./ir.ts";
import {
  clearAddress, compact, copyAddress, IN_MEMORY, isCommutative, isPure, listedUses, sameAddress, unsignedOf, usesOf,
  writesMemory, X_ADC, X_ADDC, X_ARG, X_BRC, X_BRTEST, X_CMPC, X_RMW, X_SBB, X_SETC, X_SUBC, X_TEST,
} from "./irpasses-ops.ts";

const GONE: i32 = 0;               // operation of an instruction that has been folded into another

function hasMove(insts: IrInst[]): bool {
  for (const i of insts) {
    if (i.op == Op.MOV) return true;
  }
  return false;
}

/** What is known of a virtual register. */
class Register {
  uses: i32 = 0;                   // reads in the function
  defs: i32 = 0;                   // assignments in the function
  lastDef: i32 = -1;               // clock of the last assignment, and of the last use
  lastUse: i32 = -1;
}

export class SelectPass {
  private insts: IrInst[] = [];
  private regs: Register[] = [];   // by register
  private base: i32 = 0;           // clock of position 0 of the block at hand; what is older was in another block
  private clock: i32 = 0;          // never stands still
  private lastWrite: i32 = -1;     // position of the last instruction that may write memory
  private lastVolatile: i32 = -1;
  private list: i32[] = [];
  private gone: bool = false;      // something in the block at hand is GONE

  // ---- bookkeeping ----

  private count(f: IrFunc): void {
    const count = f.vregs.length;
    while (this.regs.length < count) this.regs.push(new Register());
    for (let v = 0; v < count; v++) {
      const r = this.regs[v]!;
      r.uses = 0;
      r.defs = 0;
    }
    for (const p of f.params) this.regs[p]!.defs = 1;
    for (const b of f.blocks) {
      for (const i of b.insts) this.countInst(i);
    }
  }

  private countInst(i: IrInst): void {
    const regs = this.regs;
    if (i.a >= 0) regs[i.a]!.uses++;
    if (i.b >= 0) regs[i.b]!.uses++;
    if (i.base >= 0) regs[i.base]!.uses++;
    if (i.index >= 0) regs[i.index]!.uses++;
    if (i.dst >= 0) regs[i.dst]!.defs++;
    if (i.dst2 >= 0) regs[i.dst2]!.defs++;
    if (i.args == null && i.asm == null) return;
    const n = listedUses(i, this.list);
    for (let k = 0; k < n; k++) {
      regs[this.list[k]!]!.uses++;
      if (i.asm != null) regs[this.list[k]!]!.defs += 1000;
    }
  }

  private start(insts: IrInst[]): void {
    this.base = this.clock;
    this.clock += insts.length;
    this.insts = insts;
    this.lastWrite = -1;
    this.lastVolatile = -1;
    this.gone = false;
  }

  private remove(i: IrInst): void {
    i.op = GONE;
    this.gone = true;
  }

  private position(clock: i32): i32 {
    return clock >= this.base ? clock - this.base : -1;
  }

  private defAt(v: i32): i32 {
    return v < 0 ? -1 : this.position(this.regs[v]!.lastDef);
  }

  private useAt(v: i32): i32 {
    return v < 0 ? -1 : this.position(this.regs[v]!.lastUse);
  }

  private noteLists(i: IrInst, now: i32): void {
    const n = listedUses(i, this.list);
    for (let k = 0; k < n; k++) {
      const r = this.regs[this.list[k]!]!;
      r.lastUse = now;
      if (i.asm != null) r.lastDef = now;
    }
  }

  private note(i: IrInst, at: i32): void {
    const regs = this.regs;
    const now = this.base + at;
    if (i.a >= 0) regs[i.a]!.lastUse = now;
    if (i.b >= 0) regs[i.b]!.lastUse = now;
    if (i.base >= 0) regs[i.base]!.lastUse = now;
    if (i.index >= 0) regs[i.index]!.lastUse = now;
    if (i.args != null || i.asm != null) this.noteLists(i, now);
    if (i.dst >= 0) regs[i.dst]!.lastDef = now;
    if (i.dst2 >= 0) regs[i.dst2]!.lastDef = now;
    if (writesMemory(i)) this.lastWrite = at;
    if (i.volatile) this.lastVolatile = at;
  }

  /** The instruction of this block that computed v, when v has no other use and no other assignment; or -1. */
  private onlyDef(v: i32): i32 {
    if (v < 0) return -1;
    const r = this.regs[v]!;
    return r.uses == 1 && r.defs == 1 ? this.position(r.lastDef) : -1;
  }

  /** Whether the registers an instruction at `at` reads still hold the same values. */
  private operandsHold(i: IrInst, at: i32): bool {
    return this.defAt(i.a) <= at && this.defAt(i.b) <= at && this.addressHolds(i, at) && i.dst != i.a && i.dst != i.b;
  }

  private addressHolds(i: IrInst, at: i32): bool {
    return this.defAt(i.base) <= at && this.defAt(i.index) <= at && i.dst != i.base && i.dst != i.index;
  }

  // ---- moves ----

  /** `t = ...; v = t` with t not used otherwise becomes `v = ...`. */
  joinMoves(f: IrFunc): void {
    this.count(f);
    this.joinCounted(f);
  }

  private joinCounted(f: IrFunc): void {
    for (const b of f.blocks) {
      const insts = b.insts;
      if (!hasMove(insts)) continue;
      this.start(insts);
      for (let k = 0; k < insts.length; k++) {
        const i = insts[k]!;
        if (i.op == Op.MOV) this.joinMove(i);
        if (i.op != GONE) this.note(i, k);
      }
      if (this.gone) compact(insts);
    }
  }

  private joinMove(i: IrInst): void {
    if (i.a == i.dst) {
      this.drop(i);
      return;
    }
    const d = this.onlyDef(i.a);
    if (d < 0 || this.defAt(i.dst) >= d || this.useAt(i.dst) > d) return;
    const from = this.insts[d]!;
    if (from.dst != i.a || from.dst2 >= 0) return;
    from.dst = i.dst;
    if (i.dst >= 0) this.regs[i.dst]!.lastDef = this.base + d;
    this.regs[i.a]!.uses = 0;
    this.regs[i.a]!.defs = 0;
    this.remove(i);
    i.dst = -1;
    i.a = -1;
  }

  // ---- dead code ----

  /** Drop pure instructions whose results nobody reads. */
  dropDead(f: IrFunc): void {
    this.count(f);
    for (let b = f.blocks.length - 1; b >= 0; b--) {
      const insts = f.blocks[b]!.insts;
      this.gone = false;
      let after = -1;
      for (let k = insts.length - 1; k >= 0; k--) {
        const i = insts[k]!;
        this.looseCarry(i, after);
        if (i.op != GONE && this.isDead(i)) this.drop(i);
        if (i.op != GONE) after = i.op;
      }
      if (this.gone) compact(insts);
    }
  }

  /** An operation whose carry nobody takes is an ordinary one. */
  private looseCarry(i: IrInst, after: i32): void {
    const taken = after == X_ADC || after == X_SBB;
    if (i.op == X_ADDC && !taken) i.op = Op.ADD;
    if (i.op == X_SUBC && !taken) i.op = Op.SUB;
    if (i.op == X_CMPC && after != X_BRC && after != X_SETC) this.drop(i);
  }

  private isDead(i: IrInst): bool {
    if (!isPure(i)) return false;
    if (i.dst >= 0 && this.regs[i.dst]!.uses > 0) return false;
    return i.dst2 < 0 || this.regs[i.dst2]!.uses == 0;
  }

  private drop(i: IrInst): void {
    const n = usesOf(i, this.list);
    for (let k = 0; k < n; k++) this.regs[this.list[k]!]!.uses--;
    if (i.dst >= 0) this.regs[i.dst]!.defs--;
    if (i.dst2 >= 0) this.regs[i.dst2]!.defs--;
    this.remove(i);
  }

  // ---- shapes ----

  /** To be called right after `dropDead`, whose counts it goes on with. */
  run(f: IrFunc): void {
    this.joinCounted(f);
    for (const b of f.blocks) {
      const insts = b.insts;
      this.start(insts);
      for (let k = 0; k < insts.length; k++) {
        const i = insts[k]!;
        this.shape(i);
        this.note(i, k);
      }
      if (this.gone) compact(insts);
    }
  }

  private shape(i: IrInst): void {
    switch (i.op) {
      case Op.ADD:
        this.scaledAdd(i);
        this.foldRight(i);
        break;
      case Op.SUB: case Op.MUL: case Op.AND: case Op.OR: case Op.XOR: case X_ADDC: case X_SUBC: case X_ADC: case X_SBB:
      case Op.DIVS:
        this.foldRight(i);
        break;
      case Op.CMP: case Op.BR:
        this.makeTest(i);
        if (i.useImm) this.foldLeft(i);
        else this.foldRight(i);
        break;
      case X_ARG: case Op.CALLI:
        this.foldArg(i);
        break;
      case Op.STORE:
        this.makeUpdate(i);
        break;
      default:
        break;
    }
  }

  /** a + (b << k) in one LEA. */
  private scaledAdd(i: IrInst): void {
    if (i.type != T_I32 || i.useImm || i.b < 0) return;
    let index = i.b;
    let base = i.a;
    let d = this.onlyDef(index);
    if (d < 0 || !this.isScale(this.insts[d]!)) {
      index = i.a;
      base = i.b;
      d = this.onlyDef(index);
      if (d < 0 || !this.isScale(this.insts[d]!)) return;
    }
    const shift = this.insts[d]!;
    if (!this.operandsHold(shift, d)) return;
    clearAddress(i);
    i.op = Op.LEA;
    i.a = -1;
    i.b = -1;
    i.base = base;
    i.index = shift.a;
    i.scale = 1 << shift.imm;
    this.remove(shift);
  }

  private isScale(i: IrInst): bool {
    return i.op == Op.SHL && i.useImm && i.imm <= 3 && i.type == T_I32;
  }

  /** A load that can move down to the instruction at hand, as a whole word; its position or -1. */
  private movableLoad(v: i32, type: i32): i32 {
    const d = this.onlyDef(v);
    if (d < 0) return -1;
    const l = this.insts[d]!;
    if (l.op != Op.LOAD || l.type != type || this.lastWrite > d) return -1;
    if (l.volatile && this.lastVolatile > d) return -1;
    return this.addressHolds(l, d) ? d : -1;
  }

  private takeLoad(i: IrInst, at: i32): void {
    const l = this.insts[at]!;
    copyAddress(i, l);
    if (l.volatile) i.volatile = true;
    this.remove(l);
  }

  private foldRight(i: IrInst): void {
    if (i.useImm || i.b < 0 || (i.type != T_I32 && i.type != T_F64)) return;
    if (i.op == Op.DIVS && i.type != T_F64) return;
    let at = this.movableLoad(i.b, i.type);
    if (at < 0 && isCommutative(i.op) && i.a != i.b) {
      const other = this.movableLoad(i.a, i.type);
      if (other >= 0 && this.insts[other]!.width >= 4) {
        const a = i.a;
        i.a = i.b;
        i.b = a;
        at = other;
      }
    }
    if (at < 0 || this.insts[at]!.width < 4 || i.a == i.b) return;
    i.b = IN_MEMORY;
    this.takeLoad(i, at);
  }

  /** Compare memory with a constant; narrow memory when the constant fits its width. */
  private foldLeft(i: IrInst): void {
    if (i.type != T_I32) return;
    const at = this.movableLoad(i.a, T_I32);
    if (at < 0) return;
    const l = this.insts[at]!;
    if (l.width < 4) {
      const top = l.width == 1 ? 255 : 65535;
      if (l.signed ? (i.imm < -(top >> 1) - 1 || i.imm > (top >> 1)) : (i.imm < 0 || i.imm > top)) return;
      if (l.signed && i.cond >= Cond.ULT) return;
      if (!l.signed) i.cond = unsignedOf(i.cond);
    }
    i.a = IN_MEMORY;
    this.takeLoad(i, at);
  }

  private foldArg(i: IrInst): void {
    if (i.a < 0 || i.useImm) return;
    const type = i.op == Op.CALLI ? T_I32 : i.type;
    const at = this.movableLoad(i.a, type);
    if (at < 0 || this.insts[at]!.width < 4 || (type == T_F64 && this.insts[at]!.volatile)) return;
    i.a = IN_MEMORY;
    this.takeLoad(i, at);
  }

  /** (a & b) compared with 0. */
  private makeTest(i: IrInst): void {
    if (i.type != T_I32 || !i.useImm || i.imm != 0 || (i.cond != Cond.EQ && i.cond != Cond.NE)) return;
    const at = this.onlyDef(i.a);
    if (at < 0) return;
    const d = this.insts[at]!;
    if (d.op != Op.AND || d.type != T_I32 || !this.operandsHold(d, at)) return;
    if (d.b == IN_MEMORY && (this.lastWrite > at || (d.volatile && this.lastVolatile > at))) return;
    i.op = i.op == Op.BR ? X_BRTEST : X_TEST;
    i.a = d.a;
    i.b = d.b;
    i.useImm = d.useImm;
    i.imm = d.imm;
    if (d.b == IN_MEMORY) {
      copyAddress(i, d);
      i.volatile = d.volatile;
    }
    this.remove(d);
    if (i.useImm) this.testMemory(i);
  }

  private testMemory(i: IrInst): void {
    const at = this.movableLoad(i.a, T_I32);
    if (at < 0) return;
    const l = this.insts[at]!;
    if (l.width < 4 && (i.imm < 0 || i.imm > (l.width == 1 ? (l.signed ? 127 : 255) : (l.signed ? 32767 : 65535)))) return;
    i.a = IN_MEMORY;
    this.takeLoad(i, at);
  }

  /** memory = memory op x. */
  private makeUpdate(i: IrInst): void {
    if (i.useImm || i.type != T_I32 || i.volatile) return;
    const at = this.onlyDef(i.a);
    if (at < 0) return;
    const d = this.insts[at]!;
    if (!this.isUpdate(d) || this.defAt(d.a) > at || this.defAt(d.b) > at || d.dst == d.a || d.dst == d.b) return;
    if (d.b == IN_MEMORY) {
      if (d.volatile || !isCommutative(d.op) || !sameAddress(d, i) || this.lastWrite > at || !this.addressHolds(d, at)) return;
      this.becomeUpdate(i, d, d.a);
      return;
    }
    let from = this.loadOf(d.a, i);
    let other = d.b;
    if (from < 0 && !d.useImm && isCommutative(d.op)) {
      from = this.loadOf(d.b, i);
      other = d.a;
    }
    if (from < 0 || (other >= 0 && d.a == d.b)) return;
    this.remove(this.insts[from]!);
    this.becomeUpdate(i, d, other);
  }

  private loadOf(v: i32, store: IrInst): i32 {
    const at = this.movableLoad(v, T_I32);
    if (at < 0) return -1;
    const l = this.insts[at]!;
    return !l.volatile && l.width == store.width && sameAddress(l, store) ? at : -1;
  }

  private isUpdate(d: IrInst): bool {
    if (d.type != T_I32) return false;
    switch (d.op) {
      case Op.ADD: case Op.SUB: case Op.AND: case Op.OR: case Op.XOR: return true;
      case Op.SHL: return d.useImm;
      default: return false;
    }
  }

  private becomeUpdate(i: IrInst, d: IrInst, other: i32): void {
    i.op = X_RMW;
    i.cond = d.op;
    i.useImm = d.useImm;
    i.imm = d.imm;
    i.a = d.useImm ? -1 : other;
    this.remove(d);
  }
}
