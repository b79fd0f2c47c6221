// Types, and what is known about them. Every distinct type is one record, so that identity is equality. Classes and
// functions appear here as instances: a generic one has one ClassInfo or FuncInst for each list of type arguments.

import type { ClassDecl, Decl, FieldDecl, FuncDecl, Module } from "./ast.ts";
import { T_F64, T_I32, T_I64, T_VOID } from "./ir.ts";

export enum Kind {
  VOID = 0, BOOL, I8, U8, I16, U16, I32, U32, I64, U64, F64,
  NULL, STRING, CLASS, PTR, FUNC,      // 32-bit references
  EMBED, FIXED,                        // storage in place
  ERROR,                               // after a diagnostic: fits everywhere
}

export class Type {
  kind: i32;
  name: string;
  size: i32;                           // of a value in memory
  align: i32;
  elem: Type | null = null;            // PTR, FIXED, EMBED (the class)
  count: i32 = 0;                      // FIXED
  params: Type[] | null = null;        // FUNC
  ret: Type | null = null;             // FUNC
  cls: ClassInfo | null = null;        // CLASS
  ptrTo: Type | null = null;           // the Ptr<this>, once asked for
  embedOf: Type | null = null;
  fixedOf: Type[] | null = null;

  constructor(kind: i32, name: string, size: i32) {
    this.kind = kind;
    this.name = name;
    this.size = size;
    this.align = size > 4 ? 4 : size;
  }

  isInteger(): bool {
    return this.kind >= Kind.I8 && this.kind <= Kind.U64;
  }

  /** bool or an integer: one machine value that compares as integers do. */
  isIntegral(): bool {
    return this.kind >= Kind.BOOL && this.kind <= Kind.U64;
  }

  isSigned(): bool {
    return this.kind == Kind.I32 || this.kind == Kind.I64 || this.kind == Kind.I8 || this.kind == Kind.I16;
  }

  isWide(): bool {
    return this.kind == Kind.I64 || this.kind == Kind.U64;
  }

  /** An integer narrower than 32 bits. */
  isNarrow(): bool {
    return this.kind >= Kind.I8 && this.kind <= Kind.U16;
  }

  isReference(): bool {
    return this.kind >= Kind.NULL && this.kind <= Kind.FUNC;
  }

  isInPlace(): bool {
    return this.kind == Kind.EMBED || this.kind == Kind.FIXED;
  }

  /** Register class of a value of this type. */
  regClass(): i32 {
    if (this.kind == Kind.F64) return T_F64;
    if (this.isWide()) return T_I64;
    return this.kind == Kind.VOID ? T_VOID : T_I32;
  }
}

export class Field {
  name: i32;
  decl: FieldDecl;
  type: Type;
  offset: i32;

  constructor(decl: FieldDecl, type: Type, offset: i32) {
    this.name = decl.name;
    this.decl = decl;
    this.type = type;
    this.offset = offset;
  }
}

/** Type parameters and what they stand for; `outer` is the class's environment inside a generic method. */
export class TypeEnv {
  names: i32[];
  types: Type[];
  outer: TypeEnv | null;

  constructor(names: i32[], types: Type[], outer: TypeEnv | null) {
    this.names = names;
    this.types = types;
    this.outer = outer;
  }
}

export const LAYOUT_NONE: i32 = 0;
export const LAYOUT_BUSY: i32 = 1;
export const LAYOUT_DONE: i32 = 2;

/** A class, or an instance of a generic class. */
export class ClassInfo {
  decl: ClassDecl;
  name: string;
  args: Type[];
  env: TypeEnv | null = null;
  type: Type;
  base: ClassInfo | null = null;
  layoutState: i32 = 0;
  fields: Field[] = [];                // own ones, not inherited
  size: i32 = 0;
  align: i32 = 1;
  methods: FuncInst[] = [];            // instances of own non-generic methods, as far as used
  vtable: FuncInst[] | null = null;    // slots in order, including inherited ones
  vtableSymbol: string = "";
  ctor: FuncInst | null = null;
  ctorKnown: bool = false;

  constructor(decl: ClassDecl, name: string, args: Type[]) {
    this.decl = decl;
    this.name = name;
    this.args = args;
    this.type = new Type(Kind.CLASS, name, 4);
    this.type.cls = this;
  }

  findField(name: i32): Field | null {
    for (const f of this.fields) {
      if (f.name == name) return f;
    }
    const base = this.base;
    return base == null ? null : base.findField(name);
  }

  derivesFrom(other: ClassInfo): bool {
    let c: ClassInfo | null = this;
    while (c != null) {
      if (c == other) return true;
      c = c.base;
    }
    return false;
  }
}

/** A function to compile: declaration, type environment and, for methods, the class. */
export class FuncInst {
  decl: FuncDecl;
  env: TypeEnv | null;
  cls: ClassInfo | null;               // class of `this`, or of a static method
  typeArgs: Type[] | null = null;      // of a generic function
  params: Type[] = [];                 // without `this`
  ret: Type | null = null;             // null until it is known
  type: Type | null = null;            // as a function value, once asked for
  symbol: string = "";
  isUsed: bool = false;                // queued for compilation
  retBusy: bool = false;
  slot: i32 = -1;                      // in the vtable, for overridden methods
  visible: Decl[] | null = null;       // nested functions: the locals of the functions around it
  defaultCtor: bool = false;           // a constructor that no source text declares

