// Calls: which function is meant, its type arguments, its arguments. Also the builtin functions.

import {
  C_BUILTIN, C_DIRECT, C_METHOD, C_SUPER, C_VALUE, C_VIRTUAL, De, Ex, K_INT, K_NONE, M_FIELD, Ty,
} from "./ast.ts";
import type { CallExpr, ClassDecl, Decl, Expr, FuncDecl, IndexExpr, MemberExpr, NameExpr, TextExpr, TypeNode } from "./ast.ts";
import { Builtin, memberBuiltin } from "./builtins.ts";
import { Checker } from "./check.ts";
import { checkAssign, checkExpr, checkLoose, namedSpace, resolveValue, staticMethod } from "./checkexpr.ts";
import { setConverted, setInt } from "./fold.ts";
import { findMethod } from "./program.ts";
import {
  baseOf, constructorOf, functionInstance, genericInstance, layout, lookupMethod, methodInstance, resolveType, returnType,
  sizeOf,
} from "./resolve.ts";
import { Kind } from "./types.ts";
import type { ClassInfo, FuncInst, Type } from "./types.ts";

/** Check a call and find out how it is made. */
export function checkCall(c: Checker, e: CallExpr, want: Type | null): Type {
  e.how = 0;
  e.inst = null;
  e.object = null;
  const callee = e.callee;
  if (callee.kind == Ex.NAME) return callName(c, e, callee as NameExpr, want);
  if (callee.kind == Ex.MEMBER) return callMember(c, e, callee as MemberExpr, want);
  if (callee.kind == Ex.SUPER) return callSuper(c, e);
  return callValue(c, e);
}

function callName(c: Checker, e: CallExpr, callee: NameExpr, want: Type | null): Type {
  const d = resolveValue(c, callee);
  if (d == null) {
    const builtin = c.p.builtins.find(callee.name);
    if (builtin != Builtin.NONE) return callBuiltin(c, e, builtin, want);
    c.error(callee.pos, `'${c.p.names.text(callee.name)}' is not declared`);
    return checkLoose(c, e.args, c.p.types.tError);
  }
  if (d.kind == De.FUNC) return callFunction(c, e, d as FuncDecl, null);
  return callValue(c, e);
}

function callValue(c: Checker, e: CallExpr): Type {
  const t = checkExpr(c, e.callee, null);
  if (t.kind == Kind.ERROR) return checkLoose(c, e.args, t);
  if (t.kind != Kind.FUNC) return c.error(e.pos, `${t.name} is not a function`);
  e.how = C_VALUE;
  const params = t.params!;
  if (e.args.length != params.length) c.error(e.pos, `${params.length} arguments are expected, not ${e.args.length}`);
  for (let i = 0; i < e.args.length && i < params.length; i++) checkAssign(c, e.args[i]!, params[i]!);
  return t.ret!;
}

/** A call of a declared function, or a method of `cls`. */
function callFunction(c: Checker, e: CallExpr, decl: FuncDecl, cls: ClassInfo | null): Type {
  const f = instanceFor(c, e, decl, cls);
  if (f == null) return checkLoose(c, e.args, c.p.types.tError);
  e.how = C_DIRECT;
  e.inst = f;
  checkArguments(c, e.args, f, e.pos);
  return returnType(c.p, f);
}

function instanceFor(c: Checker, e: CallExpr, decl: FuncDecl, cls: ClassInfo | null): FuncInst | null {
  const params = decl.typeParams;
  const given = e.typeArgs;
  if (params == null) {
    if (given != null) c.error(e.pos, "this function has no type parameters");
    return cls == null ? functionInstance(c.p, decl) : methodInstance(c.p, cls, decl);
  }
  const args: Type[] = [];
  if (given == null) {
    if (!inferTypeArgs(c, e, decl, args)) return null;
  } else {
    if (given.length != params.length) {
      c.error(e.pos, `${params.length} type arguments are expected, not ${given.length}`);
      return null;
    }
    for (const node of given) args.push(resolveType(c.p, c.scope, node));
  }
  for (const t of args) {
    if (t.kind == Kind.ERROR) return null;
  }
  return genericInstance(c.p, decl, args, cls);
}

