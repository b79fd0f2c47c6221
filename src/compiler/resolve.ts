// From written types to types, from classes to record layouts, from declarations to signatures. Layout is C's on i386:
// fields in order at their natural alignment, 64-bit ones at 4; a base class comes first; the vtable pointer, if the
// hierarchy has overridden methods, is the first word of the root.

import { De, Ex, FuncDecl, Ty, K_INT } from "./ast.ts";
import type { AliasDecl, ClassDecl, Decl, Expr, FieldDecl, TextExpr, TypeNode, VarDecl } from "./ast.ts";
import { constantOf, inferReturn, typeOfInitialiser } from "./check.ts";
import type { Program } from "./program.ts";
import { findMethod } from "./program.ts";
import { Field, FuncInst, Kind, LAYOUT_BUSY, LAYOUT_DONE, sameTypes, TypeEnv, TypeScope } from "./types.ts";
import type { ClassInfo, Type } from "./types.ts";

/** The type that a node means in a scope; the error type after a diagnostic. */
export function resolveType(p: Program, scope: TypeScope, node: TypeNode): Type {
  const known = node.cached;
  if (known != null) return known;
  const before = scope.usedEnv;
  scope.usedEnv = false;
  const type = resolveNew(p, scope, node);
  if (!scope.usedEnv) node.cached = type;
  else node.cached = null;
  scope.usedEnv = scope.usedEnv || before;
  return type;
}

function resolveNew(p: Program, scope: TypeScope, node: TypeNode): Type {
  switch (node.kind) {
    case Ty.ARRAY: return p.arrayOf(storable(p, scope, node.args![0]!));
    case Ty.FUNC: return resolveFuncType(p, scope, node);
    case Ty.NAME: return resolveName(p, scope, node);
    case Ty.BAD: return p.types.tError;
    default: return typeError(p, scope, node, "this can only be the length of a FixedArray");
  }
}

function typeError(p: Program, scope: TypeScope, node: TypeNode, text: string): Type {
  p.diags.error(scope.module.file, node.pos, text);
  return p.types.tError;
}

function resolveFuncType(p: Program, scope: TypeScope, node: TypeNode): Type {
  const args = node.args!;
  const params: Type[] = [];
  for (let i = 0; i + 1 < args.length; i++) params.push(resolveType(p, scope, args[i]!));
  return p.types.func(params, resolveType(p, scope, args[args.length - 1]!));
}

/** A type that values in arrays and behind pointers can have. */
function storable(p: Program, scope: TypeScope, node: TypeNode): Type {
  const t = resolveType(p, scope, node);
  if (t.kind == Kind.VOID) return typeError(p, scope, node, "void has no values");
  return t;
}

function resolveName(p: Program, scope: TypeScope, node: TypeNode): Type {
  const param = findParam(scope, node.name);
  if (param != null) return param;
  const d = node.qualifier >= 0 ? qualified(p, scope, node) : p.lookup(scope.module, node.name);
  if (d != null) return resolveDecl(p, scope, node, d);
  const text = p.names.text(node.name);
  const simple = builtinType(p, text);
  if (simple != null) return simple;
  return resolveGeneric(p, scope, node, text);
}

function findParam(scope: TypeScope, name: i32): Type | null {
  let env = scope.env;
  while (env != null) {
    for (let i = 0; i < env.names.length; i++) {
      if (env.names[i]! == name) {
        scope.usedEnv = true;
        return env.types[i]!;
      }
    }
    env = env.outer;
  }
  return null;
}

function qualified(p: Program, scope: TypeScope, node: TypeNode): Decl | null {
  const space = p.lookup(scope.module, node.qualifier);
  const m = space == null ? null : p.namespaceOf(space);
  return m == null ? null : p.member(m, node.name);
}

function resolveDecl(p: Program, scope: TypeScope, node: TypeNode, d: Decl): Type {
  switch (d.kind) {
    case De.ENUM: return p.types.tI32;
    case De.ALIAS: return resolveAlias(p, scope, node, d as AliasDecl);
    case De.CLASS: return resolveClass(p, scope, node, d as ClassDecl);
    default: return typeError(p, scope, node, `'${p.names.text(node.name)}' is not a type`);
  }
}

