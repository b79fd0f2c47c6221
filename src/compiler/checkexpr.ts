// Types of expressions. `want` is the type that the surroundings would like: literals, array literals, arrow functions
// and the portable idioms `x | 0` and `x >>> 0` adapt to it; everything else has its type by itself, and `checkAssign`
// then judges whether it converts without changing a value.

import {
  De, Ex, K_F64, K_INT, K_NONE, K_STRING, M_COUNT, M_FIELD, M_FUNC, M_LENGTH, M_NONE, M_STATIC,
} from "./ast.ts";
import type {
  ArrayExpr, BinaryExpr, CallExpr, CastExpr, ClassDecl, CondExpr, Decl, EnumDecl, Expr, FuncDecl, FuncExpr, IndexExpr,
  MemberExpr, NameExpr, NewExpr, TemplateExpr, TextExpr, UnaryExpr, VarDecl,
} from "./ast.ts";
import { checkArguments, checkCall } from "./checkcall.ts";
import { Checker, constantOf, enumValues } from "./check.ts";
import { decimalToBits } from "./decimal.ts";
import { foldBinary, foldCompare, foldUnary, setConverted, setInt } from "./fold.ts";
import { findMethod } from "./program.ts";
import {
  constructorOf, functionInstance, layout, lookupMethod, makeInstance, methodInstance, resolveType, valueType,
} from "./resolve.ts";
import { Tok } from "./token.ts";
import { constantFits, FuncInst, Kind, widens } from "./types.ts";
import type { Type } from "./types.ts";

/** Check an expression and give it its type. */
export function checkExpr(c: Checker, e: Expr, want: Type | null): Type {
  if (e.kind != Ex.INT && e.kind != Ex.BOOL) e.konst = K_NONE;
  const t = typeOf(c, e, want);
  e.type = t;
  return t;
}

function typeOf(c: Checker, e: Expr, want: Type | null): Type {
  const types = c.p.types;
  switch (e.kind) {
    case Ex.INT: return typeOfInt(c, e, want);
    case Ex.FLOAT: return typeOfFloat(c, e as TextExpr);
    case Ex.STRING:
      e.konst = K_STRING;
      e.lo = c.p.addString((e as TextExpr).text);
      return types.tString;
    case Ex.TEMPLATE: return typeOfTemplate(c, e as TemplateExpr);
    case Ex.ASM: return checkAsm(c, e as TemplateExpr);
    case Ex.BOOL: return types.tBool;
    case Ex.NULL: return types.tNull;
    case Ex.NAME: return typeOfName(c, e as NameExpr);
    case Ex.THIS: return typeOfThis(c, e);
    case Ex.SUPER: return c.error(e.pos, "super can only be called, or its methods");
    case Ex.MEMBER: return typeOfMember(c, e as MemberExpr);
    case Ex.INDEX: return typeOfIndex(c, e as IndexExpr);
    case Ex.CALL: return checkCall(c, e as CallExpr, want);
    case Ex.NEW: return typeOfNew(c, e as NewExpr);
    case Ex.UNARY: return typeOfUnary(c, e as UnaryExpr, want);
    case Ex.UPDATE: return typeOfUpdate(c, e as UnaryExpr);
    case Ex.BINARY: return typeOfBinary(c, e as BinaryExpr, want);
    case Ex.LOGICAL: return typeOfLogical(c, e as BinaryExpr);
    case Ex.ASSIGN: return typeOfAssign(c, e as BinaryExpr);
    case Ex.COND: return typeOfCond(c, e as CondExpr, want);
    case Ex.CAST: return typeOfCast(c, e as CastExpr);
    case Ex.ARRAY: return typeOfArray(c, e as ArrayExpr, want);
    default: return typeOfFunc(c, e as FuncExpr, want);
  }
}

// ---- conversions ----

/** Check an expression that becomes a value of type `to`. */
export function checkAssign(c: Checker, e: Expr, to: Type): void {
  const from = checkExpr(c, e, to);
  if (!converts(c, e, from, to)) c.error(e.pos, conversionError(e, from, to));
}

function conversionError(e: Expr, from: Type, to: Type): string {
  if (to.isInPlace()) return `${to.name} is storage in place and can't be assigned`;
  if (e.konst == K_INT && to.isInteger() && from.isInteger()) return `this constant does not fit in ${to.name}`;
  const hint = (from.isIntegral() || from.kind == Kind.F64) && (to.isIntegral() || to.kind == Kind.F64);
  return `${from.name} does not convert to ${to.name}` + (hint ? ` by itself; write 'as ${to.name}'` : "");
}

