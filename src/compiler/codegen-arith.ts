// Integer instructions: choosing among the two-address forms by where the operands and the result are.
import { Cond, Op } from "./ir.ts";
import type { IrInst } from "./ir.ts";
import { Alu, Cc, EAX, ECX, EDX, Mem } from "./emit.ts";
import type { Operands } from "./codegen-operand.ts";
import { IN_MEMORY, isCommutative, X_ADC, X_ADDC, X_SHLD, X_SUBC } from "./irpasses-ops.ts";

const F7_NOT: i32 = 2;
const F7_NEG: i32 = 3;
const F7_MUL: i32 = 4;
const F7_DIV: i32 = 6;
const F7_IDIV: i32 = 7;

export const SHIFT_SHL: i32 = 4;
export const SHIFT_SHR: i32 = 5;
export const SHIFT_SAR: i32 = 7;

/** The opcode group number of an addition, subtraction or bit operation. */
export function aluOf(op: i32): i32 {
  switch (op) {
    case Op.ADD: case X_ADDC: return Alu.ADD;
    case Op.SUB: case X_SUBC: return Alu.SUB;
    case Op.AND: return Alu.AND;
    case Op.OR: return Alu.OR;
    case Op.XOR: return Alu.XOR;
    case X_ADC: return Alu.ADC;
    default: return Alu.SBB;
  }
}

/** Condition code of an I32 comparison. */
export function ccOf(cond: i32): i32 {
  switch (cond) {
    case Cond.EQ: return Cc.E;
    case Cond.NE: return Cc.NE;
    case Cond.LT: return Cc.L;
    case Cond.LE: return Cc.LE;
    case Cond.GT: return Cc.G;
    case Cond.GE: return Cc.GE;
    case Cond.ULT: return Cc.B;
    case Cond.ULE: return Cc.BE;
    case Cond.UGT: return Cc.A;
    default: return Cc.AE;
  }
}

/** ADD SUB AND OR XOR and their carrying forms. */
export function genAlu(g: Operands, i: IrInst): void {
  if (genInPlace(g, i) || genByLea(g, i)) return;
  const op = aluOf(i.op);
  const commutes = isCommutative(i.op);
  let reg = g.target(i.dst);
  if (i.useImm) {
    g.moveTo(reg, i.a);
    aluImm(g, i.op, reg, i.imm);
  } else if (i.b >= 0 && g.inReg(i.b) && g.place(i.b) == reg && !(g.inReg(i.a) && g.place(i.a) == reg)) {
    if (commutes) {
      aluReg(g, op, reg, i.a);
    } else if (i.op == Op.SUB) {
      g.code.group3(F7_NEG, reg);
      aluReg(g, Alu.ADD, reg, i.a);
    } else {
      const other = g.borrow(false);
      g.moveTo(other, i.a);
      aluReg(g, op, other, i.b);
      reg = other;
    }
  } else if (commutes && i.b >= 0 && g.inReg(i.b) && !g.inReg(i.a)) {
    g.moveTo(reg, i.b);
    aluReg(g, op, reg, i.a);
  } else if (i.b == IN_MEMORY) {
    const m = g.address(i);
    if (m.uses(reg) && !(g.inReg(i.a) && g.place(i.a) == reg)) reg = g.borrow(false);
    g.moveTo(reg, i.a);
    g.code.aluRegMem(op, reg, m);
  } else {
    g.moveTo(reg, i.a);
    aluReg(g, op, reg, i.b);
  }
  g.noteFlags(reg);
  g.settle(i.dst, reg);
}

function aluReg(g: Operands, op: i32, reg: i32, v: i32): void {
  if (g.inReg(v)) g.code.alu(op, reg, g.place(v));
  else g.code.aluRegMem(op, reg, g.home(v));
}