/** Check arguments against parameters; missing ones need constant default values. */
export function checkArguments(c: Checker, args: Expr[], f: FuncInst, pos: i32): void {
  const count = f.params.length;
  if (args.length > count) c.error(args[count]!.pos, `at most ${count} arguments are expected`);
  for (let i = 0; i < args.length; i++) {
    if (i < count) checkAssign(c, args[i]!, f.params[i]!);
    else checkExpr(c, args[i]!, null);
  }
  for (let i = args.length; i < count; i++) {
    const init = f.decl.params[i]!.init;
    if (init == null) {
      c.error(pos, `the argument '${c.p.names.text(f.decl.params[i]!.name)}' is missing`);
      return;
    }
    const outside = new Checker(c.p, f.decl.module!, f.env, null);
    checkAssign(outside, init, f.params[i]!);
    if (init.konst == K_NONE && init.kind != Ex.NULL) outside.error(init.pos, "a default value is a constant");
  }
}

// ---- type arguments from arguments ----

function inferTypeArgs(c: Checker, e: CallExpr, decl: FuncDecl, result: Type[]): bool {
  const names = decl.typeParams!;
  const found: (Type | null)[] = [];
  for (let i = 0; i < names.length; i++) found.push(null);
  for (let i = 0; i < e.args.length && i < decl.params.length; i++) {
    const node = decl.params[i]!.typeNode;
    const arg = e.args[i]!;
    if (node == null || arg.kind == Ex.FUNC || arg.kind == Ex.NULL) continue;
    matchType(c, node, checkExpr(c, arg, null), names, found);
  }
  for (let i = 0; i < names.length; i++) {
    const t = found[i]!;
    if (t == null) {
      c.error(e.pos, `the type argument '${c.p.names.text(names[i]!)}' can't be inferred; write it`);
      return false;
    }
    result.push(t);
  }
  return true;
}

/** Compare a parameter's written type with an argument's type, to learn what type parameters stand for. */
function matchType(c: Checker, node: TypeNode, t: Type, names: i32[], found: (Type | null)[]): void {
  const args = node.args;
  if (node.kind == Ty.NAME && args == null) {
    const at = names.indexOf(node.name);
    if (at >= 0 && found[at] == null && t.kind != Kind.NULL && t.kind != Kind.ERROR) found[at] = t;
  } else if (node.kind == Ty.ARRAY) {
    if (c.p.isArray(t)) matchType(c, args![0]!, t.cls!.args[0]!, names, found);
  } else if (node.kind == Ty.FUNC) {
    if (t.kind == Kind.FUNC) matchFunction(c, args!, t, names, found);
  } else if (args != null && (t.kind == Kind.PTR || t.kind == Kind.FIXED || t.kind == Kind.EMBED)) {
    matchType(c, args[0]!, t.elem!, names, found);
  } else if (args != null && t.cls != null) {
    const cls = t.cls!;
    for (let i = 0; i < args.length && i < cls.args.length; i++) matchType(c, args[i]!, cls.args[i]!, names, found);
  }
}

function matchFunction(c: Checker, parts: TypeNode[], t: Type, names: i32[], found: (Type | null)[]): void {
  const params = t.params!;
  for (let i = 0; i + 1 < parts.length && i < params.length; i++) matchType(c, parts[i]!, params[i]!, names, found);
  matchType(c, parts[parts.length - 1]!, t.ret!, names, found);
}

// ---- members ----

function callMember(c: Checker, e: CallExpr, callee: MemberExpr, want: Type | null): Type {
  const space = namedSpace(c, callee.object);
  if (space != null) return callSpaceMember(c, e, callee, space);
  if (callee.object.kind == Ex.SUPER) return callSuperMethod(c, e, callee);
  if (callee.object.kind == Ex.NAME) {
    const name = (callee.object as NameExpr).name;
    const known = c.p.known;
    const isSpace = name == known.math || name == known.memory || name == known.string;
    if (isSpace && resolveValue(c, callee.object as NameExpr) == null) return callLibrary(c, e, callee, name, want);
  }
  const t = checkExpr(c, callee.object, null);
  if (t.kind == Kind.ERROR) return checkLoose(c, e.args, t);
  const cls = t.cls;
  if (cls != null) return callMethod(c, e, callee, cls);
  if (t.kind == Kind.STRING) return callStringMethod(c, e, callee);
  return c.error(callee.pos, `${t.name} has no method '${c.p.names.text(callee.name)}'`);
}

