// Calls to IR, including the builtin functions and the compiler's own calls into the run-time library.

import { C_BUILTIN, C_METHOD, C_SUPER, C_VALUE, C_VIRTUAL, K_INT } from "./ast.ts";
import type { CallExpr, Expr, TextExpr } from "./ast.ts";
import { Place } from "./builder.ts";
import { Builtin } from "./builtins.ts";
import { Cond, Op, T_F64, T_I32, T_I64, T_VOID } from "./ir.ts";
import { lowerFieldValues } from "./lower.ts";
import type { Lower } from "./lower.ts";
import { convert, lowerAs, lowerExpr } from "./lowerexpr.ts";
import { isQuiet, lowerPlace, steady, storeTo } from "./lowerplace.ts";
import { findMethod } from "./program.ts";
import { functionInstance, methodInstance, returnType } from "./resolve.ts";
import { Kind } from "./types.ts";
import type { FuncInst, Type } from "./types.ts";

/** The function of the run-time library, which must exist. */
function libraryFunction(l: Lower, name: string): FuncInst | null {
  const decl = l.p.libraryFunction(name);
  if (decl != null) return functionInstance(l.p, decl);
  l.p.diags.error(null, 0, `the run-time library has no function ${name}`);
  return null;
}

/** Call a library function for its effect. */
export function callLibrary(l: Lower, name: string, args: i32[]): void {
  const f = libraryFunction(l, name);
  if (f != null) l.b.call(l.p.use(f), args, returnType(l.p, f).regClass());
}

/** Call a library function for its value. */
export function callLibraryFor(l: Lower, name: string, args: i32[]): i32 {
  const f = libraryFunction(l, name);
  if (f == null) return l.b.constant(T_I32, 0, 0);
  return l.b.call(l.p.use(f), args, returnType(l.p, f).regClass());
}

/** A zeroed record from the program's allocator. */
export function newRecord(l: Lower, size: i32): i32 {
  const args: i32[] = [l.b.constant(T_I32, size, 0)];
  return callLibraryFor(l, "newRecord", args);
}

/** Evaluate arguments, missing ones from their default values, behind the registers that are in `args` already. */
function lowerArguments(l: Lower, given: Expr[], f: FuncInst, skip: i32, args: i32[]): void {
  const count = f.params.length - skip;
  for (let i = 0; i < count; i++) {
    const e = i < given.length ? given[i]! : f.decl.params[i + skip]!.init!;
    args.push(lowerAs(l, e, f.params[i + skip]!));
    if (i + 1 < given.length) settleArgument(l, args, given, i + 1);
  }
}

/** If a later argument may assign the variable that the last one is, pass a copy. */
function settleArgument(l: Lower, args: i32[], given: Expr[], next: i32): void {
  const last = args.length - 1;
  if (l.b.mark(args[last]!) == null) return;
  for (let i = next; i < given.length; i++) {
    if (isQuiet(given[i]!)) continue;
    args[last] = l.b.unary(Op.MOV, l.b.f.vregs[args[last]!]!, l.b.f.vregs[args[last]!]!, args[last]!);
    return;
  }
}

/** Call a constructor on a new record. */
export function lowerInitialCall(l: Lower, ctor: FuncInst, record: i32, given: Expr[]): void {
  const args: i32[] = [record];
  lowerArguments(l, given, ctor, 0, args);
  l.b.call(l.p.use(ctor), args, T_VOID);
}

export function lowerCall(l: Lower, e: CallExpr): i32 {
  switch (e.how) {
    case C_BUILTIN: return lowerBuiltin(l, e);
    case C_VALUE: return lowerValueCall(l, e);
    case C_SUPER: return lowerSuper(l, e);
    default: break;
  }
  const f = e.inst!;
  if (e.how == C_METHOD && f.decl == l.pool.charCodeAt) return lowerCharCode(l, e);
  const args: i32[] = [];
  let skip = 0;
  if (e.how == C_METHOD || e.how == C_VIRTUAL) {
    args.push(lowerExpr(l, e.object!));
    settleArgument(l, args, e.args, 0);
    if (!f.hasThis()) skip = 1;
  }
  lowerArguments(l, e.args, f, skip, args);
  l.setLine(e.pos);
  const ret = returnType(l.p, f).regClass();
  if (e.how != C_VIRTUAL) return l.b.call(l.p.use(f), args, ret);
  const object = new Place();
  object.base = args[0]!;
  const entry = new Place();
  entry.base = l.b.load(object, T_I32, 4, true);
  entry.disp = f.slot * 4;
  return l.b.callValue(l.b.load(entry, T_I32, 4, true), args, ret);
}

/** s.charCodeAt(i) in place: a load when the index is inside, else -1. */
function lowerCharCode(l: Lower, e: CallExpr): i32 {
  const s: i32[] = [lowerExpr(l, e.object!)];
  settleArgument(l, s, e.args, 0);
  const index = lowerAs(l, e.args[0]!, l.p.types.tI32);
  const result = l.b.variable(T_I32);
  const inside = l.b.newBlock();
  const end = l.b.newBlock();
  const place = new Place();
  place.base = s[0]!;
  l.b.assign(result, l.b.constant(T_I32, -1, 0));
  l.b.branch(Cond.ULT, T_I32, index, l.b.load(place, T_I32, 4, true), inside, end);
  l.b.start(inside);
  place.index = index;
  place.disp = 4;
  l.b.assign(result, l.b.load(place, T_I32, 1, false));
  l.b.start(end);
  return result;
}