/** Does e, of type `from`, become a `to` without changing its value? */
export function converts(c: Checker, e: Expr, from: Type, to: Type): bool {
  if (from == to) return true;
  if (from.kind == Kind.ERROR || to.kind == Kind.ERROR) return true;
  if (e.konst == K_INT && from.isInteger()) {
    return to.kind == Kind.F64 || constantFits(e.lo, e.hi, from.kind == Kind.U64, to.kind);
  }
  if (from.isInteger()) return widens(from.kind, to.kind) || valueFits(e, from, to);
  switch (to.kind) {
    case Kind.CLASS: return from.kind == Kind.NULL || (from.kind == Kind.CLASS && derives(c, from, to));
    case Kind.STRING: return from.kind == Kind.NULL;
    case Kind.PTR: return from.kind == Kind.NULL || (from.kind == Kind.FIXED && from.elem == to.elem);
    case Kind.FUNC: return from.kind == Kind.NULL || (from.kind == Kind.FUNC && callable(c, from, to));
    default: return false;
  }
}

function derives(c: Checker, from: Type, to: Type): bool {
  layout(c.p, from.cls!);
  return from.cls!.derivesFrom(to.cls!);
}

/** Can a function of type `from` be called as a `to`? It may ignore parameters and return what no one wants. */
function callable(c: Checker, from: Type, to: Type): bool {
  const have = from.params!;
  const given = to.params!;
  if (have.length > given.length) return false;
  for (let i = 0; i < have.length; i++) {
    if (have[i] != given[i] && !(have[i]!.kind == Kind.CLASS && given[i]!.kind == Kind.CLASS && related(c, have[i]!, given[i]!))) {
      return false;
    }
  }
  const ret = from.ret!;
  const wanted = to.ret!;
  if (wanted.kind == Kind.VOID) return ret.kind != Kind.F64;
  return ret == wanted || (ret.kind == Kind.CLASS && wanted.kind == Kind.CLASS && derives(c, ret, wanted));
}

function related(c: Checker, a: Type, b: Type): bool {
  return derives(c, a, b) || derives(c, b, a);
}

/** Masks and logical right shifts by constants whose result surely fits into a narrower or differently signed type. */
function valueFits(e: Expr, from: Type, to: Type): bool {
  if (!to.isInteger()) return false;
  if (e.kind == Ex.COND) {
    const k = e as CondExpr;
    return branchFits(k.yes, to) && branchFits(k.no, to);
  }
  if (e.kind != Ex.BINARY) return false;
  const b = e as BinaryExpr;
  if (b.op == Tok.AND) return maskFits(b.right, to) || maskFits(b.left, to);
  if (b.op == Tok.REM && !from.isSigned()) return b.right.konst == K_INT && constantFits(b.right.lo - 1, b.right.hi, false, to.kind);
  if (b.op == Tok.USHR && b.right.konst == K_INT && !from.isWide()) return shiftFits(b, from, to);
  if (b.op == Tok.OR || b.op == Tok.XOR) return branchFits(b.left, to) && branchFits(b.right, to);
  return false;
}

function branchFits(e: Expr, to: Type): bool {
  const t = e.type;
  if (t == null) return true;          // the branch that a constant test never takes is not checked
  if (e.konst == K_INT && t.isInteger()) return constantFits(e.lo, e.hi, t.kind == Kind.U64, to.kind);
  return t == to || widens(t.kind, to.kind) || valueFits(e, t, to);
}

function maskFits(e: Expr, to: Type): bool {
  return e.konst == K_INT && e.hi == 0 && constantFits(e.lo, 0, false, to.kind) && e.lo >= 0;
}

function shiftFits(b: BinaryExpr, from: Type, to: Type): bool {
  const count = b.right.lo & 31;
  if (count == 0) return from.size == 4 && to.size == 4;
  return constantFits(-1 >>> count, 0, false, to.kind);
}

/** Integer type in which arithmetic on a type happens. */
function promoted(c: Checker, t: Type): Type {
  return t.isNarrow() ? c.p.types.tI32 : t;
}

/** Common type of two operands, or null. Constants adapt to the other side. */
function unify(c: Checker, l: Expr, r: Expr): Type | null {
  const a = promoted(c, l.type!);
  const b = promoted(c, r.type!);
  if (a == b) return a;
  const lk = l.konst == K_INT && a.isInteger();
  const rk = r.konst == K_INT && b.isInteger();
  if (rk && !lk && converts(c, r, b, a)) return a;
  if (lk && !rk && converts(c, l, a, b)) return b;
  if (lk && rk) {
    if (converts(c, r, b, a)) return a;
    if (converts(c, l, a, b)) return b;
    return c.p.types.tI64;
  }
  if (l.type!.isInteger() && r.type!.isInteger()) {
    if (widens(l.type!.kind, b.kind)) return b;
    if (converts(c, r, r.type!, a)) return a;
    return converts(c, l, l.type!, b) ? b : null;
  }
  if (a.kind == Kind.F64 && widens(r.type!.kind, Kind.F64)) return a;
  if (b.kind == Kind.F64 && widens(l.type!.kind, Kind.F64)) return b;
  return null;
}

