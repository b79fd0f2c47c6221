// Expressions to IR. `lowerExpr` yields the register that holds the value in the expression's own type, `lowerAs` in
// another type, `lowerCondition` turns it into control flow. Operands are evaluated from left to right; a variable that
// a later operand assigns is copied first (see Builder.mark).

import { Ex, K_F64, K_INT, K_NONE, K_STRING, M_COUNT, M_FUNC, M_LENGTH } from "./ast.ts";
import type {
  ArrayExpr, BinaryExpr, CallExpr, CastExpr, CondExpr, Expr, FuncExpr, MemberExpr, NameExpr, NewExpr, TemplateExpr, UnaryExpr,
  VarDecl,
} from "./ast.ts";
import { Place } from "./builder.ts";
import { isKnownFalse, isKnownTrue } from "./checkexpr.ts";
import { integerToBits } from "./decimal.ts";
import { Wide } from "./int64.ts";
import { ASM_CONST, ASM_LOCAL, ASM_SYMBOL, Cond, IrAsm, IrAsmOperand, Op, T_F64, T_I32, T_I64 } from "./ir.ts";
import { callLibrary, callLibraryFor, lowerCall, lowerInitialCall, newRecord } from "./lowercall.ts";
import type { Lower } from "./lower.ts";
import { lowerVtable } from "./lower.ts";
import { isQuiet, loadFrom, lowerPlace, placeType, steady, storeTo, storeValue, stringAddress } from "./lowerplace.ts";
import { sizeOf } from "./resolve.ts";
import { Tok } from "./token.ts";
import { Kind } from "./types.ts";
import type { Type } from "./types.ts";

/** The value of an expression in its own type. */
export function lowerExpr(l: Lower, e: Expr): i32 {
  if (e.konst != K_NONE) return lowerConstant(l, e, e.type!);
  switch (e.kind) {
    case Ex.NAME: {
      const f = (e as NameExpr).inst;
      if (f != null) return l.b.symbolAddress(l.p.use(f));
      const array = l.pool.constantArray((e as NameExpr).decl as VarDecl);
      return array != "" ? l.b.symbolAddress(array) : loadFrom(l, lowerPlace(l, e), placeType(e));
    }
    case Ex.MEMBER: return lowerMember(l, e as MemberExpr);
    case Ex.INDEX: return loadFrom(l, lowerPlace(l, e), placeType(e));
    case Ex.CALL: return lowerCall(l, e as CallExpr);
    case Ex.BINARY: return lowerBinary(l, e as BinaryExpr);
    case Ex.ASSIGN: return lowerAssign(l, e as BinaryExpr, true);
    case Ex.UNARY: return lowerUnary(l, e as UnaryExpr);
    case Ex.UPDATE: return lowerUpdate(l, e as UnaryExpr, true);
    case Ex.LOGICAL: return lowerTruth(l, e);
    case Ex.COND: return lowerConditional(l, e as CondExpr);
    case Ex.CAST: return lowerAs(l, (e as CastExpr).operand, e.type!);
    case Ex.NEW: return lowerNew(l, e as NewExpr);
    case Ex.ARRAY: return lowerArray(l, e as ArrayExpr);
    case Ex.TEMPLATE: return lowerConcat(l, e);
    case Ex.THIS: case Ex.SUPER: return l.thisReg;
    case Ex.FUNC: return l.b.symbolAddress(l.p.use((e as FuncExpr).inst!));
    case Ex.ASM:
      lowerAsm(l, e as TemplateExpr);
      return -1;
    default: return l.b.constant(T_I32, 0, 0);
  }
}

/** Evaluate an expression only for what it does. */
export function lowerEffect(l: Lower, e: Expr): void {
  if (e.kind == Ex.ASSIGN) lowerAssign(l, e as BinaryExpr, false);
  else if (e.kind == Ex.UPDATE) lowerUpdate(l, e as UnaryExpr, false);
  else lowerExpr(l, e);
}

/** The value of an expression, converted to a type. */
export function lowerAs(l: Lower, e: Expr, to: Type): i32 {
  if (e.konst != K_NONE) return lowerConstant(l, e, to);
  return convert(l, lowerExpr(l, e), e.type!, to);
}

