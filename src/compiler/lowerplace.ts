// Places: variables, globals, fields and elements, as the operands of loads and stores.

import { De, Ex, K_INT, M_FIELD, M_STATIC } from "./ast.ts";
import type {
  ArrayExpr, BinaryExpr, CallExpr, CastExpr, CondExpr, Expr, IndexExpr, MemberExpr, NameExpr, NewExpr, TemplateExpr,
  UnaryExpr, VarDecl,
} from "./ast.ts";
import { Place } from "./builder.ts";
import { Cond, Op, T_I32 } from "./ir.ts";
import { lowerAs, lowerExpr } from "./lowerexpr.ts";
import type { Lower } from "./lower.ts";
import { sizeOf } from "./resolve.ts";
import { Kind } from "./types.ts";
import type { Type } from "./types.ts";

/** The type of the storage that a name, member or element expression denotes; Embed and FixedArray stay what they are. */
export function placeType(e: Expr): Type {
  if (e.kind == Ex.NAME) {
    const d = (e as NameExpr).decl;
    if (d != null && d.kind == De.VAR) return (d as VarDecl).type!;
  } else if (e.kind == Ex.MEMBER) {
    const m = e as MemberExpr;
    if (m.meaning == M_FIELD) return m.field!.type;
    if (m.meaning == M_STATIC) return (m.decl as VarDecl).type!;
  } else if (e.kind == Ex.INDEX) {
    const object = (e as IndexExpr).object.type!;
    return object.kind == Kind.CLASS ? object.cls!.args[0]! : object.elem!;
  }
  return e.type!;
}

/** The place that an expression denotes. */
export function lowerPlace(l: Lower, e: Expr): Place {
  if (e.kind == Ex.NAME) return variablePlace(l, (e as NameExpr).decl as VarDecl);
  if (e.kind == Ex.INDEX) return lowerElement(l, e as IndexExpr);
  const m = e as MemberExpr;
  if (m.meaning == M_STATIC) return variablePlace(l, m.decl as VarDecl);
  const place = lowerRecord(l, m.object);
  place.disp = (place.disp + m.field!.offset) | 0;
  return place;
}

function variablePlace(l: Lower, v: VarDecl): Place {
  const place = new Place();
  if (v.isGlobal) place.sym = l.p.useGlobal(v);
  else if (v.slot >= 0) place.slot = v.slot;
  else place.vreg = v.vreg;
  return place;
}

/** The memory behind a reference or pointer, or the storage itself when it is in place. */
export function lowerRecord(l: Lower, e: Expr): Place {
  const isPlace = e.kind == Ex.NAME || e.kind == Ex.MEMBER || e.kind == Ex.INDEX;
  if (isPlace && placeType(e).isInPlace()) return lowerPlace(l, e);
  const place = new Place();
  place.base = lowerExpr(l, e);
  return place;
}

/** Protect the registers of a place from assignments in `next`, which is evaluated before the place is used. */
export function steady(l: Lower, p: Place, next: Expr): void {
  if (isQuiet(next)) return;
  p.base = copyOfVariable(l, p.base);
  p.index = copyOfVariable(l, p.index);
}

function copyOfVariable(l: Lower, v: i32): i32 {
  if (l.b.mark(v) == null) return v;
  return l.b.unary(Op.MOV, T_I32, T_I32, v);
}

/** Surely an expression without assignments to variables. Calls have none: no function can see another's variables. */
export function isQuiet(e: Expr): bool {
  if (e.konst != 0) return true;
  switch (e.kind) {
    case Ex.ASSIGN: case Ex.UPDATE: case Ex.ASM: return false;
    case Ex.MEMBER: return isQuiet((e as MemberExpr).object);
    case Ex.INDEX: return isQuiet((e as IndexExpr).object) && isQuiet((e as IndexExpr).index);
    case Ex.BINARY: case Ex.LOGICAL: return isQuiet((e as BinaryExpr).left) && isQuiet((e as BinaryExpr).right);
    case Ex.UNARY: return isQuiet((e as UnaryExpr).operand);
    case Ex.CAST: return isQuiet((e as CastExpr).operand);
    case Ex.COND: return isQuiet((e as CondExpr).test) && isQuiet((e as CondExpr).yes) && isQuiet((e as CondExpr).no);
    case Ex.CALL: return isQuiet((e as CallExpr).callee) && areQuiet((e as CallExpr).args);
    case Ex.NEW: return areQuiet((e as NewExpr).args);
    case Ex.ARRAY: return areQuiet((e as ArrayExpr).items);
    case Ex.TEMPLATE: return areQuiet((e as TemplateExpr).parts);
    default: return true;
  }
}