/** For `&`, `|`, `^`: a 32-bit constant combines with either signedness, and narrow types stay narrow. */
function unifyBits(c: Checker, l: Expr, r: Expr): Type | null {
  const a = l.type!;
  const b = r.type!;
  if (a == b && a.isNarrow()) return a;
  if (a.isNarrow() && r.konst == K_INT && constantFits(r.lo, r.hi, false, a.kind)) return a;
  if (b.isNarrow() && l.konst == K_INT && constantFits(l.lo, l.hi, false, b.kind)) return b;
  const t = unify(c, l, r);
  if (t != null && !(t.isWide() && a.size <= 4 && b.size <= 4)) return t;
  if (r.konst == K_INT && fitsBits(r) && a.size == 4) return a;
  if (l.konst == K_INT && fitsBits(l) && b.size == 4) return b;
  return t;
}

/** Is a constant a 32-bit pattern, signed or unsigned? */
function fitsBits(e: Expr): bool {
  return e.hi == 0 || (e.hi == -1 && e.lo < 0);
}

// ---- literals and names ----

function typeOfInt(c: Checker, e: Expr, want: Type | null): Type {
  if (want != null && want.isInteger() && constantFits(e.lo, e.hi, e.hi < 0, want.kind)) return want;
  if (e.hi == 0) return e.lo >= 0 ? c.p.types.tI32 : c.p.types.tU32;
  return e.hi > 0 ? c.p.types.tI64 : c.p.types.tU64;
}

function typeOfFloat(c: Checker, e: TextExpr): Type {
  const bits = decimalToBits(e.text);
  e.konst = K_F64;
  e.lo = bits.lo;
  e.hi = bits.hi;
  return c.p.types.tF64;
}

function typeOfTemplate(c: Checker, e: TemplateExpr): Type {
  for (const part of e.parts) {
    const t = checkExpr(c, part, null);
    const fits = t.isIntegral() || t.kind == Kind.STRING || t.kind == Kind.ERROR;
    if (!fits) c.error(part.pos, `a template can't show a ${t.name}`);
  }
  if (e.parts.length == 0) {
    e.konst = K_STRING;
    e.lo = c.p.addString(e.chunks[0]!);
  }
  return c.p.types.tString;
}

function checkAsm(c: Checker, e: TemplateExpr): Type {
  for (const part of e.parts) {
    const t = checkExpr(c, part, null);
    if (part.konst == K_INT || t.kind == Kind.FUNC || t.kind == Kind.ERROR || isVariable(part)) continue;
    c.error(part.pos, "an operand of asm is a variable, a constant or a function");
  }
  return c.p.types.tVoid;
}

/** Is this the name of a variable (not a parameter list's function or the like)? */
function isVariable(e: Expr): bool {
  if (e.kind == Ex.NAME) return true;
  return e.kind == Ex.MEMBER && (e as MemberExpr).meaning == M_STATIC;
}

function typeOfThis(c: Checker, e: Expr): Type {
  const cls = c.thisClass();
  if (cls == null) return c.error(e.pos, "there is no 'this' here");
  return cls.type;
}

/** What a bare name means here, or null after an error. */
export function resolveValue(c: Checker, e: NameExpr): Decl | null {
  const local = c.findLocal(e.name);
  if (local != null) return local;
  const outer = c.findVisible(e.name);
  if (outer != null) {
    const isConstant = outer.kind == De.FUNC || (outer as VarDecl).konst != K_NONE;
    if (!isConstant) c.error(e.pos, `this function would capture '${c.p.names.text(e.name)}' of the one around it`);
    return outer;
  }
  return c.p.lookup(c.module, e.name);
}

function typeOfName(c: Checker, e: NameExpr): Type {
  const d = resolveValue(c, e);
  e.decl = d;
  e.inst = null;
  if (d == null) return enumMember(c, e);
  switch (d.kind) {
    case De.VAR: return typeOfVariable(c, e, d as VarDecl);
    case De.FUNC: return functionValue(c, e, d as FuncDecl);
    default: return c.error(e.pos, `'${c.p.names.text(e.name)}' is not a value`);
  }
}

function enumMember(c: Checker, e: NameExpr): Type {
  const own = c.ownEnum;
  const at = own == null ? -1 : own.names.indexOf(e.name);
  if (own == null || at < 0 || at >= own.values.length) return c.error(e.pos, `'${c.p.names.text(e.name)}' is not declared`);
  setConverted(e, own.values[at]!, 0, c.p.types.tI32, c.p.types.tI32);
  return c.p.types.tI32;
}

