// Constant folding of integer expressions. A constant of type T is kept as 64 bits: T's value, sign- or zero-extended.

import { K_F64, K_INT } from "./ast.ts";
import type { Expr } from "./ast.ts";
import { integerToBits } from "./decimal.ts";
import { add64, compare64, div64, isZero64, mul64, neg64, rem64, shl64, shr64, sub64, Wide } from "./int64.ts";
import { Tok } from "./token.ts";
import { Kind } from "./types.ts";
import type { Type } from "./types.ts";

export function setInt(e: Expr, lo: i32, hi: i32): void {
  e.konst = K_INT;
  e.lo = lo;
  e.hi = hi;
}

/** Set e to a 64-bit value cut to a type: integers wrap, bool is value != 0, f64 gets the nearest double. */
export function setConverted(e: Expr, lo: i32, hi: i32, from: Type, to: Type): void {
  switch (to.kind) {
    case Kind.BOOL: return setInt(e, (lo | hi) != 0 ? 1 : 0, 0);
    case Kind.I8: return setSigned(e, (lo << 24) >> 24);
    case Kind.U8: return setInt(e, lo & 0xff, 0);
    case Kind.I16: return setSigned(e, (lo << 16) >> 16);
    case Kind.U16: return setInt(e, lo & 0xffff, 0);
    case Kind.I32: return setSigned(e, lo);
    case Kind.U32: return setInt(e, lo, 0);
    case Kind.F64: {
      const bits = integerToBits(new Wide(lo, hi), from.kind != Kind.U64);
      e.konst = K_F64;
      e.lo = bits.lo;
      e.hi = bits.hi;
      return;
    }
    default: return setInt(e, lo, hi);
  }
}

function setSigned(e: Expr, value: i32): void {
  setInt(e, value, value >> 31);
}

function setWide(e: Expr, w: Wide, type: Type): void {
  setConverted(e, w.lo, w.hi, type, type);
}

/** Fold an arithmetic, bitwise or shift operator of operands of one type into e. False: division by zero. */
export function foldBinary(e: Expr, op: i32, l: Expr, r: Expr, type: Type): bool {
  const a = new Wide(l.lo, l.hi);
  const b = new Wide(r.lo, r.hi);
  const signed = type.isSigned();
  const mask = type.isWide() ? 63 : 31;
  switch (op) {
    case Tok.ADD: setWide(e, add64(a, b), type); return true;
    case Tok.SUB: setWide(e, sub64(a, b), type); return true;
    case Tok.MUL: setWide(e, mul64(a, b), type); return true;
    case Tok.AND: setWide(e, new Wide(a.lo & b.lo, a.hi & b.hi), type); return true;
    case Tok.OR: setWide(e, new Wide(a.lo | b.lo, a.hi | b.hi), type); return true;
    case Tok.XOR: setWide(e, new Wide(a.lo ^ b.lo, a.hi ^ b.hi), type); return true;
    case Tok.SHL: setWide(e, shl64(a, b.lo & mask), type); return true;
    case Tok.SHR: setWide(e, shr64(a, b.lo & mask, signed), type); return true;
    case Tok.USHR:
      setWide(e, shr64(type.isWide() ? a : new Wide(a.lo, 0), b.lo & mask, false), type);
      return true;
    default: break;
  }
  if (isZero64(b)) return false;
  setWide(e, op == Tok.DIV ? div64(a, b, signed) : rem64(a, b, signed), type);
  return true;
}

/** Fold a comparison of operands of one type into e. */
export function foldCompare(e: Expr, op: i32, l: Expr, r: Expr, type: Type): void {
  const order = compare64(new Wide(l.lo, l.hi), new Wide(r.lo, r.hi), type.kind != Kind.U64);
  let result = false;
  switch (op) {
    case Tok.EQ: result = order == 0; break;
    case Tok.NE: result = order != 0; break;
    case Tok.LT: result = order < 0; break;
    case Tok.LE: result = order <= 0; break;
    case Tok.GT: result = order > 0; break;
    default: result = order >= 0; break;
  }
  setInt(e, result ? 1 : 0, 0);
}

/** Fold `-x` and `~x`. */
export function foldUnary(e: Expr, op: i32, operand: Expr, type: Type): void {
  const a = new Wide(operand.lo, operand.hi);
  if (op == Tok.SUB) setWide(e, neg64(a), type);
  else setWide(e, new Wide(~a.lo, ~a.hi), type);
}