function lowerConstant(l: Lower, e: Expr, to: Type): i32 {
  if (e.konst == K_STRING) return stringAddress(l, l.p.strings[e.lo]!);
  if (e.konst == K_F64) {
    const v = l.b.constant(T_F64, e.lo, e.hi);
    return to.kind == Kind.F64 ? v : convert(l, v, l.p.types.tF64, to);
  }
  if (to.kind == Kind.F64) {
    const bits = integerToBits(new Wide(e.lo, e.hi), e.type!.kind != Kind.U64);
    return l.b.constant(T_F64, bits.lo, bits.hi);
  }
  if (to.kind == Kind.BOOL) return l.b.constant(T_I32, (e.lo | e.hi) != 0 ? 1 : 0, 0);
  const v = l.b.constant(to.regClass(), e.lo, e.hi);
  return to.isNarrow() ? narrow(l, v, e.type!, to) : v;
}

/** Convert a value between types. References and 32-bit integers are the same thing here. */
export function convert(l: Lower, v: i32, from: Type, to: Type): i32 {
  if (from == to || v < 0) return v;
  if (to.kind == Kind.F64) return from.isIntegral() ? integerToFloat(l, v, from) : v;
  if (from.kind == Kind.F64) return floatToInteger(l, v, to);
  if (to.kind == Kind.BOOL) return l.b.compareImm(Cond.NE, from.regClass(), v, 0, 0);
  if (to.isWide()) {
    if (from.isWide()) return v;
    return l.b.unary(from.isSigned() ? Op.EXTS : Op.EXTU, T_I64, T_I64, v);
  }
  if (from.isWide()) return narrow(l, l.b.unary(Op.WRAP, T_I32, T_I32, v), l.p.types.tU32, to);
  return narrow(l, v, from, to);
}

/** Cut a 32-bit register to a narrow type, unless its value fits anyway. */
function narrow(l: Lower, v: i32, from: Type, to: Type): i32 {
  const k = from.kind;
  switch (to.kind) {
    case Kind.I8: return k == Kind.BOOL || k == Kind.I8 ? v : l.b.unary(Op.SEXT8, T_I32, T_I32, v);
    case Kind.U8: return k == Kind.BOOL || k == Kind.U8 ? v : l.b.unary(Op.ZEXT8, T_I32, T_I32, v);
    case Kind.I16:
      return k == Kind.BOOL || k == Kind.I8 || k == Kind.U8 || k == Kind.I16 ? v : l.b.unary(Op.SEXT16, T_I32, T_I32, v);
    case Kind.U16: return k == Kind.BOOL || k == Kind.U8 || k == Kind.U16 ? v : l.b.unary(Op.ZEXT16, T_I32, T_I32, v);
    default: return v;
  }
}

function integerToFloat(l: Lower, v: i32, from: Type): i32 {
  if (from.kind == Kind.U64) {
    const args: i32[] = [v];
    return callLibraryFor(l, "f64OfU64", args);
  }
  const op = from.kind == Kind.I64 ? Op.L2F : from.kind == Kind.U32 ? Op.U2F : Op.I2F;
  return l.b.unary(op, T_F64, T_F64, v);
}

function floatToInteger(l: Lower, v: i32, to: Type): i32 {
  if (to.isWide()) return l.b.unary(Op.F2L, T_I64, T_I64, v);
  if (to.kind == Kind.U32) return l.b.unary(Op.WRAP, T_I32, T_I32, l.b.unary(Op.F2L, T_I64, T_I64, v));
  return narrow(l, l.b.unary(Op.F2I, T_I32, T_I32, v), l.p.types.tI32, to);
}

function lowerMember(l: Lower, e: MemberExpr): i32 {
  if (e.meaning == M_FUNC) return l.b.symbolAddress(l.p.use(e.inst!));
  if (e.meaning == M_COUNT) return l.b.constant(T_I32, e.lo, 0);
  if (e.meaning == M_LENGTH) {
    const place = new Place();
    place.base = lowerExpr(l, e.object);
    return l.b.load(place, T_I32, 4, true);
  }
  return loadFrom(l, lowerPlace(l, e), placeType(e));
}