function typeOfVariable(c: Checker, e: Expr, v: VarDecl): Type {
  if (v.isGlobal) constantOf(c.p, v);
  if (v.konst != K_NONE) {
    e.konst = v.konst;
    e.lo = v.lo;
    e.hi = v.hi;
  }
  const t = v.type;
  if (t == null) return c.error(e.pos, "this variable is used before its declaration");
  return stored(t);
}

/** The type of the value that a place of type t yields: an embedded record reads as a reference to it. */
export function stored(t: Type): Type {
  return t.kind == Kind.EMBED ? t.elem! : t;
}

function functionValue(c: Checker, e: NameExpr, d: FuncDecl): Type {
  if (d.typeParams != null) return c.error(e.pos, "a generic function can be called but not used as a value");
  const f = functionInstance(c.p, d);
  e.inst = f;
  return valueType(c.p, f);
}

// ---- members and elements ----

/** If an expression names a class, enum or imported module rather than a value: that declaration. */
export function namedSpace(c: Checker, e: Expr): Decl | null {
  if (e.kind != Ex.NAME) return null;
  const name = (e as NameExpr).name;
  if (c.findLocal(name) != null || c.findVisible(name) != null) return null;
  const d = c.p.lookup(c.module, name);
  return d != null && (d.kind == De.CLASS || d.kind == De.ENUM || d.kind == De.IMPORT) ? d : null;
}

function typeOfMember(c: Checker, e: MemberExpr): Type {
  e.meaning = M_NONE;
  const space = namedSpace(c, e.object);
  if (space != null) return typeOfSpaceMember(c, e, space);
  const t = checkExpr(c, e.object, null);
  if (t.kind == Kind.ERROR) return t;
  if (t.kind == Kind.STRING && e.name == c.p.known.length) {
    e.meaning = M_LENGTH;
    return c.p.types.tI32;
  }
  if (t.kind == Kind.FIXED && e.name == c.p.known.length) {
    e.meaning = M_COUNT;
    setInt(e, t.count, 0);
    return c.p.types.tI32;
  }
  const cls = t.cls;
  if (cls != null) {
    const field = layout(c.p, cls).findField(e.name);
    if (field != null) {
      e.meaning = M_FIELD;
      e.field = field;
      return stored(field.type);
    }
    if (lookupMethod(c.p, cls, e.name) != null) return c.error(e.pos, "a method can be called but is not a value");
  }
  return c.error(e.pos, `${t.name} has no member '${c.p.names.text(e.name)}'`);
}

function typeOfSpaceMember(c: Checker, e: MemberExpr, space: Decl): Type {
  const name = c.p.names.text(e.name);
  if (space.kind == De.ENUM) {
    const en = space as EnumDecl;
    const at = en.names.indexOf(e.name);
    if (at < 0) return c.error(e.pos, `the enum has no member '${name}'`);
    const value = enumValues(c.p, en)[at]!;
    setInt(e, value, value >> 31);
    return c.p.types.tI32;
  }
  if (space.kind == De.CLASS) return typeOfStatic(c, e, space as ClassDecl);
  const m = c.p.namespaceOf(space);
  const d = m == null ? null : c.p.member(m, e.name);
  if (d == null) return c.error(e.pos, `the module exports no '${name}'`);
  if (d.kind == De.VAR) {
    e.meaning = M_STATIC;
    e.decl = d;
    return typeOfVariable(c, e, d as VarDecl);
  }
  if (d.kind == De.FUNC && (d as FuncDecl).typeParams == null) {
    e.meaning = M_FUNC;
    const f = functionInstance(c.p, d as FuncDecl);
    e.inst = f;
    return valueType(c.p, f);
  }
  return c.error(e.pos, `'${name}' is not a value`);
}

function typeOfStatic(c: Checker, e: MemberExpr, start: ClassDecl): Type {
  let d: ClassDecl | null = start;
  while (d != null) {
    for (const v of d.statics) {
      if (v.name != e.name) continue;
      e.meaning = M_STATIC;
      e.decl = v;
      return typeOfVariable(c, e, v);
    }
    const f = findMethod(d, e.name);
    if (f != null && f.isStatic && f.typeParams == null) {
      e.meaning = M_FUNC;
      const inst = staticMethod(c, d, f);
      e.inst = inst;
      return valueType(c.p, inst);
    }
    d = d.baseDecl;
  }
  return c.error(e.pos, `the class has no static member '${c.p.names.text(e.name)}'`);
}

/** The instance of a static method; it knows no type parameters of its class. */
export function staticMethod(c: Checker, cls: ClassDecl, f: FuncDecl): FuncInst {
  const none: Type[] = [];
  return methodInstance(c.p, c.p.classInfo(cls, none), f);
}