function aluImm(g: Operands, op: i32, reg: i32, imm: i32): void {
  if (op == Op.ADD && imm == 1) g.code.inc(reg);
  else if (op == Op.ADD && imm == -1) g.code.dec(reg);
  else if (op == Op.ADD && imm == 128) g.code.aluRegImm(Alu.SUB, reg, -128);
  else g.code.aluRegImm(aluOf(op), reg, imm);
}

/** x = x op y with x in its home; true when done. */
function genInPlace(g: Operands, i: IrInst): bool {
  if (g.inReg(i.dst)) return false;
  let b = i.b;
  if (i.a != i.dst) {
    if (b != i.dst || i.useImm || !isCommutative(i.op)) return false;
    b = i.a;
  }
  if (!i.useImm && b < 0) return false;
  if (i.useImm) {
    if (i.op == Op.ADD && (i.imm == 1 || i.imm == -1)) g.code.incMem(i.imm == 1 ? 0 : 1, g.home(i.dst), 4);
    else g.code.aluMemImm(aluOf(i.op), g.home(i.dst), i.imm, 4);
    return true;
  }
  const reg = g.value(b);
  g.code.aluMemReg(aluOf(i.op), g.home(i.dst), reg, 4);
  return true;
}

/** Three-address addition; true when done. */
function genByLea(g: Operands, i: IrInst): bool {
  if (i.op != Op.ADD || !g.inReg(i.dst) || !g.inReg(i.a) || g.place(i.dst) == g.place(i.a)) return false;
  const m = new Mem().set(g.place(i.a), i.imm);
  if (!i.useImm) {
    if (i.b < 0 || !g.inReg(i.b) || g.place(i.b) == g.place(i.dst)) return false;
    m.disp = 0;
    m.index = g.place(i.b);
  }
  g.code.lea(g.place(i.dst), m);
  return true;
}

export function genMul(g: Operands, i: IrInst): void {
  let reg = g.target(i.dst);
  if (i.useImm) {
    if (g.inReg(i.a)) g.code.imulRegRegImm(reg, g.place(i.a), i.imm);
    else g.code.imulRegMemImm(reg, g.home(i.a), i.imm);
  } else if (i.b == IN_MEMORY) {
    const m = g.address(i);
    if (m.uses(reg) && !(g.inReg(i.a) && g.place(i.a) == reg)) reg = g.borrow(false);
    g.moveTo(reg, i.a);
    g.code.imulRegMem(reg, m);
  } else if (g.inReg(i.b) && g.place(i.b) == reg) {
    mulBy(g, reg, i.a);
  } else {
    g.moveTo(reg, i.a);
    mulBy(g, reg, i.b);
  }
  g.settle(i.dst, reg);
}

function mulBy(g: Operands, reg: i32, v: i32): void {
  if (g.inReg(v)) g.code.imulRegReg(reg, g.place(v));
  else g.code.imulRegMem(reg, g.home(v));
}

/** edx:eax = a * b. */
export function genMulWide(g: Operands, i: IrInst): void {
  g.moveTo(EAX, i.a);
  if (g.inReg(i.b)) g.code.group3(F7_MUL, g.place(i.b));
  else g.code.group3Mem(F7_MUL, g.home(i.b));
  settlePair(g, i.dst, i.dst2);
}

/** Put edx:eax where a pair of results belongs. */
export function settlePair(g: Operands, low: i32, high: i32): void {
  g.reserve(EAX);
  g.reserve(EDX);
  if (low >= 0 && g.inReg(low) && g.place(low) == EDX) {
    if (high >= 0 && g.inReg(high) && g.place(high) == EAX) {
      g.code.byte(0x92);
      return;
    }
    g.settle(high, EDX);
    g.settle(low, EAX);
    return;
  }
  g.settle(low, EAX);
  g.settle(high, EDX);
}