// ---- arithmetic ----

/** The IR operation of an operator for a type. */
function operation(op: i32, t: Type): i32 {
  const signed = t.isSigned() || t.kind == Kind.F64;
  switch (op) {
    case Tok.ADD: return Op.ADD;
    case Tok.SUB: return Op.SUB;
    case Tok.MUL: return Op.MUL;
    case Tok.DIV: return signed ? Op.DIVS : Op.DIVU;
    case Tok.REM: return signed ? Op.REMS : Op.REMU;
    case Tok.AND: return Op.AND;
    case Tok.OR: return Op.OR;
    case Tok.XOR: return Op.XOR;
    case Tok.SHL: return Op.SHL;
    case Tok.SHR: return signed ? Op.SHRS : Op.SHRU;
    default: return Op.SHRU;
  }
}

function isCommutative(op: i32): bool {
  return op == Tok.ADD || op == Tok.MUL || op == Tok.AND || op == Tok.OR || op == Tok.XOR;
}

function isShift(op: i32): bool {
  return op == Tok.SHL || op == Tok.SHR || op == Tok.USHR;
}

function lowerBinary(l: Lower, e: BinaryExpr): i32 {
  if (e.op >= Tok.EQ && e.op <= Tok.GE) return lowerTruth(l, e);
  const t = e.operandType!;
  if (t.kind == Kind.STRING) return lowerConcat(l, e);
  let left = e.left;
  let right = e.right;
  if (left.konst == K_INT && isCommutative(e.op)) {
    left = e.right;
    right = e.left;
  }
  let v = lowerAs(l, left, t);
  if (right.konst == K_INT && t.isIntegral()) return arithmeticImm(l, e.op, t, v, right);
  const m = isQuiet(right) ? null : l.b.mark(v);
  const r = isShift(e.op) ? lowerCount(l, right) : lowerAs(l, right, t);
  v = l.b.settle(v, m);
  return l.b.binary(operation(e.op, t), t.regClass(), v, r);
}

/** An operator with a constant on the right; those that change nothing vanish. */
function arithmeticImm(l: Lower, op: i32, t: Type, v: i32, right: Expr): i32 {
  const zero = (right.lo | right.hi) == 0;
  if (zero && (op == Tok.ADD || op == Tok.SUB || op == Tok.OR || op == Tok.XOR || isShift(op))) return v;
  const count = isShift(op) ? right.lo & (t.isWide() ? 63 : 31) : right.lo;
  return l.b.binaryImm(operation(op, t), t.regClass(), v, count, isShift(op) ? 0 : right.hi);
}

/** A shift count: an I32 register whatever its type. */
function lowerCount(l: Lower, e: Expr): i32 {
  const t = e.type!;
  const v = lowerExpr(l, e);
  return t.isWide() ? l.b.unary(Op.WRAP, T_I32, T_I32, v) : v;
}

function lowerUnary(l: Lower, e: UnaryExpr): i32 {
  if (e.op == Tok.NOT) return lowerTruth(l, e);
  if (e.op == Tok.VOID) {
    lowerEffect(l, e.operand);
    return -1;
  }
  const t = e.type!;
  const v = lowerAs(l, e.operand, t);
  if (e.op == Tok.ADD) return v;
  return l.b.unary(e.op == Tok.SUB ? Op.NEG : Op.NOT, t.regClass(), t.regClass(), v);
}

// ---- assignment ----

function lowerAssign(l: Lower, e: BinaryExpr, wanted: bool): i32 {
  const t = e.type!;
  if (e.op != Tok.ASSIGN) return lowerCompound(l, e);
  if (isArrayLength(l, e.left)) return lowerSetLength(l, e);
  const place = lowerPlace(l, e.left);
  if (place.vreg < 0) steady(l, place, e.right);
  if (!wanted) {
    storeTo(l, place, t, e.right);
    return -1;
  }
  const v = lowerAs(l, e.right, t);
  storeValue(l, place, t, v);
  return place.vreg >= 0 ? place.vreg : v;
}