function resolveAlias(p: Program, scope: TypeScope, node: TypeNode, alias: AliasDecl): Type {
  if (alias.busy) return typeError(p, scope, node, "this alias is defined by itself");
  alias.busy = true;
  const type = resolveType(p, new TypeScope(alias.module!, null), alias.typeNode);
  alias.busy = false;
  return type;
}

function resolveClass(p: Program, scope: TypeScope, node: TypeNode, d: ClassDecl): Type {
  const params = d.typeParams;
  const wanted = params == null ? 0 : params.length;
  const given = node.args;
  const count = given == null ? 0 : given.length;
  if (wanted != count) return typeError(p, scope, node, `'${p.names.text(d.name)}' takes ${wanted} type arguments`);
  const args: Type[] = [];
  if (given != null) {
    for (const a of given) args.push(storable(p, scope, a));
  }
  return p.classInfo(d, args).type;
}

function builtinType(p: Program, text: string): Type | null {
  const t = p.types;
  switch (text) {
    case "i32": return t.tI32;
    case "u32": case "usize": return t.tU32;
    case "u8": return t.tU8;
    case "bool": case "boolean": return t.tBool;
    case "string": return t.tString;
    case "void": return t.tVoid;
    case "u16": return t.tU16;
    case "i64": return t.tI64;
    case "u64": return t.tU64;
    case "i8": return t.tI8;
    case "i16": return t.tI16;
    case "f64": return t.tF64;
    case "null": return t.tNull;
    case "ByteArray": return p.arrayOf(t.tU8);
    default: return null;
  }
}

function resolveGeneric(p: Program, scope: TypeScope, node: TypeNode, text: string): Type {
  const args = node.args;
  const count = args == null ? 0 : args.length;
  if (text == "Ptr" && count == 1) return p.types.ptr(storable(p, scope, args![0]!));
  if ((text == "Array" || text == "ReadonlyArray") && count == 1) return p.arrayOf(storable(p, scope, args![0]!));
  if (text == "Embed" && count == 1) return resolveEmbed(p, scope, args![0]!);
  if (text == "FixedArray" && count == 2) return resolveFixed(p, scope, node);
  if (text == "Map" && count == 2) return resolveClass(p, scope, node, p.mapDecl!);
  if (text == "number") return typeError(p, scope, node, "'number' has no width here; use i32, u32, i64 or f64");
  return typeError(p, scope, node, `there is no type '${text}'` + (count > 0 ? " with these arguments" : ""));
}

function resolveEmbed(p: Program, scope: TypeScope, node: TypeNode): Type {
  const t = resolveType(p, scope, node);
  if (t.kind == Kind.ERROR) return t;
  if (t.kind != Kind.CLASS) return typeError(p, scope, node, "only records of classes can be embedded");
  return p.types.embed(t);
}

function resolveFixed(p: Program, scope: TypeScope, node: TypeNode): Type {
  const elem = storable(p, scope, node.args![0]!);
  const length = node.args![1]!;
  let count = -1;
  if (length.kind == Ty.NUMBER) count = length.value;
  else if (length.kind == Ty.TYPEOF) count = constantLength(p, scope, length);
  if (count < 0) return typeError(p, scope, length, "the length is a literal or typeof an integer constant");
  return p.types.fixed(elem, count);
}

function constantLength(p: Program, scope: TypeScope, node: TypeNode): i32 {
  const d = p.lookup(scope.module, node.name);
  if (d == null || d.kind != De.VAR) return -1;
  const v = d as VarDecl;
  constantOf(p, v);
  return v.konst == K_INT && v.hi == 0 ? v.lo : -1;
}

// ---- layout ----

/** Size in bytes of a value of a type as a field or element. */
export function sizeOf(p: Program, t: Type): i32 {
  if (t.kind == Kind.EMBED) return layout(p, t.elem!.cls!).size;
  if (t.kind == Kind.FIXED) return Math.imul(sizeOf(p, t.elem!), t.count);
  return t.size;
}

export function alignOf(p: Program, t: Type): i32 {
  if (t.kind == Kind.EMBED) return layout(p, t.elem!.cls!).align;
  if (t.kind == Kind.FIXED) return alignOf(p, t.elem!);
  return t.align;
}

function roundUp(n: i32, align: i32): i32 {
  return (n + align - 1) & -align;
}