function areQuiet(list: Expr[]): bool {
  for (const e of list) {
    if (!isQuiet(e)) return false;
  }
  return true;
}

function lowerElement(l: Lower, e: IndexExpr): Place {
  const t = e.object.type!;
  if (l.p.isArray(t)) return lowerArrayElement(l, e, t);
  const place = lowerRecord(l, e.object);
  const size = sizeOf(l.p, t.elem!);
  if (e.index.konst == K_INT) {
    place.disp = (place.disp + Math.imul(e.index.lo, size)) | 0;
    return place;
  }
  steady(l, place, e.index);
  addIndex(l, place, lowerExpr(l, e.index), size);
  return place;
}

/** Add index * size to the address of a place. */
function addIndex(l: Lower, place: Place, index: i32, size: i32): void {
  if (place.index >= 0) {
    const base = l.b.address(place);
    place.base = base;
    place.index = -1;
    place.scale = 1;
    place.disp = 0;
    place.slot = -1;
    place.sym = "";
  }
  const scales = size == 1 || size == 2 || size == 4 || size == 8;
  place.index = scales ? index : l.b.binaryImm(Op.MUL, T_I32, index, size, 0);
  place.scale = scales ? size : 1;
}

function lowerArrayElement(l: Lower, e: IndexExpr, t: Type): Place {
  let list = lowerExpr(l, e.object);
  const m = isQuiet(e.index) ? null : l.b.mark(list);
  const index = lowerExpr(l, e.index);
  list = l.b.settle(list, m);
  const length = new Place();
  length.base = list;
  length.disp = l.pool.lengthOffset;
  const ok = l.b.newBlock();
  const n = l.b.load(length, T_I32, 4, true);
  l.b.branch(Cond.ULT, T_I32, index, n, ok, l.b.coldBlock());
  l.b.start(ok);
  return elementPlace(l, list, index, t);
}

/** The place of an array's element whose index is known to be good. */
export function elementPlace(l: Lower, list: i32, index: i32, t: Type): Place {
  const data = new Place();
  data.base = list;
  data.disp = l.pool.dataOffset;
  const place = new Place();
  place.base = l.b.load(data, T_I32, 4, true);
  addIndex(l, place, index, sizeOf(l.p, t.cls!.args[0]!));
  return place;
}

/** The value of a type that lies at a place. In-place storage yields its address. */
export function loadFrom(l: Lower, place: Place, t: Type): i32 {
  if (t.isInPlace()) return l.b.address(place);
  if (place.vreg >= 0) return place.vreg;
  return l.b.load(place, t.regClass(), t.size, t.isSigned());
}

/** Store an expression's value, converted to t. */
export function storeTo(l: Lower, place: Place, t: Type, e: Expr): void {
  const direct = e.konst == K_INT && e.type!.isIntegral() && t.isIntegral() && !t.isWide();
  if (direct && place.vreg < 0) {
    l.b.storeImm(place, t.size, t.kind == Kind.BOOL ? e.lo & 1 : e.lo);
    return;
  }
  if (e.kind == Ex.NULL && place.vreg < 0) {
    l.b.storeImm(place, 4, 0);
    return;
  }
  storeValue(l, place, t, lowerAs(l, e, t));
}

/** Store a value that already has type t. */
export function storeValue(l: Lower, place: Place, t: Type, v: i32): void {
  if (place.vreg >= 0) l.b.assign(place.vreg, v);
  else l.b.store(place, t.regClass(), t.size, v);
}

/** Address of a constant string. */
export function stringAddress(l: Lower, text: string): i32 {
  return l.b.symbolAddress(l.pool.stringSymbol(l.p.addString(text)));
}