function typeOfIndex(c: Checker, e: IndexExpr): Type {
  const t = checkExpr(c, e.object, null);
  const i = checkExpr(c, e.index, null);
  if (i.kind != Kind.ERROR && (!i.isInteger() || i.isWide())) c.error(e.index.pos, `an index is an integer, not ${i.name}`);
  if (t.kind == Kind.ERROR) return t;
  if (t.kind == Kind.PTR || t.kind == Kind.FIXED) return stored(t.elem!);
  if (c.p.isArray(t)) return stored(t.cls!.args[0]!);
  if (t.kind == Kind.STRING) return c.error(e.pos, "use charCodeAt to read a character of a string");
  return c.error(e.pos, `${t.name} has no elements`);
}

function typeOfNew(c: Checker, e: NewExpr): Type {
  const t = resolveType(c.p, c.scope, e.typeNode);
  e.ctor = null;
  if (t.kind == Kind.ERROR) return checkLoose(c, e.args, t);
  const cls = t.cls;
  if (cls == null) return c.error(e.pos, `new makes records of classes, not ${t.name}`);
  if (cls.decl.isAbstract) return c.error(e.pos, `'${cls.name}' is abstract`);
  layout(c.p, cls);
  const ctor = constructorOf(c.p, cls);
  e.ctor = ctor;
  if (ctor != null) checkArguments(c, e.args, ctor, e.pos);
  else if (e.args.length > 0) c.error(e.pos, `'${cls.name}' has no constructor that takes arguments`);
  return t;
}

/** Check arguments of something that is wrong already, for their own errors. */
export function checkLoose(c: Checker, args: Expr[], result: Type): Type {
  for (const a of args) checkExpr(c, a, null);
  return result;
}

function typeOfArray(c: Checker, e: ArrayExpr, want: Type | null): Type {
  let type = want != null && c.p.isArray(want) ? want : null;
  if (type == null) {
    if (e.items.length == 0) return c.error(e.pos, "an empty array literal needs a type from its surroundings");
    const first = checkExpr(c, e.items[0]!, null);
    type = c.p.arrayOf(first.kind == Kind.FIXED ? c.p.types.ptr(first.elem!) : first);
  }
  const elem = type.cls!.args[0]!;
  for (const item of e.items) checkAssign(c, item, elem);
  layout(c.p, type.cls!);
  e.ctor = constructorOf(c.p, type.cls!);
  return type;
}

function typeOfFunc(c: Checker, e: FuncExpr, want: Type | null): Type {
  const decl = e.decl;
  const wanted = want != null && want.kind == Kind.FUNC ? want : null;
  if (decl.typeParams != null) c.error(e.pos, "a function expression can't be generic");
  const f = wanted == null ? makeInstance(c.p, decl, c.scope.env, null) : contextualInstance(c, decl, wanted);
  f.visible = c.snapshot();
  e.inst = f;
  if (c.p.checkAll) c.p.nested.push(f);
  return valueType(c.p, f);
}

/** An arrow function whose unwritten types come from the function type it is used as. */
function contextualInstance(c: Checker, decl: FuncDecl, want: Type): FuncInst {
  const f = new FuncInst(decl, c.scope.env, null);
  const given = want.params!;
  for (let i = 0; i < decl.params.length; i++) {
    const node = decl.params[i]!.typeNode;
    if (node != null) f.params.push(resolveType(c.p, c.scope, node));
    else if (i < given.length) f.params.push(given[i]!);
    else f.params.push(c.error(decl.params[i]!.pos, "this parameter needs a type"));
  }
  const ret = decl.ret;
  f.ret = ret != null ? resolveType(c.p, c.scope, ret) : want.ret;
  return f;
}

// ---- operators ----

/** Check an expression used as a condition: bool, integers and references. */
export function checkCondition(c: Checker, e: Expr): void {
  if (e.kind == Ex.LOGICAL) {
    const b = e as BinaryExpr;
    e.konst = K_NONE;
    checkCondition(c, b.left);
    const decided = b.op == Tok.AND_AND ? isKnownFalse(b.left) : isKnownTrue(b.left);
    if (!decided) checkCondition(c, b.right);
    foldLogical(b, decided);
    e.type = c.p.types.tBool;
    return;
  }
  const t = checkExpr(c, e, null);
  const fits = t.isIntegral() || t.isReference() || t.kind == Kind.FIXED || t.kind == Kind.ERROR;
  if (!fits) c.error(e.pos, `${t.name} is not a condition`);
}

function foldLogical(e: BinaryExpr, decided: bool): void {
  if (decided) setInt(e, e.op == Tok.AND_AND ? 0 : 1, 0);
  else if (e.left.konst == K_INT && e.right.konst == K_INT) setInt(e, (e.right.lo | e.right.hi) != 0 ? 1 : 0, 0);
}

export function isKnownTrue(e: Expr): bool {
  return e.konst == K_INT && (e.lo | e.hi) != 0;
}

export function isKnownFalse(e: Expr): bool {
  return e.konst == K_INT && (e.lo | e.hi) == 0;
}