function lowerValueCall(l: Lower, e: CallExpr): i32 {
  const t = e.callee.type!;
  const params = t.params!;
  const code: i32[] = [lowerExpr(l, e.callee)];
  settleArgument(l, code, e.args, 0);
  const args: i32[] = [];
  for (let i = 0; i < e.args.length; i++) {
    args.push(lowerAs(l, e.args[i]!, params[i]!));
    settleArgument(l, args, e.args, i + 1);
  }
  l.setLine(e.pos);
  return l.b.callValue(code[0]!, args, t.ret!.regClass());
}

function lowerSuper(l: Lower, e: CallExpr): i32 {
  const ctor = e.inst;
  if (ctor != null) lowerInitialCall(l, ctor, l.thisReg, e.args);
  lowerFieldValues(l);
  return -1;
}

// ---- builtins ----

function lowerBuiltin(l: Lower, e: CallExpr): i32 {
  const args = e.args;
  switch (e.builtin) {
    case Builtin.LOAD: return lowerLoad(l, e);
    case Builtin.STORE: return lowerStore(l, e);
    case Builtin.CHANGETYPE: return convert(l, lowerExpr(l, args[0]!), integerView(l, args[0]!.type!), integerView(l, e.type!));
    case Builtin.ADDRESSOF: return l.b.address(addressable(l, args[0]!));
    case Builtin.CODEOF: return lowerExpr(l, args[0]!);
    case Builtin.FREE: return lowerFree(l, args[0]!);
    case Builtin.F64BITS: return l.b.unary(Op.F2BITS, T_I64, T_I64, lowerAs(l, args[0]!, l.p.types.tF64));
    case Builtin.F64FROMBITS: return l.b.unary(Op.BITS2F, T_F64, T_F64, lowerAs(l, args[0]!, l.p.types.tU64));
    case Builtin.SQRT: return l.b.unary(Op.SQRT, T_F64, T_F64, lowerAs(l, args[0]!, l.p.types.tF64));
    case Builtin.LINKER_SYMBOL: return l.b.symbolAddress((args[0]! as TextExpr).text);
    case Builtin.INIT: {
      const none: i32[] = [];
      l.pool.usesInit = true;
      return l.b.call("__init", none, T_VOID);
    }
    case Builtin.MEMORY_COPY: return lowerMemory(l, e, Op.COPY);
    case Builtin.MEMORY_FILL: return lowerMemory(l, e, Op.FILL);
    case Builtin.IMUL: return lowerImul(l, e);
    default: return -1;
  }
}

/** References as u32, so that changetype converts only between integer widths. */
function integerView(l: Lower, t: Type): Type {
  return t.isIntegral() ? t : l.p.types.tU32;
}

/** `address + offset` as a place. */
function accessPlace(l: Lower, address: Expr, offset: Expr | null): Place {
  const place = new Place();
  place.volatile = true;
  addTerm(l, place, address);
  if (offset != null) {
    steady(l, place, offset);
    addTerm(l, place, offset);
  }
  return place;
}

/** Add an address term: constants to the displacement, registers as base and index. */
function addTerm(l: Lower, place: Place, e: Expr): void {
  if (e.konst == K_INT) {
    place.disp = (place.disp + e.lo) | 0;
    return;
  }
  const v = lowerAs(l, e, l.p.types.tU32);
  if (place.base < 0) place.base = v;
  else place.index = v;
}

function lowerLoad(l: Lower, e: CallExpr): i32 {
  const t = e.typeArg!;
  const place = accessPlace(l, e.args[0]!, e.args.length > 1 ? e.args[1]! : null);
  return l.b.load(place, t.regClass(), t.size, t.isSigned());
}

function lowerStore(l: Lower, e: CallExpr): i32 {
  const t = e.typeArg!;
  const value = e.args[1]!;
  const place = accessPlace(l, e.args[0]!, e.args.length > 2 ? e.args[2]! : null);
  steady(l, place, value);
  storeTo(l, place, t, value);
  return -1;
}

function addressable(l: Lower, e: Expr): Place {
  const place = lowerPlace(l, e);
  if (place.vreg >= 0) l.p.diags.error(l.module.file, e.pos, "a local variable has no address");
  return place;
}

/** Arrays and maps return what they own first. */
function lowerFree(l: Lower, e: Expr): i32 {
  const t = e.type!;
  const v: i32[] = [lowerExpr(l, e)];
  if (t.kind == Kind.STRING) {
    callLibrary(l, "stringFree", v);
    return -1;
  }
  const cls = t.cls;
  const skip = l.b.newBlock();
  const work = l.b.newBlock();
  l.b.branchImm(Cond.NE, T_I32, v[0]!, 0, 0, work, skip);
  l.b.start(work);
  if (cls != null && (cls.decl == l.p.arrayDecl || cls.decl == l.p.mapDecl)) {
    const release = findMethod(cls.decl, l.p.known.release);
    const own: i32[] = [v[0]!];
    if (release != null) l.b.call(l.p.use(methodInstance(l.p, cls, release)), own, T_VOID);
  }
  callLibrary(l, "freeRecord", v);
  l.b.start(skip);
  return -1;
}

function lowerMemory(l: Lower, e: CallExpr, op: i32): i32 {
  const args: i32[] = [];
  for (let i = 0; i < 3; i++) {
    args.push(lowerAs(l, e.args[i]!, op == Op.FILL && i == 1 ? l.p.types.tU8 : l.p.types.tU32));
    settleArgument(l, args, e.args, i + 1);
  }
  l.b.emit(op, T_I32).args = args;
  return -1;
}

function lowerImul(l: Lower, e: CallExpr): i32 {
  const a: i32[] = [lowerExpr(l, e.args[0]!)];
  const right = e.args[1]!;
  if (right.konst == K_INT) return l.b.binaryImm(Op.MUL, T_I32, a[0]!, right.lo, right.hi);
  settleArgument(l, a, e.args, 1);
  return l.b.binary(Op.MUL, T_I32, a[0]!, lowerExpr(l, right));
}