export function genDivide(g: Operands, i: IrInst): void {
  const signed = i.op == Op.DIVS || i.op == Op.REMS;
  g.moveTo(EAX, i.a);
  if (i.useImm) g.code.movRegImm(ECX, i.imm);
  if (signed) g.code.cdq();
  else g.code.zero(EDX);
  const which = signed ? F7_IDIV : F7_DIV;
  if (i.useImm) g.code.group3(which, ECX);
  else if (g.inReg(i.b)) g.code.group3(which, g.place(i.b));
  else g.code.group3Mem(which, g.home(i.b));
  g.settle(i.dst, i.op == Op.DIVS || i.op == Op.DIVU ? EAX : EDX);
}

export function genUnary(g: Operands, i: IrInst): void {
  const which = i.op == Op.NEG ? F7_NEG : F7_NOT;
  if (i.dst == i.a && !g.inReg(i.dst)) {
    g.code.group3Mem(which, g.home(i.dst));
    return;
  }
  const reg = g.target(i.dst);
  g.moveTo(reg, i.a);
  g.code.group3(which, reg);
  g.settle(i.dst, reg);
}

export function shiftOf(op: i32): i32 {
  if (op == Op.SHL) return SHIFT_SHL;
  return op == Op.SHRS ? SHIFT_SAR : SHIFT_SHR;
}

export function genShift(g: Operands, i: IrInst): void {
  if (i.useImm) genShiftImm(g, i);
  else genShiftBy(g, i);
}

function genShiftImm(g: Operands, i: IrInst): void {
  const n = i.imm & 31;
  if (i.dst == i.a && !g.inReg(i.dst)) {
    g.code.shiftMem(shiftOf(i.op), g.home(i.dst), n, 4);
    return;
  }
  const reg = g.target(i.dst);
  if (i.op == Op.SHL && n <= 3 && g.inReg(i.a) && g.place(i.a) != reg) {
    const m = new Mem().set(n == 1 ? g.place(i.a) : -1, 0);
    m.index = g.place(i.a);
    m.scale = n == 1 ? 1 : 1 << n;
    g.code.lea(reg, m);
  } else {
    g.moveTo(reg, i.a);
    if (i.op == Op.SHL && n == 1) g.code.alu(Alu.ADD, reg, reg);
    else g.code.shift(shiftOf(i.op), reg, n);
    g.noteFlags(reg);
  }
  g.settle(i.dst, reg);
}

/** The count goes to ecx, which the allocator keeps free of other values here, and of the result. */
function genShiftBy(g: Operands, i: IrInst): void {
  g.reserve(ECX);
  const reg = g.target(i.dst);
  const countInReg = g.inReg(i.b) && g.place(i.b) == reg;
  const valueInEcx = g.inReg(i.a) && g.place(i.a) == ECX;
  if (countInReg && valueInEcx) {
    g.code.byte(0x87);
    g.code.modReg(ECX, reg);
  } else if (countInReg) {
    const same = i.a == i.b;
    g.moveTo(ECX, i.b);
    if (!same) g.moveTo(reg, i.a);
  } else {
    g.moveTo(reg, i.a);
    g.moveTo(ECX, i.b);
  }
  g.code.shift(shiftOf(i.op), reg, -1);
  g.settle(i.dst, reg);
}

export function genShiftDouble(g: Operands, i: IrInst): void {
  const fill = g.value(i.b);
  const reg = g.target(i.dst);
  g.moveTo(reg, i.a);
  g.code.shiftDouble(i.op == X_SHLD, reg, fill, i.imm);
  g.settle(i.dst, reg);
}

export function genExtend(g: Operands, i: IrInst): void {
  const width = i.op == Op.SEXT8 || i.op == Op.ZEXT8 ? 1 : 2;
  const signed = i.op == Op.SEXT8 || i.op == Op.SEXT16;
  const reg = g.target(i.dst);
  if (!g.inReg(i.a)) {
    g.code.loadRegMem(reg, g.home(i.a), width, signed);
  } else if (width == 1 && g.place(i.a) >= 4 && !signed) {
    g.code.movRegReg(reg, g.place(i.a));
    g.code.aluRegImm(Alu.AND, reg, 255);
  } else {
    g.code.extend(reg, width == 1 ? g.byteValue(i.a) : g.place(i.a), width, signed);
  }
  g.settle(i.dst, reg);
}