function callSpaceMember(c: Checker, e: CallExpr, callee: MemberExpr, space: Decl): Type {
  if (space.kind == De.CLASS) {
    let d: ClassDecl | null = space as ClassDecl;
    while (d != null) {
      const f = findMethod(d, callee.name);
      if (f != null && f.isStatic) {
        if (f.typeParams != null) return callFunction(c, e, f, null);
        e.how = C_DIRECT;
        const inst = staticMethod(c, d, f);
        e.inst = inst;
        checkArguments(c, e.args, inst, e.pos);
        return returnType(c.p, inst);
      }
      d = d.baseDecl;
    }
    return callValue(c, e);
  }
  const m = c.p.namespaceOf(space);
  const d = m == null ? null : c.p.member(m, callee.name);
  if (d != null && d.kind == De.FUNC) return callFunction(c, e, d as FuncDecl, null);
  return callValue(c, e);
}

function callMethod(c: Checker, e: CallExpr, callee: MemberExpr, cls: ClassInfo): Type {
  layout(c.p, cls);
  const owner = lookupMethod(c.p, cls, callee.name);
  if (owner == null) {
    if (cls.findField(callee.name) != null) return callValue(c, e);
    c.error(callee.pos, `${cls.name} has no method '${c.p.names.text(callee.name)}'`);
    return checkLoose(c, e.args, c.p.types.tError);
  }
  const decl = findMethod(owner.decl, callee.name)!;
  if (decl.isStatic) return c.error(callee.pos, "a static method is called on its class");
  const t = callFunction(c, e, decl, owner);
  if (e.how != C_DIRECT) return t;
  e.object = callee.object;
  e.how = decl.isOverridden ? C_VIRTUAL : C_METHOD;
  return t;
}

/** `super.method(...)`: the base class's own version. */
function callSuperMethod(c: Checker, e: CallExpr, callee: MemberExpr): Type {
  const cls = c.thisClass();
  const base = cls == null ? null : baseOf(c.p, cls);
  const owner = base == null ? null : lookupMethod(c.p, base, callee.name);
  if (owner == null) return c.error(callee.pos, `there is no inherited method '${c.p.names.text(callee.name)}'`);
  const t = callFunction(c, e, findMethod(owner.decl, callee.name)!, owner);
  callee.object.type = cls!.type;
  e.object = callee.object;
  if (e.how == C_DIRECT) e.how = C_METHOD;
  return t;
}

/** `super(...)` in a constructor. */
function callSuper(c: Checker, e: CallExpr): Type {
  const cls = c.thisClass();
  const base = cls == null ? null : baseOf(c.p, cls);
  if (base == null || !c.fn!.decl.isCtor) return c.error(e.pos, "super(...) is for constructors of derived classes");
  layout(c.p, base);
  const ctor = constructorOf(c.p, base);
  e.how = C_SUPER;
  e.inst = ctor;
  if (ctor != null) checkArguments(c, e.args, ctor, e.pos);
  else if (e.args.length > 0) c.error(e.pos, `the constructor of ${base.name} takes no arguments`);
  return c.p.types.tVoid;
}

/** A method of string is the function of lib/string.ts called stringMethod. */
function callStringMethod(c: Checker, e: CallExpr, callee: MemberExpr): Type {
  const name = c.p.names.text(callee.name);
  const first = String.fromCharCode(name.charCodeAt(0) - 32);
  const decl = c.p.stringFunction("string" + first + name.substring(1, name.length));
  if (decl == null) {
    c.error(callee.pos, `string has no method '${name}'`);
    return checkLoose(c, e.args, c.p.types.tError);
  }
  const f = functionInstance(c.p, decl);
  e.how = C_METHOD;
  e.object = callee.object;
  e.inst = f;
  const count = f.params.length - 1;
  if (e.args.length > count) c.error(e.pos, `at most ${count} arguments are expected`);
  for (let i = 0; i < e.args.length && i < count; i++) checkAssign(c, e.args[i]!, f.params[i + 1]!);
  for (let i = e.args.length; i < count; i++) {
    const init = decl.params[i + 1]!.init;
    if (init == null) return c.error(e.pos, "an argument is missing");
    checkAssign(new Checker(c.p, decl.module!, null, null), init, f.params[i + 1]!);
  }
  return returnType(c.p, f);
}