  constructor(decl: FuncDecl, env: TypeEnv | null, cls: ClassInfo | null) {
    this.decl = decl;
    this.env = env;
    this.cls = cls;
  }

  hasThis(): bool {
    return this.cls != null && !this.decl.isStatic;
  }
}

function scalar(kind: i32, name: string, size: i32): Type {
  return new Type(kind, name, size);
}

/** The types that exist once in a program, and the makers of the others. */
export class TypeTable {
  readonly tVoid: Type = scalar(Kind.VOID, "void", 0);
  readonly tBool: Type = scalar(Kind.BOOL, "bool", 1);
  readonly tI8: Type = scalar(Kind.I8, "i8", 1);
  readonly tU8: Type = scalar(Kind.U8, "u8", 1);
  readonly tI16: Type = scalar(Kind.I16, "i16", 2);
  readonly tU16: Type = scalar(Kind.U16, "u16", 2);
  readonly tI32: Type = scalar(Kind.I32, "i32", 4);
  readonly tU32: Type = scalar(Kind.U32, "u32", 4);
  readonly tI64: Type = scalar(Kind.I64, "i64", 8);
  readonly tU64: Type = scalar(Kind.U64, "u64", 8);
  readonly tF64: Type = scalar(Kind.F64, "f64", 8);
  readonly tNull: Type = scalar(Kind.NULL, "null", 4);
  readonly tString: Type = scalar(Kind.STRING, "string", 4);
  readonly tError: Type = scalar(Kind.ERROR, "?", 4);
  private funcs: Type[] = [];

  ptr(elem: Type): Type {
    const known = elem.ptrTo;
    if (known != null) return known;
    const t = new Type(Kind.PTR, `Ptr<${elem.name}>`, 4);
    t.elem = elem;
    elem.ptrTo = t;
    return t;
  }

  /** Embed<C>. Its size is that of the record and is set when the class is laid out. */
  embed(cls: Type): Type {
    const known = cls.embedOf;
    if (known != null) return known;
    const t = new Type(Kind.EMBED, `Embed<${cls.name}>`, 0);
    t.elem = cls;
    cls.embedOf = t;
    return t;
  }

  fixed(elem: Type, count: i32): Type {
    let list = elem.fixedOf;
    if (list == null) {
      list = [];
      elem.fixedOf = list;
    }
    for (const t of list) {
      if (t.count == count) return t;
    }
    const t = new Type(Kind.FIXED, `FixedArray<${elem.name}, ${count}>`, Math.imul(elem.size, count));
    t.align = elem.align;
    t.elem = elem;
    t.count = count;
    list.push(t);
    return t;
  }

  func(params: Type[], ret: Type): Type {
    for (const t of this.funcs) {
      if (t.ret == ret && sameTypes(t.params!, params)) return t;
    }
    let name = "";
    for (const p of params) name = name + (name.length > 0 ? ", " : "") + p.name;
    const t = new Type(Kind.FUNC, `(${name}) => ${ret.name}`, 4);
    t.params = params;
    t.ret = ret;
    this.funcs.push(t);
    return t;
  }
}

export function sameTypes(a: Type[], b: Type[]): bool {
  if (a.length != b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

/** Does an implicit conversion between integer types or to f64 keep every value? */
export function widens(from: i32, to: i32): bool {
  if (from == to) return true;
  switch (to) {
    case Kind.I16: return from == Kind.I8 || from == Kind.U8;
    case Kind.U16: return from == Kind.U8;
    case Kind.I32: return from >= Kind.I8 && from <= Kind.U16;
    case Kind.U32: return from == Kind.U8 || from == Kind.U16;
    case Kind.I64: return from >= Kind.I8 && from <= Kind.U32;
    case Kind.U64: return from == Kind.U8 || from == Kind.U16 || from == Kind.U32;
    case Kind.F64: return from >= Kind.I8 && from <= Kind.U32;
    default: return false;
  }
}

/** Does a constant fit into an integer type? Given as 64 bits; `unsigned64` when those are a u64 value. */
export function constantFits(lo: i32, hi: i32, unsigned64: bool, kind: i32): bool {
  const positive = hi == 0;
  const negative = hi == -1 && !unsigned64;
  switch (kind) {
    case Kind.I8: return (positive && lo >= 0 && lo <= 127) || (negative && lo < 0 && lo >= -128);
    case Kind.U8: return positive && lo >= 0 && lo <= 255;
    case Kind.I16: return (positive && lo >= 0 && lo <= 32767) || (negative && lo < 0 && lo >= -32768);
    case Kind.U16: return positive && lo >= 0 && lo <= 65535;
    case Kind.I32: return (positive && lo >= 0) || (negative && lo < 0);
    case Kind.U32: return positive;
    case Kind.I64: return !(unsigned64 && hi < 0);
    case Kind.U64: return unsigned64 || hi >= 0;
    default: return false;
  }
}

/** Where a module's type names are resolved: which file, which type parameters. */
export class TypeScope {
  module: Module;
  env: TypeEnv | null;
  usedEnv: bool = false;               // a type parameter took part

  constructor(module: Module, env: TypeEnv | null) {
    this.module = module;
    this.env = env;
  }
}