function lowerCompound(l: Lower, e: BinaryExpr): i32 {
  const t = e.type!;
  const o = e.operandType!;
  const place = lowerPlace(l, e.left);
  if (place.vreg < 0) steady(l, place, e.right);
  const old = loadFrom(l, place, t);
  let result = -1;
  if (o.kind == Kind.STRING) {
    const m = isQuiet(e.right) ? null : l.b.mark(old);
    const r = lowerExpr(l, e.right);
    const args: i32[] = [l.b.settle(old, m), r];
    result = callLibraryFor(l, "stringConcat", args);
  } else if (e.right.konst == K_INT && o.isIntegral()) {
    result = arithmeticImm(l, e.op, o, convert(l, old, t, o), e.right);
  } else {
    const v = convert(l, old, t, o);
    const m = isQuiet(e.right) ? null : l.b.mark(v);
    const r = isShift(e.op) ? lowerCount(l, e.right) : lowerAs(l, e.right, o);
    result = l.b.binary(operation(e.op, o), o.regClass(), l.b.settle(v, m), r);
  }
  const v = convert(l, result, o, t);
  storeValue(l, place, t, v);
  return place.vreg >= 0 ? place.vreg : v;
}

/** `++` and `--`; the value is the old one for the postfix forms. */
function lowerUpdate(l: Lower, e: UnaryExpr, wanted: bool): i32 {
  const t = e.type!;
  const place = lowerPlace(l, e.operand);
  let old = loadFrom(l, place, t);
  if (wanted && !e.isPrefix && place.vreg >= 0) old = l.b.unary(Op.MOV, t.regClass(), t.regClass(), old);
  const op = e.op == Tok.INC ? Op.ADD : Op.SUB;
  let v = 0;
  if (t.kind == Kind.F64) v = l.b.binary(op, T_F64, old, l.b.constant(T_F64, 0, 0x3ff00000));
  else v = l.b.binaryImm(op, t.regClass(), old, 1, 0);
  if (t.isNarrow()) v = narrow(l, v, l.p.types.tI32, t);
  storeValue(l, place, t, v);
  if (!e.isPrefix) return old;
  return place.vreg >= 0 ? place.vreg : v;
}

function isArrayLength(l: Lower, e: Expr): bool {
  if (e.kind != Ex.MEMBER || (e as MemberExpr).name != l.p.known.length) return false;
  const t = (e as MemberExpr).object.type;
  return t != null && l.p.isArray(t) && l.module != l.p.arrayModule;
}

function lowerSetLength(l: Lower, e: BinaryExpr): i32 {
  const object = (e.left as MemberExpr).object;
  const list = lowerExpr(l, object);
  const m = l.b.mark(list);
  const length = lowerAs(l, e.right, l.p.types.tI32);
  const args: i32[] = [l.b.settle(list, m), length];
  callLibrary(l, "arraySetLength", args);
  return length;
}

// ---- conditions ----

/** A bool value computed by control flow, or by one comparison. */
function lowerTruth(l: Lower, e: Expr): i32 {
  if (e.kind == Ex.BINARY) return lowerComparison(l, e as BinaryExpr);
  if (e.kind == Ex.UNARY) {
    const operand = (e as UnaryExpr).operand;
    if (operand.kind != Ex.LOGICAL && operand.konst == K_NONE && operand.type!.regClass() != T_F64) {
      return l.b.compareImm(Cond.EQ, operand.type!.regClass(), lowerExpr(l, operand), 0, 0);
    }
  }
  const yes = l.b.newBlock();
  const no = l.b.newBlock();
  const end = l.b.newBlock();
  const result = l.b.temp(T_I32);
  lowerCondition(l, e, yes, no);
  l.b.start(yes);
  moveConstant(l, result, 1);
  l.b.jump(end);
  l.b.start(no);
  moveConstant(l, result, 0);
  l.b.start(end);
  return result;
}

function moveConstant(l: Lower, dst: i32, value: i32): void {
  const i = l.b.emit(Op.CONST, T_I32);
  i.dst = dst;
  i.imm = value;
}