function fieldType(p: Program, scope: TypeScope, f: FieldDecl): Type {
  const node = f.typeNode;
  if (node != null) return storable(p, scope, node);
  const init = f.init;
  if (init != null) return typeOfInitialiser(p, scope.module, scope.env, init);
  p.diags.error(scope.module.file, f.pos, "a field needs a type or an initial value");
  return p.types.tError;
}

/** Give a class its base and its fields their offsets. */
export function layout(p: Program, c: ClassInfo): ClassInfo {
  if (c.layoutState == LAYOUT_DONE) return c;
  const module = c.decl.module!;
  if (c.layoutState == LAYOUT_BUSY) {
    p.diags.error(module.file, c.decl.pos, `'${c.name}' contains itself`);
    return c;
  }
  c.layoutState = LAYOUT_BUSY;
  const scope = new TypeScope(module, c.env);
  let size = 0;
  let align = 1;
  const base = baseOf(p, c);
  if (base != null) {
    size = layout(p, base).size;
    align = base.align;
  } else if (p.hasVtable(c)) {
    size = 4;
    align = 4;
  }
  for (const f of c.decl.fields) {
    const t = fieldType(p, scope, f);
    const a = alignOf(p, t);
    if (a > align) align = a;
    size = roundUp(size, a);
    if (c.findField(f.name) != null) p.diags.error(module.file, f.pos, `the field '${p.names.text(f.name)}' exists already`);
    c.fields.push(new Field(f, t, size));
    size += sizeOf(p, t);
  }
  c.size = roundUp(size, align);
  c.align = align;
  c.layoutState = LAYOUT_DONE;
  return c;
}

/** The base class of an instance, or null. */
export function baseOf(p: Program, c: ClassInfo): ClassInfo | null {
  const node = c.decl.base;
  if (node == null || c.base != null) return c.base;
  const t = resolveType(p, new TypeScope(c.decl.module!, c.env), node);
  c.base = t.cls;
  return c.base;
}

// ---- functions ----

/** An instance with its parameter types; the result type follows when it is asked for. */
export function makeInstance(p: Program, decl: FuncDecl, env: TypeEnv | null, cls: ClassInfo | null): FuncInst {
  const f = new FuncInst(decl, env, cls);
  const scope = new TypeScope(decl.module!, env);
  for (const param of decl.params) {
    const node = param.typeNode;
    const init = param.init;
    if (node != null) f.params.push(storable(p, scope, node));
    else if (init != null) f.params.push(typeOfInitialiser(p, scope.module, env, init));
    else {
      p.diags.error(scope.module.file, param.pos, "this parameter needs a type");
      f.params.push(p.types.tError);
    }
  }
  const ret = decl.ret;
  if (ret != null) f.ret = resolveType(p, scope, ret);
  if (decl.isCtor || decl.isAbstract && ret == null) f.ret = p.types.tVoid;
  return f;
}

/** The instance of a function that is not generic. */
export function functionInstance(p: Program, decl: FuncDecl): FuncInst {
  const known = decl.inst;
  if (known != null) return known;
  const f = makeInstance(p, decl, null, null);
  decl.inst = f;
  return f;
}

/** The instance of a generic function or method for type arguments; `outer` is the environment of its class. */
export function genericInstance(p: Program, decl: FuncDecl, args: Type[], cls: ClassInfo | null): FuncInst {
  let list = decl.instances;
  if (list == null) {
    list = [];
    decl.instances = list;
  }
  for (const f of list) {
    if (f.cls == cls && sameTypes(f.typeArgs!, args)) return f;
  }
  const env = new TypeEnv(decl.typeParams!, args, cls == null ? null : cls.env);
  const f = makeInstance(p, decl, env, cls);
  f.typeArgs = args;
  list.push(f);
  return f;
}

/** The instance of a method (or static method, or constructor) that a class itself declares. */
export function methodInstance(p: Program, c: ClassInfo, decl: FuncDecl): FuncInst {
  for (const f of c.methods) {
    if (f.decl == decl) return f;
  }
  const f = makeInstance(p, decl, c.env, c);
  c.methods.push(f);
  if (decl.isOverridden) f.slot = slotOf(p, c, decl);
  return f;
}