// ---- comparisons ----

/** Compare; returns the condition code under which the condition holds. */
export function genCompare(g: Operands, i: IrInst): i32 {
  if (i.useImm) compareImm(g, i);
  else if (i.b == IN_MEMORY) {
    const left = g.value(i.a);
    g.code.aluRegMem(Alu.CMP, left, g.address(i));
  } else if (!g.inReg(i.a) && g.inReg(i.b)) {
    g.code.aluMemReg(Alu.CMP, g.home(i.a), g.place(i.b), 4);
  } else {
    aluReg(g, Alu.CMP, g.value(i.a), i.b);
  }
  return ccOf(i.cond);
}

function compareImm(g: Operands, i: IrInst): void {
  if (i.a == IN_MEMORY) {
    g.code.aluMemImm(Alu.CMP, g.address(i), i.imm, i.width);
  } else if (!g.inReg(i.a)) {
    g.code.aluMemImm(Alu.CMP, g.home(i.a), i.imm, 4);
  } else if (i.imm != 0) {
    g.code.aluRegImm(Alu.CMP, g.place(i.a), i.imm);
  } else if (!g.flagsHold(g.place(i.a)) || i.cond > Cond.NE) {
    g.code.testRegReg(g.place(i.a), g.place(i.a));
  }
}

/** Test bits; the condition is EQ or NE. */
export function genTest(g: Operands, i: IrInst): i32 {
  if (i.useImm) {
    if (i.a == IN_MEMORY) testMemory(g, i);
    else if (g.inReg(i.a)) g.code.testRegImm(g.place(i.a), i.imm);
    else g.code.testMemImm(g.home(i.a), i.imm, 4);
  } else if (i.b == IN_MEMORY) {
    const left = g.value(i.a);
    g.code.testMemReg(g.address(i), left);
  } else if (g.inReg(i.a) && g.inReg(i.b)) {
    g.code.testRegReg(g.place(i.a), g.place(i.b));
  } else if (g.inReg(i.b)) {
    g.code.testMemReg(g.home(i.a), g.place(i.b));
  } else {
    const left = g.value(i.a);
    g.code.testMemReg(g.home(i.b), left);
  }
  return ccOf(i.cond);
}

function testMemory(g: Operands, i: IrInst): void {
  const m = g.address(i);
  const narrow = i.width > 1 && i.imm >= 0 && i.imm <= 255 && !i.volatile;
  g.code.testMemImm(m, i.imm, narrow ? 1 : i.width);
}

/** dst = the condition as 0 or 1. */
export function genSet(g: Operands, i: IrInst, cc: i32): void {
  const inPlace = g.inReg(i.dst) && g.place(i.dst) < 4;
  const reg = inPlace ? g.place(i.dst) : g.borrow(true);
  g.code.setcc(cc, reg);
  const wide = g.inReg(i.dst) ? g.place(i.dst) : reg;
  g.code.extend(wide, reg, 1, false);
  if (!g.inReg(i.dst)) g.settle(i.dst, wide);
}

/** Compare the low words of an I64 pair: only the borrow counts. */
export function genCompareLow(g: Operands, i: IrInst): void {
  const left = g.value(i.a);
  if (i.useImm) g.code.aluRegImm(Alu.CMP, left, i.imm);
  else aluReg(g, Alu.CMP, left, i.b);
}

/** The high words, taking the borrow along; returns the condition code. */
export function genCompareHigh(g: Operands, i: IrInst): i32 {
  const reg = g.borrow(false);
  g.moveTo(reg, i.a);
  if (i.useImm) g.code.aluRegImm(Alu.SBB, reg, i.imm);
  else aluReg(g, Alu.SBB, reg, i.b);
  return ccOf(i.cond);
}