function condition(op: i32, t: Type): i32 {
  const signed = t.isSigned() || t.kind == Kind.F64;
  switch (op) {
    case Tok.EQ: return Cond.EQ;
    case Tok.NE: return Cond.NE;
    case Tok.LT: return signed ? Cond.LT : Cond.ULT;
    case Tok.LE: return signed ? Cond.LE : Cond.ULE;
    case Tok.GT: return signed ? Cond.GT : Cond.UGT;
    default: return signed ? Cond.GE : Cond.UGE;
  }
}

/** The operator with its operands exchanged. */
function mirrored(op: i32): i32 {
  switch (op) {
    case Tok.LT: return Tok.GT;
    case Tok.GT: return Tok.LT;
    case Tok.LE: return Tok.GE;
    case Tok.GE: return Tok.LE;
    default: return op;
  }
}

function isStringComparison(e: BinaryExpr): bool {
  return e.operandType!.kind == Kind.STRING && e.left.kind != Ex.NULL && e.right.kind != Ex.NULL;
}

export function lowerStringEquals(l: Lower, a: i32, b: i32): i32 {
  const args: i32[] = [a, b];
  return callLibraryFor(l, "stringEquals", args);
}

/** Comparison of strings: an integer to compare with zero by the same operator (`!=` by EQ: see the callers). */
function lowerStringOrder(l: Lower, e: BinaryExpr): i32 {
  let a = lowerExpr(l, e.left);
  const m = isQuiet(e.right) ? null : l.b.mark(a);
  const b = lowerExpr(l, e.right);
  a = l.b.settle(a, m);
  if (e.op == Tok.EQ || e.op == Tok.NE) return lowerStringEquals(l, a, b);
  const args: i32[] = [a, b];
  return callLibraryFor(l, "stringCompare", args);
}

function stringCondition(op: i32, l: Lower): i32 {
  if (op == Tok.EQ) return Cond.NE;
  if (op == Tok.NE) return Cond.EQ;
  return condition(op, l.p.types.tI32);
}

/** A comparison ready to be made: the operands are evaluated, the right one perhaps a constant. */
class Comparison {
  cond: i32 = 0;
  type: i32 = 0;
  a: i32 = -1;
  b: i32 = -1;         // -1: lo, hi
  lo: i32 = 0;
  hi: i32 = 0;
}

function prepareComparison(l: Lower, e: BinaryExpr): Comparison {
  const k = new Comparison();
  const t = e.operandType!;
  if (isStringComparison(e)) {
    k.type = T_I32;
    k.cond = stringCondition(e.op, l);
    k.a = lowerStringOrder(l, e);
    return k;
  }
  let left = e.left;
  let right = e.right;
  let op = e.op;
  if (isSmallConstant(left) && !isSmallConstant(right)) {
    left = e.right;
    right = e.left;
    op = mirrored(op);
  }
  k.type = t.regClass();
  k.cond = condition(op, t);
  k.a = lowerAs(l, left, t);
  if (isSmallConstant(right) && t.kind != Kind.F64) {
    k.lo = right.lo;
    k.hi = right.hi;
    return k;
  }
  const m = isQuiet(right) ? null : l.b.mark(k.a);
  k.b = lowerAs(l, right, t);
  k.a = l.b.settle(k.a, m);
  return k;
}

/** An integer constant or null. */
function isSmallConstant(e: Expr): bool {
  return e.konst == K_INT || e.kind == Ex.NULL;
}

function lowerComparison(l: Lower, e: BinaryExpr): i32 {
  const k = prepareComparison(l, e);
  if (k.b >= 0) return l.b.compare(k.cond, k.type, k.a, k.b);
  return l.b.compareImm(k.cond, k.type, k.a, k.lo, k.hi);
}