/** Result type, inferred from the body when none is written. */
export function returnType(p: Program, f: FuncInst): Type {
  const known = f.ret;
  if (known != null) return known;
  const ret = inferReturn(p, f);
  f.ret = ret;
  return ret;
}

/** The type of a function as a value. */
export function valueType(p: Program, f: FuncInst): Type {
  const known = f.type;
  if (known != null) return known;
  const t = p.types.func(f.params, returnType(p, f));
  f.type = t;
  return t;
}

/** The class in the chain of bases that declares a method, with its declaration in `.decl`; null when none does. */
export function lookupMethod(p: Program, start: ClassInfo, name: i32): ClassInfo | null {
  let c: ClassInfo | null = start;
  while (c != null) {
    if (findMethod(c.decl, name) != null) return c;
    c = baseOf(p, c);
  }
  return null;
}

function slotOf(p: Program, c: ClassInfo, decl: FuncDecl): i32 {
  const names: i32[] = [];
  slotNames(p, c, names);
  return names.indexOf(decl.name);
}

/** Names of the methods in the vtable of a class, in slot order. */
function slotNames(p: Program, c: ClassInfo, names: i32[]): void {
  const base = baseOf(p, c);
  if (base != null) slotNames(p, base, names);
  for (const m of c.decl.methods) {
    if (m.isOverridden && names.indexOf(m.name) < 0) names.push(m.name);
  }
}

/** The functions in the vtable of a class; null in the place of an abstract one. */
export function vtableOf(p: Program, c: ClassInfo): FuncInst[] {
  const known = c.vtable;
  if (known != null) return known;
  const names: i32[] = [];
  slotNames(p, c, names);
  const table: FuncInst[] = [];
  for (const name of names) {
    const owner = lookupMethod(p, c, name)!;
    const decl = findMethod(owner.decl, name)!;
    table.push(methodInstance(p, owner, decl));
  }
  c.vtable = table;
  return table;
}

// ---- construction ----

/** Does memory full of zeros already hold this initial value? */
export function isZeroLiteral(e: Expr): bool {
  switch (e.kind) {
    case Ex.NULL: return true;
    case Ex.INT: case Ex.BOOL: return (e.lo | e.hi) == 0;
    case Ex.FLOAT: return (e as TextExpr).text == "0.0" || (e as TextExpr).text == "0.";
    default: return false;
  }
}

/** Must a record of this class be prepared beyond being zero and having its vtable pointer? */
export function needsFieldInit(p: Program, c: ClassInfo): bool {
  for (const f of layout(p, c).fields) {
    const init = f.decl.init;
    if (init != null && !isZeroLiteral(init)) return true;
    if (embedNeedsInit(p, f.type)) return true;
  }
  return false;
}

/** Does storage in place hold records that need a vtable pointer or a constructor? */
export function embedNeedsInit(p: Program, t: Type): bool {
  if (t.kind == Kind.FIXED) return embedNeedsInit(p, t.elem!);
  if (t.kind != Kind.EMBED) return false;
  const c = t.elem!.cls!;
  return p.hasVtable(c) || constructorOf(p, c) != null;
}

/**
 * The function that `new` calls on the zeroed record: the declared constructor, or one made up for field initialisers
 * and the base's constructor, or null when there is nothing to do.
 */
export function constructorOf(p: Program, c: ClassInfo): FuncInst | null {
  if (c.ctorKnown) return c.ctor;
  c.ctorKnown = true;
  const declared = c.decl.ctor;
  if (declared != null) {
    c.ctor = methodInstance(p, c, declared);
    return c.ctor;
  }
  const base = baseOf(p, c);
  const baseCtor = base == null ? null : constructorOf(p, base);
  if (baseCtor == null && !needsFieldInit(p, c)) return null;
  const decl = new FuncDecl(c.decl.pos, p.known.constructorName);
  decl.module = c.decl.module;
  decl.cls = c.decl;
  decl.isCtor = true;
  const f = new FuncInst(decl, c.env, c);
  f.ret = p.types.tVoid;
  f.defaultCtor = true;
  if (baseCtor != null) {
    for (const t of baseCtor.params) f.params.push(t);
    decl.params = baseCtor.decl.params;
  }
  c.ctor = f;
  return f;
}