function callLibrary(c: Checker, e: CallExpr, callee: MemberExpr, space: i32, want: Type | null): Type {
  const name = c.p.names.text(callee.name);
  if (space != c.p.known.string) {
    const builtin = memberBuiltin(c.p.names.text(space), name);
    if (builtin != Builtin.NONE) return callBuiltin(c, e, builtin, want);
  } else if (name == "fromCharCode") {
    const decl = c.p.stringFunction("stringFromCharCode");
    if (decl != null) return callFunction(c, e, decl, null);
  }
  return c.error(callee.pos, `there is no ${c.p.names.text(space)}.${name}`);
}

// ---- builtins ----

function callBuiltin(c: Checker, e: CallExpr, builtin: i32, want: Type | null): Type {
  const types = c.p.types;
  e.how = C_BUILTIN;
  e.builtin = builtin;
  const count = e.args.length;
  const given = e.typeArgs;
  const least = leastArguments(builtin);
  const most = builtin == Builtin.LOAD || builtin == Builtin.STORE ? least + 1 : least;
  if (count < least || count > most) {
    checkLoose(c, e.args, types.tError);
    return c.error(e.pos, least == most ? `${least} arguments are expected` : `${least} or ${most} arguments are expected`);
  }
  const needsType = builtin <= Builtin.OFFSETOF || builtin == Builtin.IS_STRING;
  let t = types.tError;
  if (given != null && given.length == 1) t = resolveType(c.p, c.scope, given[0]!);
  else if (builtin == Builtin.STORE && given == null) t = checkExpr(c, e.args[1]!, null);
  else if (needsType) return checkLoose(c, e.args, c.error(e.pos, "a type argument is expected: name<Type>(...)"));
  e.typeArg = t;
  if (needsType && t.kind == Kind.ERROR) return checkLoose(c, e.args, t);
  switch (builtin) {
    case Builtin.LOAD: case Builtin.STORE: return callAccess(c, e, t);
    case Builtin.CHANGETYPE: return callChangetype(c, e, t);
    case Builtin.SIZEOF:
      setInt(e, sizeOf(c.p, t.kind == Kind.CLASS ? c.p.types.embed(t) : t), 0);
      return types.tU32;
    case Builtin.OFFSETOF: return callOffsetof(c, e, t);
    case Builtin.IS_STRING:
      setInt(e, t.kind == Kind.STRING ? 1 : 0, 0);
      return types.tBool;
    default: return callPlainBuiltin(c, e, builtin, want);
  }
}

function leastArguments(builtin: i32): i32 {
  switch (builtin) {
    case Builtin.SIZEOF: case Builtin.INIT: case Builtin.NAKED: case Builtin.IS_STRING: return 0;
    case Builtin.STORE: case Builtin.IMUL: return 2;
    case Builtin.MEMORY_COPY: case Builtin.MEMORY_FILL: case Builtin.MEMORY_COMPARE: return 3;
    default: return 1;
  }
}

function callAccess(c: Checker, e: CallExpr, t: Type): Type {
  if (t.isInPlace() || t.kind == Kind.VOID) return c.error(e.pos, `a ${t.name} can't be loaded or stored`);
  checkAssign(c, e.args[0]!, c.p.types.tU32);
  let offset = 1;
  if (e.builtin == Builtin.STORE) {
    checkAssign(c, e.args[1]!, t);
    offset = 2;
  }
  if (e.args.length > offset) checkAssign(c, e.args[offset]!, c.p.types.tU32);
  return e.builtin == Builtin.STORE ? c.p.types.tVoid : t;
}

function callChangetype(c: Checker, e: CallExpr, t: Type): Type {
  const arg = e.args[0]!;
  const from = checkExpr(c, arg, t.kind == Kind.FUNC ? t : null);
  if (from.kind == Kind.ERROR) return t;
  const small = from.isIntegral() && !from.isWide();
  if (!small && !from.isReference() && from.kind != Kind.FIXED) return c.error(arg.pos, `${from.name} is not a 32-bit value`);
  if (t.isWide() || t.kind == Kind.F64 || t.isInPlace()) return c.error(e.pos, `${t.name} is not a 32-bit type`);
  if (arg.konst == K_INT && t.isIntegral()) setConverted(e, arg.lo, arg.hi, from, t);
  return t;
}

function callOffsetof(c: Checker, e: CallExpr, t: Type): Type {
  const arg = e.args[0]!;
  const cls = t.cls;
  if (cls == null || arg.kind != Ex.STRING) return c.error(e.pos, "offsetof<Class>(\"field\") is expected");
  const name = (arg as TextExpr).text;
  const field = layout(c.p, cls).findField(c.p.names.get(name));
  if (field == null) return c.error(arg.pos, `${cls.name} has no field '${name}'`);
  setInt(e, field.offset, 0);
  return c.p.types.tU32;
}