/** Jump to `yes` or `no` by an expression's truth. */
export function lowerCondition(l: Lower, e: Expr, yes: i32, no: i32): void {
  if (e.konst == K_INT && e.kind != Ex.LOGICAL) return l.b.jump(isKnownTrue(e) ? yes : no);
  if (e.kind == Ex.LOGICAL) return lowerLogical(l, e as BinaryExpr, yes, no);
  if (e.kind == Ex.UNARY && (e as UnaryExpr).op == Tok.NOT) return lowerCondition(l, (e as UnaryExpr).operand, no, yes);
  if (e.kind == Ex.BINARY && (e as BinaryExpr).op >= Tok.EQ && (e as BinaryExpr).op <= Tok.GE) {
    const k = prepareComparison(l, e as BinaryExpr);
    if (k.b >= 0) l.b.branch(k.cond, k.type, k.a, k.b, yes, no);
    else l.b.branchImm(k.cond, k.type, k.a, k.lo, k.hi, yes, no);
    return;
  }
  l.b.branchTrue(lowerExpr(l, e), yes, no);
}

function lowerLogical(l: Lower, e: BinaryExpr, yes: i32, no: i32): void {
  const isAnd = e.op == Tok.AND_AND;
  if (isAnd ? isKnownFalse(e.left) : isKnownTrue(e.left)) return l.b.jump(isAnd ? no : yes);
  const next = l.b.newBlock();
  if (isAnd) lowerCondition(l, e.left, next, no);
  else lowerCondition(l, e.left, yes, next);
  l.b.start(next);
  lowerCondition(l, e.right, yes, no);
}

function lowerConditional(l: Lower, e: CondExpr): i32 {
  const t = e.type!;
  if (isKnownTrue(e.test)) return lowerAs(l, e.yes, t);
  if (isKnownFalse(e.test)) return lowerAs(l, e.no, t);
  const yes = l.b.newBlock();
  const no = l.b.newBlock();
  const end = l.b.newBlock();
  const result = t.kind == Kind.VOID ? -1 : l.b.variable(t.regClass());
  lowerCondition(l, e.test, yes, no);
  l.b.start(yes);
  lowerBranch(l, e.yes, t, result);
  l.b.jump(end);
  l.b.start(no);
  lowerBranch(l, e.no, t, result);
  l.b.start(end);
  return result;
}

function lowerBranch(l: Lower, e: Expr, t: Type, result: i32): void {
  if (result < 0) lowerEffect(l, e);
  else l.b.assign(result, lowerAs(l, e, t));
}

// ---- records, arrays, strings ----

function lowerNew(l: Lower, e: NewExpr): i32 {
  const cls = e.type!.cls!;
  const record = newRecord(l, cls.size);
  lowerVtable(l, record, cls);
  const ctor = e.ctor;
  if (ctor != null) lowerInitialCall(l, ctor, record, e.args);
  return record;
}

function lowerArray(l: Lower, e: ArrayExpr): i32 {
  const t = e.type!;
  const cls = t.cls!;
  const elem = cls.args[0]!;
  const record = newRecord(l, cls.size);
  const count = l.b.constant(T_I32, e.items.length, 0);
  const args: i32[] = [record, count];
  l.b.call(l.p.use(e.ctor!), args, 0);
  if (e.items.length == 0) return record;
  const data = new Place();
  data.base = record;
  data.disp = l.pool.dataOffset;
  const base = l.b.load(data, T_I32, 4, true);
  const size = sizeOf(l.p, elem);
  for (let i = 0; i < e.items.length; i++) {
    const place = new Place();
    place.base = base;
    place.disp = Math.imul(i, size);
    storeTo(l, place, elem, e.items[i]!);
  }
  return record;
}

/** The string parts of a chain of `+` and templates, from left to right. */
class Parts {
  values: i32[] = [];
  owned: bool[] = [];      // made here, to be freed
  text: string = "";       // constant text not yet in the list
}

