// Arithmetic on I32 constants, done while compiling, and cheaper forms of operations with a constant operand.
import { Cond, Op } from "./ir.ts";
import type { IrInst } from "./ir.ts";
import { becomeConst, becomeMove, clearOperands, evaluate, log2 } from "./irpasses-ops.ts";

/** The left operand is k: compute the result when the right one is a constant too, or there is none. */
export function foldConstants(i: IrInst, k: i32): void {
  switch (i.op) {
    case Op.NEG: becomeConst(i, (-k) | 0); return;
    case Op.NOT: becomeConst(i, ~k); return;
    case Op.SEXT8: becomeConst(i, (k << 24) >> 24); return;
    case Op.SEXT16: becomeConst(i, (k << 16) >> 16); return;
    case Op.ZEXT8: becomeConst(i, k & 255); return;
    case Op.ZEXT16: becomeConst(i, k & 65535); return;
    default: break;
  }
  if (!i.useImm) return;
  switch (i.op) {
    case Op.ADD: becomeConst(i, (k + i.imm) | 0); break;
    case Op.SUB: becomeConst(i, (k - i.imm) | 0); break;
    case Op.MUL: becomeConst(i, Math.imul(k, i.imm)); break;
    case Op.AND: becomeConst(i, k & i.imm); break;
    case Op.OR: becomeConst(i, k | i.imm); break;
    case Op.XOR: becomeConst(i, k ^ i.imm); break;
    case Op.SHL: becomeConst(i, k << (i.imm & 31)); break;
    case Op.SHRS: becomeConst(i, k >> (i.imm & 31)); break;
    case Op.SHRU: becomeConst(i, shiftRight(k, i.imm & 31)); break;
    case Op.DIVS: case Op.REMS: foldDivision(i, k); break;
    case Op.CMP: becomeConst(i, evaluate(i.cond, k, i.imm) ? 1 : 0); break;
    case Op.BR: takeBranch(i, evaluate(i.cond, k, i.imm)); break;
    default: break;
  }
}

function shiftRight(k: i32, n: i32): i32 {
  return n == 0 ? k : (k >> n) & ~(-1 << (32 - n));
}

function foldDivision(i: IrInst, k: i32): void {
  if (i.imm == 0 || i.imm == -1) return;
  const quotient = (k / i.imm) | 0;
  becomeConst(i, i.op == Op.DIVS ? quotient : (k - Math.imul(quotient, i.imm)) | 0);
}

function takeBranch(i: IrInst, yes: bool): void {
  const target = yes ? i.target0 : i.target1;
  clearOperands(i);
  i.op = Op.JMP;
  i.type = 0;
  i.target0 = target;
  i.target1 = -1;
}

/** The right operand is the constant i.imm: find the cheapest operation that does the same. */
export function simplifyWithImm(i: IrInst): void {
  const k = i.imm;
  switch (i.op) {
    case Op.SUB:
      i.op = Op.ADD;
      i.imm = (-k) | 0;
      if (k == 0) becomeMove(i, i.a);
      break;
    case Op.ADD: case Op.OR: case Op.XOR:
      if (k == 0) becomeMove(i, i.a);
      break;
    case Op.AND:
      if (k == -1) becomeMove(i, i.a);
      else if (k == 0) becomeConst(i, 0);
      break;
    case Op.SHL: case Op.SHRS: case Op.SHRU:
      i.imm = k & 31;
      if (i.imm == 0) becomeMove(i, i.a);
      break;
    case Op.MUL: simplifyMul(i, k); break;
    case Op.DIVU: case Op.REMU: simplifyUnsigned(i, k); break;
    case Op.DIVS:
      if (k == 1) becomeMove(i, i.a);
      break;
    case Op.REMS:
      if (k == 1) becomeConst(i, 0);
      break;
    case Op.CMP: case Op.BR: simplifyOrder(i, k); break;
    default: break;
  }
}

function simplifyMul(i: IrInst, k: i32): void {
  const shift = log2(k);
  if (k == 0) {
    becomeConst(i, 0);
  } else if (k == 1) {
    becomeMove(i, i.a);
  } else if (shift > 0) {
    i.op = Op.SHL;
    i.imm = shift;
  } else if (k == 3 || k == 5 || k == 9) {
    const a = i.a;
    clearOperands(i);
    i.op = Op.LEA;
    i.base = a;
    i.index = a;
    i.scale = k - 1;
  }
}

function simplifyUnsigned(i: IrInst, k: i32): void {
  const shift = log2(k);
  if (shift < 0) return;
  if (i.op == Op.REMU) {
    i.op = Op.AND;
    i.imm = (k - 1) | 0;
    if (i.imm == 0) becomeConst(i, 0);
  } else if (shift == 0) {
    becomeMove(i, i.a);
  } else {
    i.op = Op.SHRU;
    i.imm = shift;
  }
}

/** Comparisons that end at zero are cheaper. */
function simplifyOrder(i: IrInst, k: i32): void {
  if (k == 1 && (i.cond == Cond.LT || i.cond == Cond.GE)) {
    i.cond = i.cond == Cond.LT ? Cond.LE : Cond.GT;
    i.imm = 0;
  } else if (k == 1 && (i.cond == Cond.ULT || i.cond == Cond.UGE)) {
    i.cond = i.cond == Cond.ULT ? Cond.EQ : Cond.NE;
    i.imm = 0;
  } else if (k == 0 && (i.cond == Cond.UGT || i.cond == Cond.ULE)) {
    i.cond = i.cond == Cond.UGT ? Cond.NE : Cond.EQ;
  }
}