function typeOfLogical(c: Checker, e: BinaryExpr): Type {
  checkCondition(c, e);
  const l = e.left.type!;
  const r = e.right.type;
  const bools = l.kind == Kind.BOOL && (r == null || r.kind == Kind.BOOL || e.konst == K_INT);
  if (!bools && l.kind != Kind.ERROR && r != null && r.kind != Kind.ERROR) {
    return c.error(e.pos, "outside of conditions && and || combine bool values");
  }
  return c.p.types.tBool;
}

function typeOfUnary(c: Checker, e: UnaryExpr, want: Type | null): Type {
  if (e.op == Tok.NOT) {
    checkCondition(c, e.operand);
    if (e.operand.konst == K_INT) setInt(e, isKnownFalse(e.operand) ? 1 : 0, 0);
    return c.p.types.tBool;
  }
  const t = checkExpr(c, e.operand, e.op == Tok.VOID ? null : want);
  if (e.op == Tok.VOID || t.kind == Kind.ERROR) return e.op == Tok.VOID ? c.p.types.tVoid : t;
  if (t.kind == Kind.F64 && e.op != Tok.TILDE) {
    if (e.operand.konst == K_F64) {
      e.konst = K_F64;
      e.lo = e.operand.lo;
      e.hi = e.op == Tok.SUB ? e.operand.hi ^ -0x80000000 : e.operand.hi;
    }
    return t;
  }
  if (!t.isInteger()) return c.error(e.pos, `this operator does not apply to ${t.name}`);
  if (e.operand.konst == K_INT) return foldSign(c, e, t, want);
  return promoted(c, t);
}

/** Fold `-k`, `~k`, `+k`. A negated literal has the type that holds it, whatever the type of the literal was. */
function foldSign(c: Checker, e: UnaryExpr, t: Type, want: Type | null): Type {
  const types = c.p.types;
  const k = e.operand;
  if (e.op == Tok.ADD) {
    setInt(e, k.lo, k.hi);
    return t;
  }
  const wide = promoted(c, t);
  if (e.op == Tok.TILDE) {
    foldUnary(e, e.op, k, wide);
    return wide;
  }
  foldUnary(e, e.op, k, types.tI64);
  if (want != null && want.isInteger() && constantFits(e.lo, e.hi, false, want.kind)) return want;
  if (constantFits(e.lo, e.hi, false, Kind.I32)) return types.tI32;
  return types.tI64;
}

function typeOfUpdate(c: Checker, e: UnaryExpr): Type {
  const t = checkTarget(c, e.operand);
  if (t.kind != Kind.ERROR && !t.isInteger() && t.kind != Kind.F64) return c.error(e.pos, `${t.name} can't be counted up or down`);
  return t;
}

/** Check the left side of an assignment; its type. */
function checkTarget(c: Checker, e: Expr): Type {
  const t = checkExpr(c, e, null);
  if (t.kind == Kind.ERROR) return t;
  if (e.kind == Ex.NAME) {
    const d = (e as NameExpr).decl;
    if (d != null && d.kind == De.VAR) return checkMutable(c, e, d as VarDecl, t);
  } else if (e.kind == Ex.INDEX) {
    const object = (e as IndexExpr).object.type!;
    const elem = object.elem;
    if (elem != null && elem.isInPlace()) return c.error(e.pos, "storage in place can't be assigned");
    return t;
  } else if (e.kind == Ex.MEMBER) {
    const m = e as MemberExpr;
    if (m.meaning == M_STATIC) return checkMutable(c, e, m.decl as VarDecl, t);
    if (m.meaning == M_FIELD) return m.field!.type.isInPlace() ? c.error(e.pos, "storage in place can't be assigned") : t;
  }
  return c.error(e.pos, "this can't be assigned to");
}

function checkMutable(c: Checker, e: Expr, v: VarDecl, t: Type): Type {
  if (v.type!.isInPlace()) return c.error(e.pos, "storage in place can't be assigned");
  if (v.isConst) return c.error(e.pos, "a constant can't be assigned to");
  return t;
}

function isShift(op: i32): bool {
  return op == Tok.SHL || op == Tok.SHR || op == Tok.USHR;
}

function isComparison(op: i32): bool {
  return op >= Tok.EQ && op <= Tok.GE;
}

function isBitwise(op: i32): bool {
  return op == Tok.AND || op == Tok.OR || op == Tok.XOR;
}