/** One allocation for a whole chain of `+` and templates. */
function lowerConcat(l: Lower, e: Expr): i32 {
  const parts = new Parts();
  collectParts(l, e, parts);
  flushText(l, parts);
  const count = parts.values.length;
  if (count == 0) return stringAddress(l, "");
  if (count == 1) return parts.values[0]!;
  let result = -1;
  if (count == 2) {
    const pair: i32[] = [parts.values[0]!, parts.values[1]!];
    result = callLibraryFor(l, "stringConcat", pair);
  } else {
    const place = new Place();
    place.slot = l.b.slot(count * 4, 4);
    for (let i = 0; i < count; i++) {
      const at = new Place();
      at.slot = place.slot;
      at.disp = i * 4;
      l.b.store(at, T_I32, 4, parts.values[i]!);
    }
    const args: i32[] = [l.b.address(place), l.b.constant(T_I32, count, 0)];
    result = callLibraryFor(l, "stringJoin", args);
  }
  for (let i = 0; i < count; i++) {
    if (!parts.owned[i]!) continue;
    const own: i32[] = [parts.values[i]!];
    callLibrary(l, "stringFree", own);
  }
  return result;
}

function flushText(l: Lower, parts: Parts): void {
  if (parts.text.length == 0) return;
  parts.values.push(stringAddress(l, parts.text));
  parts.owned.push(false);
  parts.text = "";
}

function collectParts(l: Lower, e: Expr, parts: Parts): void {
  if (e.konst == K_STRING) {
    parts.text = parts.text + l.p.strings[e.lo]!;
    return;
  }
  if (e.kind == Ex.BINARY && e.type!.kind == Kind.STRING) {
    collectParts(l, (e as BinaryExpr).left, parts);
    collectParts(l, (e as BinaryExpr).right, parts);
    return;
  }
  if (e.kind == Ex.TEMPLATE) {
    const t = e as TemplateExpr;
    for (let i = 0; i < t.parts.length; i++) {
      parts.text = parts.text + t.chunks[i]!;
      collectParts(l, t.parts[i]!, parts);
    }
    parts.text = parts.text + t.chunks[t.parts.length]!;
    return;
  }
  flushText(l, parts);
  const v = lowerExpr(l, e);
  const t = e.type!;
  parts.owned.push(t.isInteger());
  parts.values.push(t.kind == Kind.STRING ? steadyValue(l, v) : textOf(l, v, t));
}

/** Strings of a chain are used after all parts have been evaluated. */
function steadyValue(l: Lower, v: i32): i32 {
  return l.b.mark(v) == null ? v : l.b.unary(Op.MOV, T_I32, T_I32, v);
}

/** An integer or bool as a string. */
function textOf(l: Lower, v: i32, t: Type): i32 {
  const args: i32[] = [v];
  if (t.kind == Kind.BOOL) return callLibraryFor(l, "stringOfBool", args);
  if (t.kind == Kind.I64) return callLibraryFor(l, "stringOfI64", args);
  if (t.kind == Kind.U64) return callLibraryFor(l, "stringOfU64", args);
  return callLibraryFor(l, t.kind == Kind.U32 ? "stringOfU32" : "stringOfI32", args);
}

// ---- assembly ----

function lowerAsm(l: Lower, e: TemplateExpr): void {
  const text = new IrAsm();
  text.pieces = e.chunks;
  for (const part of e.parts) text.operands.push(asmOperand(l, part));
  l.b.emit(Op.ASM, 0).asm = text;
}

function asmOperand(l: Lower, e: Expr): IrAsmOperand {
  const o = new IrAsmOperand();
  if (e.konst == K_INT) {
    o.kind = ASM_CONST;
    o.imm = e.lo;
    return o;
  }
  o.kind = ASM_SYMBOL;
  if (e.kind == Ex.FUNC) o.sym = l.p.use((e as FuncExpr).inst!);
  else if (e.kind == Ex.NAME && (e as NameExpr).inst != null) o.sym = l.p.use((e as NameExpr).inst!);
  else if (e.kind == Ex.MEMBER && (e as MemberExpr).inst != null) o.sym = l.p.use((e as MemberExpr).inst!);
  else {
    const place = lowerPlace(l, e);
    o.sym = place.sym;
    if (place.vreg >= 0) {
      o.kind = ASM_LOCAL;
      o.vreg = place.vreg;
      l.b.touch(place.vreg);
    } else if (place.slot >= 0) l.p.diags.error(l.module.file, e.pos, "storage in place can't be an operand of asm; use its address");
  }
  return o;
}