function callPlainBuiltin(c: Checker, e: CallExpr, builtin: i32, want: Type | null): Type {
  const types = c.p.types;
  switch (builtin) {
    case Builtin.ADDRESSOF: {
      const t = checkExpr(c, e.args[0]!, null);
      if (t.kind != Kind.ERROR && !hasAddress(e.args[0]!)) c.error(e.args[0]!.pos, "this has no address");
      return types.tU32;
    }
    case Builtin.CODEOF: {
      const t = checkExpr(c, e.args[0]!, null);
      if (t.kind != Kind.FUNC && t.kind != Kind.ERROR) c.error(e.args[0]!.pos, "codeof takes a function");
      return types.tU32;
    }
    case Builtin.FREE: {
      const t = checkExpr(c, e.args[0]!, null);
      if (!t.isReference() && t.kind != Kind.ERROR) c.error(e.args[0]!.pos, `${t.name} is not a reference`);
      return types.tVoid;
    }
    case Builtin.F64BITS: return fixedArgument(c, e, types.tF64, types.tU64);
    case Builtin.F64FROMBITS: return fixedArgument(c, e, types.tU64, types.tF64);
    case Builtin.SQRT: return fixedArgument(c, e, types.tF64, types.tF64);
    case Builtin.LINKER_SYMBOL:
      checkExpr(c, e.args[0]!, null);
      if (e.args[0]!.kind != Ex.STRING) c.error(e.args[0]!.pos, "a string literal is expected");
      return types.tU32;
    case Builtin.MEMORY_COPY: case Builtin.MEMORY_FILL: case Builtin.MEMORY_COMPARE: return callMemory(c, e);
    case Builtin.IMUL: return callImul(c, e, want);
    default: return types.tVoid;
  }
}

function fixedArgument(c: Checker, e: CallExpr, param: Type, result: Type): Type {
  checkAssign(c, e.args[0]!, param);
  return result;
}

function callMemory(c: Checker, e: CallExpr): Type {
  const types = c.p.types;
  const fills = e.builtin == Builtin.MEMORY_FILL;
  checkAssign(c, e.args[0]!, types.tU32);
  checkAssign(c, e.args[1]!, fills ? types.tU8 : types.tU32);
  checkAssign(c, e.args[2]!, types.tU32);
  if (e.builtin != Builtin.MEMORY_COMPARE) return types.tVoid;
  const decl = c.p.stringFunction("memoryCompare");
  if (decl == null) return c.error(e.pos, "the run-time library has no memoryCompare");
  e.how = C_DIRECT;
  e.inst = functionInstance(c.p, decl);
  return types.tI32;
}

/** Math.imul multiplies 32-bit patterns; the result is u32 when an operand or the context is. */
function callImul(c: Checker, e: CallExpr, want: Type | null): Type {
  const a = checkExpr(c, e.args[0]!, null);
  const b = checkExpr(c, e.args[1]!, null);
  if (!a.isInteger() || !b.isInteger() || a.isWide() || b.isWide()) return c.error(e.pos, "Math.imul takes 32-bit integers");
  const unsigned = isU32(a, e.args[0]!) || isU32(b, e.args[1]!);
  const wantsUnsigned = want != null && want.kind == Kind.U32;
  return unsigned || (wantsUnsigned && !a.isSigned() && !b.isSigned()) ? c.p.types.tU32 : c.p.types.tI32;
}

function isU32(t: Type, e: Expr): bool {
  return t.kind == Kind.U32 && e.konst == K_NONE;
}

/** Is this a place in memory: a global, a field, an element behind a pointer? */
function hasAddress(e: Expr): bool {
  if (e.kind == Ex.NAME) {
    const d = (e as NameExpr).decl;
    return d != null && d.kind == De.VAR;
  }
  if (e.kind == Ex.MEMBER) return (e as MemberExpr).meaning >= M_FIELD && (e as MemberExpr).meaning <= M_FIELD + 1;
  if (e.kind != Ex.INDEX) return false;
  const t = (e as IndexExpr).object.type!;
  return t.kind == Kind.PTR || t.kind == Kind.FIXED || t.kind == Kind.CLASS;
}