function typeOfBinary(c: Checker, e: BinaryExpr, want: Type | null): Type {
  if (isComparison(e.op)) return typeOfComparison(c, e);
  const hint = want != null && (want.isInteger() || want.kind == Kind.F64) ? want : null;
  const l = checkExpr(c, e.left, isShift(e.op) && e.op != Tok.SHL ? null : hint);
  const r = checkExpr(c, e.right, isShift(e.op) ? null : hint);
  if (l.kind == Kind.ERROR || r.kind == Kind.ERROR) return c.p.types.tError;
  if (e.op == Tok.ADD && (l.kind == Kind.STRING || r.kind == Kind.STRING)) return typeOfConcat(c, e, l, r);
  const t = isShift(e.op) ? shiftType(c, e, l, r) : arithmeticType(c, e, l, r);
  if (t.kind == Kind.ERROR) return t;
  e.operandType = t;
  if (e.left.konst == K_INT && e.right.konst == K_INT && t.isInteger()) {
    if (!foldBinary(e, e.op, e.left, e.right, t)) return c.error(e.pos, "division by zero");
  }
  return signIdiom(c, e, t, want);
}

function typeOfConcat(c: Checker, e: BinaryExpr, l: Type, r: Type): Type {
  const string = c.p.types.tString;
  if (l != string || r != string) {
    return c.error(e.pos, `a string and a ${l == string ? r.name : l.name} can't be added; use a template string`);
  }
  e.operandType = string;
  if (e.left.konst == K_STRING && e.right.konst == K_STRING) {
    e.konst = K_STRING;
    e.lo = c.p.addString(c.p.strings[e.left.lo]! + c.p.strings[e.right.lo]!);
  }
  return string;
}

function shiftType(c: Checker, e: BinaryExpr, l: Type, r: Type): Type {
  if (!l.isInteger() || !r.isInteger()) return c.error(e.pos, `${l.name} can't be shifted by ${r.name}`);
  const staysNarrow = e.op != Tok.SHL && (!l.isSigned() || e.op == Tok.SHR);
  return staysNarrow ? l : promoted(c, l);
}

function arithmeticType(c: Checker, e: BinaryExpr, l: Type, r: Type): Type {
  const numeric = (l.isInteger() || l.kind == Kind.F64) && (r.isInteger() || r.kind == Kind.F64);
  if (!numeric) {
    if (isBitwise(e.op) && l.kind == Kind.BOOL && r.kind == Kind.BOOL) return l;
    return c.error(e.pos, `this operator does not apply to ${l.name} and ${r.name}`);
  }
  const divides = e.op == Tok.DIV || e.op == Tok.REM;
  const keepsNarrow = isBitwise(e.op) || (divides && !l.isSigned() && !r.isSigned());
  const t = keepsNarrow ? unifyBits(c, e.left, e.right) : unify(c, e.left, e.right);
  if (t == null) return c.error(e.pos, `${l.name} and ${r.name} don't mix; convert one side with 'as'`);
  if (t.kind == Kind.F64 && (isBitwise(e.op) || e.op == Tok.REM)) return c.error(e.pos, "this operator does not apply to f64");
  return t;
}

/** `x | 0` yields i32 and `x >>> 0` yields u32 where that is wanted, as they do in JavaScript. */
function signIdiom(c: Checker, e: BinaryExpr, t: Type, want: Type | null): Type {
  if (want == null || t.size != 4 || !isIdiom(e)) return t;
  const wanted = e.op == Tok.OR ? c.p.types.tI32 : c.p.types.tU32;
  if (want != wanted || t == wanted) return t;
  if (e.konst == K_INT) setConverted(e, e.lo, e.hi, t, wanted);
  return wanted;
}

function isIdiom(e: BinaryExpr): bool {
  return (e.op == Tok.OR || e.op == Tok.USHR) && e.right.kind == Ex.INT && e.right.lo == 0 && e.right.hi == 0;
}

function typeOfComparison(c: Checker, e: BinaryExpr): Type {
  const types = c.p.types;
  const l = checkExpr(c, e.left, viewHint(c, e.left));
  const r = checkExpr(c, e.right, viewHint(c, e.right));
  if (l.kind == Kind.ERROR || r.kind == Kind.ERROR) return types.tBool;
  const t = comparisonType(c, e, l, r);
  e.operandType = t;
  if (t == null) {
    c.error(e.pos, `${l.name} and ${r.name} can't be compared` + (l.isInteger() && r.isInteger() ? " without 'as'" : ""));
  } else if (t.isIntegral() && e.left.konst == K_INT && e.right.konst == K_INT) {
    foldCompare(e, e.op, e.left, e.right, t);
  } else if (t.kind == Kind.STRING && e.left.konst == K_STRING && e.right.konst == K_STRING && (e.op == Tok.EQ || e.op == Tok.NE)) {
    setInt(e, (e.left.lo == e.right.lo) == (e.op == Tok.EQ) ? 1 : 0, 0);
  }
  return types.tBool;
}

/** `(a >>> 0) < b` compares unsigned. */
function viewHint(c: Checker, e: Expr): Type | null {
  return e.kind == Ex.BINARY && (e as BinaryExpr).op == Tok.USHR && isIdiom(e as BinaryExpr) ? c.p.types.tU32 : null;
}

function comparisonType(c: Checker, e: BinaryExpr, l: Type, r: Type): Type | null {
  if (l == r && l.kind != Kind.VOID) {
    const ordered = l.isIntegral() || l.kind == Kind.F64 || l.kind == Kind.STRING;
    return ordered || e.op == Tok.EQ || e.op == Tok.NE ? l : null;
  }
  if (l.isInteger() || r.isInteger()) {
    const numeric = (l.isInteger() || l.kind == Kind.F64) && (r.isInteger() || r.kind == Kind.F64);
    return numeric ? unify(c, e.left, e.right) : null;
  }
  if (e.op != Tok.EQ && e.op != Tok.NE) return null;
  if (converts(c, e.left, l, r)) return r;
  if (converts(c, e.right, r, l)) return l;
  return l.kind == Kind.CLASS && r.kind == Kind.CLASS && related(c, l, r) ? l : null;
}

function typeOfAssign(c: Checker, e: BinaryExpr): Type {
  const t = checkTarget(c, e.left);
  if (e.op == Tok.ASSIGN) {
    if (t.kind == Kind.ERROR) checkExpr(c, e.right, null);
    else checkAssign(c, e.right, t);
    return t;
  }
  const r = checkExpr(c, e.right, isShift(e.op) || !t.isInteger() ? null : promoted(c, t));
  if (t.kind == Kind.ERROR || r.kind == Kind.ERROR) return t;
  if (e.op == Tok.ADD && t.kind == Kind.STRING) {
    if (r.kind != Kind.STRING) return c.error(e.right.pos, "only a string can be added to a string");
    e.operandType = t;
    return t;
  }
  const o = isShift(e.op) ? shiftType(c, e, t, r) : arithmeticType(c, e, t, r);
  e.operandType = o;
  if (o.kind == Kind.ERROR || o == t || o == promoted(c, t)) return t;
  return c.error(e.pos, `the result is ${o.name} and does not fit in ${t.name}`);
}

function typeOfCond(c: Checker, e: CondExpr, want: Type | null): Type {
  checkCondition(c, e.test);
  if (isKnownTrue(e.test)) return chosen(e, e.yes, checkExpr(c, e.yes, want));
  if (isKnownFalse(e.test)) return chosen(e, e.no, checkExpr(c, e.no, want));
  const a = checkExpr(c, e.yes, want);
  const b = checkExpr(c, e.no, want);
  if (a.kind == Kind.ERROR || b.kind == Kind.ERROR) return c.p.types.tError;
  if (want != null && !want.isInPlace() && converts(c, e.yes, a, want) && converts(c, e.no, b, want)) return want;
  if (a == b) return a;
  if (a.isInteger() || b.isInteger()) {
    const t = unify(c, e.yes, e.no);
    if (t != null) return t;
  } else {
    if (converts(c, e.yes, a, b)) return b;
    if (converts(c, e.no, b, a)) return a;
  }
  return c.error(e.pos, `the two results are ${a.name} and ${b.name}`);
}

function chosen(e: CondExpr, branch: Expr, t: Type): Type {
  e.konst = branch.konst;
  e.lo = branch.lo;
  e.hi = branch.hi;
  return t;
}

function typeOfCast(c: Checker, e: CastExpr): Type {
  const to = resolveType(c.p, c.scope, e.typeNode);
  const from = checkExpr(c, e.operand, to.isReference() ? to : null);
  if (to.kind == Kind.ERROR || from.kind == Kind.ERROR) return to;
  if (!castable(c, e.operand, from, to)) {
    const hint = from.isReference() || to.isReference() ? "; changetype reinterprets references" : "";
    return c.error(e.pos, `${from.name} does not convert to ${to.name}${hint}`);
  }
  const k = e.operand;
  if (k.konst == K_INT && from.isIntegral() && (to.isIntegral() || to.kind == Kind.F64)) setConverted(e, k.lo, k.hi, from, to);
  else if (from == to) {
    e.konst = k.konst;
    e.lo = k.lo;
    e.hi = k.hi;
  }
  return to;
}

function castable(c: Checker, e: Expr, from: Type, to: Type): bool {
  if (from == to || converts(c, e, from, to)) return !to.isInPlace();
  const fromNumber = from.isIntegral() || from.kind == Kind.F64;
  if (fromNumber) return to.isIntegral() || (to.kind == Kind.F64 && from.kind != Kind.BOOL);
  if (from.kind == Kind.CLASS) return to.kind == Kind.CLASS;
  if (from.kind == Kind.PTR || from.kind == Kind.FIXED) return to.kind == Kind.PTR;
  return from.kind == Kind.FUNC && to.kind == Kind.FUNC;
}
