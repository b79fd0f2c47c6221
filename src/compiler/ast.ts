// The syntax tree. Nodes are small records with a `kind` that says which class they are, so that `as` after a test of
// the kind is right. The checker writes its findings into the same nodes (type, constant value, what a name means);
// a generic body is checked again for every instance directly before it is lowered, so findings never mix.

import type { SourceFile } from "./diag.ts";
import type { ClassInfo, Field, FuncInst, Type } from "./types.ts";

export enum Ex {
  INT = 1, FLOAT, STRING, TEMPLATE, ASM, BOOL, NULL, NAME, THIS, SUPER, MEMBER, INDEX, CALL, NEW, UNARY, UPDATE, BINARY,
  LOGICAL, ASSIGN, COND, CAST, ARRAY, FUNC,
}

/** Constant values of expressions: none, an integer or bool (lo, hi), an f64 (bits), a string (lo: index in the pool). */
export const K_NONE: i32 = 0;
export const K_INT: i32 = 1;
export const K_F64: i32 = 2;
export const K_STRING: i32 = 3;

export class Expr {
  kind: i32;
  pos: i32;
  type: Type | null = null;
  konst: i32 = 0;
  lo: i32 = 0;
  hi: i32 = 0;

  constructor(kind: i32, pos: i32) {
    this.kind = kind;
    this.pos = pos;
  }
}

/** STRING: a literal; FLOAT: the digits. */
export class TextExpr extends Expr {
  text: string = "";
}

/** TEMPLATE and ASM: chunks.length == parts.length + 1. */
export class TemplateExpr extends Expr {
  chunks: string[] = [];
  parts: Expr[] = [];
}

export class NameExpr extends Expr {
  name: i32 = 0;
  decl: Decl | null = null;        // checker
  inst: FuncInst | null = null;    // checker: the function that is the value
}

/** What a MEMBER expression turned out to be. */
export const M_NONE: i32 = 0;
export const M_FIELD: i32 = 1;      // object.field
export const M_STATIC: i32 = 2;     // Class.field, or module.name: see decl
export const M_LENGTH: i32 = 3;     // of a string
export const M_COUNT: i32 = 4;      // constant length of a FixedArray
export const M_METHOD: i32 = 5;     // callee only
export const M_FUNC: i32 = 6;       // static method or a module's function as a value: see inst

export class MemberExpr extends Expr {
  object: Expr;
  name: i32;
  meaning: i32 = 0;
  field: Field | null = null;
  decl: Decl | null = null;
  inst: FuncInst | null = null;

  constructor(pos: i32, object: Expr, name: i32) {
    super(Ex.MEMBER, pos);
    this.object = object;
    this.name = name;
  }
}

export class IndexExpr extends Expr {
  object: Expr;
  index: Expr;

  constructor(pos: i32, object: Expr, index: Expr) {
    super(Ex.INDEX, pos);
    this.object = object;
    this.index = index;
  }
}

/** How a CALL is made. */
export const C_DIRECT: i32 = 1;     // inst(args)
export const C_METHOD: i32 = 2;     // inst(object, args)
export const C_VIRTUAL: i32 = 3;    // through the vtable slot of inst
export const C_VALUE: i32 = 4;      // a function value
export const C_BUILTIN: i32 = 5;    // see builtin
export const C_SUPER: i32 = 6;      // super(args): the base constructor inst, which may be null

export class CallExpr extends Expr {
  callee: Expr;
  typeArgs: TypeNode[] | null = null;
  args: Expr[] = [];
  how: i32 = 0;
  inst: FuncInst | null = null;
  object: Expr | null = null;      // receiver
  builtin: i32 = 0;
  typeArg: Type | null = null;     // of a builtin

  constructor(pos: i32, callee: Expr) {
    super(Ex.CALL, pos);
    this.callee = callee;
  }
}

export class NewExpr extends Expr {
  typeNode: TypeNode;
  args: Expr[] = [];
  ctor: FuncInst | null = null;

  constructor(pos: i32, typeNode: TypeNode) {
    super(Ex.NEW, pos);
    this.typeNode = typeNode;
  }
}

/** UNARY and UPDATE (`isPrefix` matters there): op is a token. */
export class UnaryExpr extends Expr {
  op: i32;
  operand: Expr;
  isPrefix: bool = true;

  constructor(kind: i32, pos: i32, op: i32, operand: Expr) {
    super(kind, pos);
    this.op = op;
    this.operand = operand;
  }
}

/** BINARY, LOGICAL (`&&`, `||`) and ASSIGN. For ASSIGN op is Tok.ASSIGN or the plain operator of a compound one. */
export class BinaryExpr extends Expr {
  op: i32;
  left: Expr;
  right: Expr;
  operandType: Type | null = null; // checker: both operands are converted to it

  constructor(kind: i32, pos: i32, op: i32, left: Expr, right: Expr) {
    super(kind, pos);
    this.op = op;
    this.left = left;
    this.right = right;
  }
}

export class CondExpr extends Expr {
  test: Expr;
  yes: Expr;
  no: Expr;

  constructor(pos: i32, test: Expr, yes: Expr, no: Expr) {
    super(Ex.COND, pos);
    this.test = test;
    this.yes = yes;
    this.no = no;
  }
}

export class CastExpr extends Expr {
  operand: Expr;
  typeNode: TypeNode;

  constructor(pos: i32, operand: Expr, typeNode: TypeNode) {
    super(Ex.CAST, pos);
    this.operand = operand;
    this.typeNode = typeNode;
  }
}

export class ArrayExpr extends Expr {
  items: Expr[] = [];
  ctor: FuncInst | null = null;
}

export class FuncExpr extends Expr {
  decl: FuncDecl;
  inst: FuncInst | null = null;

  constructor(pos: i32, decl: FuncDecl) {
    super(Ex.FUNC, pos);
    this.decl = decl;
  }
}

// Types as written.

export enum Ty { NAME = 1, ARRAY, FUNC, NUMBER, TYPEOF, BAD }

export class TypeNode {
  kind: i32;
  pos: i32;
  name: i32 = 0;                   // NAME, TYPEOF
  qualifier: i32 = -1;             // NAME: of `module.Name`
  value: i32 = 0;                  // NUMBER
  args: TypeNode[] | null = null;  // NAME: type arguments; ARRAY: the element; FUNC: parameters, then the result
  cached: Type | null = null;      // meaning, when it is the same everywhere

  constructor(kind: i32, pos: i32) {
    this.kind = kind;
    this.pos = pos;
  }
}

// Statements.

export enum St {
  BLOCK = 1, VAR, EXPR, IF, WHILE, DO, FOR, FOR_OF, SWITCH, RETURN, BREAK, CONTINUE, LABELED, FUNC, EMPTY,
}

export class Stmt {
  kind: i32;
  pos: i32;

  constructor(kind: i32, pos: i32) {
    this.kind = kind;
    this.pos = pos;
  }
}

export class Block extends Stmt {
  body: Stmt[] = [];
  end: i32 = 0;                    // position of the closing brace

  constructor(pos: i32) {
    super(St.BLOCK, pos);
  }
}

export class VarStmt extends Stmt {
  vars: VarDecl[] = [];

  constructor(pos: i32) {
    super(St.VAR, pos);
  }
}

/** EXPR and RETURN (null: without value). */
export class ExprStmt extends Stmt {
  expr: Expr | null;

  constructor(kind: i32, pos: i32, expr: Expr | null) {
    super(kind, pos);
    this.expr = expr;
  }
}

export class IfStmt extends Stmt {
  test: Expr;
  yes: Stmt;
  no: Stmt | null = null;

  constructor(pos: i32, test: Expr, yes: Stmt) {
    super(St.IF, pos);
    this.test = test;
    this.yes = yes;
  }
}

/** WHILE and DO. */
export class LoopStmt extends Stmt {
  test: Expr;
  body: Stmt;

  constructor(kind: i32, pos: i32, test: Expr, body: Stmt) {
    super(kind, pos);
    this.test = test;
    this.body = body;
  }
}

export class ForStmt extends Stmt {
  init: Stmt | null = null;
  test: Expr | null = null;
  updates: Expr[] = [];
  body: Stmt;

  constructor(pos: i32, body: Stmt) {
    super(St.FOR, pos);
    this.body = body;
  }
}

export class ForOfStmt extends Stmt {
  item: VarDecl;
  list: Expr;
  body: Stmt;

  constructor(pos: i32, item: VarDecl, list: Expr, body: Stmt) {
    super(St.FOR_OF, pos);
    this.item = item;
    this.list = list;
    this.body = body;
  }
}

export class SwitchCase {
  test: Expr | null = null;        // null: default
  body: Stmt[] = [];
}

export class SwitchStmt extends Stmt {
  value: Expr;
  cases: SwitchCase[] = [];

  constructor(pos: i32, value: Expr) {
    super(St.SWITCH, pos);
    this.value = value;
  }
}

/** BREAK and CONTINUE; label -1 for none. */
export class JumpStmt extends Stmt {
  label: i32 = -1;
}

export class LabeledStmt extends Stmt {
  label: i32;
  body: Stmt;

  constructor(pos: i32, label: i32, body: Stmt) {
    super(St.LABELED, pos);
    this.label = label;
    this.body = body;
  }
}

export class FuncStmt extends Stmt {
  decl: FuncDecl;

  constructor(pos: i32, decl: FuncDecl) {
    super(St.FUNC, pos);
    this.decl = decl;
  }
}

// Declarations: everything that a name can mean.

export enum De { VAR = 1, FUNC, CLASS, ENUM, ALIAS, IMPORT }

export class Decl {
  kind: i32;
  pos: i32;
  name: i32;
  module: Module | null = null;

  constructor(kind: i32, pos: i32, name: i32) {
    this.kind = kind;
    this.pos = pos;
    this.name = name;
  }
}

/** A local variable, parameter, global variable or static field. */
export class VarDecl extends Decl {
  typeNode: TypeNode | null = null;
  init: Expr | null = null;
  isConst: bool = false;
  isGlobal: bool = false;
  owner: FuncInst | null = null;   // locals: the function instance being checked
  type: Type | null = null;        // checker
  konst: i32 = 0;                  // checker: value of a constant
  lo: i32 = 0;
  hi: i32 = 0;
  vreg: i32 = -1;                  // lowering: register of a local,
  slot: i32 = -1;                  //   or stack slot of a record or array stored in place
  symbol: string = "";             // lowering: of a global, "" until it is used
  cls: ClassDecl | null = null;    // static fields
  busy: bool = false;              // its type is being inferred
  done: bool = false;              // globals: type and constant value are known
  arrayState: i32 = 0;             // lowering: 1: the value is the static array arraySymbol, 2: it is not static, 0: unknown
  arraySymbol: string = "";
  initSymbol: string = "";         // lowering: of a global, the function that sets its initial value

  constructor(pos: i32, name: i32) {
    super(De.VAR, pos, name);
  }
}

export class FuncDecl extends Decl {
  typeParams: i32[] | null = null;
  params: VarDecl[] = [];
  ret: TypeNode | null = null;
  body: Block | null = null;
  signatureAt: i32 = -1;           // where what follows the name starts while that is still to be parsed, see Program.lookup
  bodyAt: i32 = -1;                // where the body starts while it is still to be parsed, see Program.completeBody
  value: Expr | null = null;       // of an arrow function without braces
  isStatic: bool = false;
  isAbstract: bool = false;
  isCtor: bool = false;
  isOverridden: bool = false;      // methods: dispatched by vtable
  cls: ClassDecl | null = null;
  inst: FuncInst | null = null;    // the instance of a function without type parameters
  instances: FuncInst[] | null = null;

  constructor(pos: i32, name: i32) {
    super(De.FUNC, pos, name);
  }
}

export class FieldDecl {
  pos: i32;
  name: i32;
  typeNode: TypeNode | null = null;
  init: Expr | null = null;

  constructor(pos: i32, name: i32) {
    this.pos = pos;
    this.name = name;
  }
}

export class ClassDecl extends Decl {
  typeParams: i32[] | null = null;
  base: TypeNode | null = null;
  fields: FieldDecl[] = [];
  methods: FuncDecl[] = [];
  statics: VarDecl[] = [];
  ctor: FuncDecl | null = null;
  isAbstract: bool = false;
  baseDecl: ClassDecl | null = null;
  usesVtable: bool = false;        // on the root of a hierarchy with overridden methods
  instances: ClassInfo[] = [];

  constructor(pos: i32, name: i32) {
    super(De.CLASS, pos, name);
  }
}

export class EnumDecl extends Decl {
  names: i32[] = [];
  positions: i32[] = [];
  inits: Expr[] = [];              // one for each explicit value, in order
  hasInit: bool[] = [];
  values: i32[] = [];
  done: bool = false;

  constructor(pos: i32, name: i32) {
    super(De.ENUM, pos, name);
  }
}

export class AliasDecl extends Decl {
  typeNode: TypeNode;
  busy: bool = false;

  constructor(pos: i32, name: i32, typeNode: TypeNode) {
    super(De.ALIAS, pos, name);
    this.typeNode = typeNode;
  }
}

/** A name bound by import or re-export; `foreign` is its name in the other module, -1 for the whole module. */
export class ImportDecl extends Decl {
  foreign: i32 = -1;
  from: ImportEdge;

  constructor(pos: i32, name: i32, from: ImportEdge) {
    super(De.IMPORT, pos, name);
    this.from = from;
  }
}

/** One import or re-export declaration of a module. */
export class ImportEdge {
  pos: i32;
  path: string;
  typeOnly: bool;
  target: Module | null = null;

  constructor(pos: i32, path: string, typeOnly: bool) {
    this.pos = pos;
    this.path = path;
    this.typeOnly = typeOnly;
  }
}

export class Module {
  file: SourceFile;
  index: i32 = 0;
  names: Map<i32, Decl> = new Map<i32, Decl>();       // everything declared or imported at top level
  exports: Map<i32, Decl> = new Map<i32, Decl>();
  stars: ImportEdge[] = [];                           // export * from
  edges: ImportEdge[] = [];
  classes: ClassDecl[] = [];
  funcs: FuncDecl[] = [];
  globals: VarDecl[] = [];
  inits: Stmt[] = [];                                 // VarStmts and other statements of the top level, in order
  initSymbols: string[] = [];                         // lowering: function for each of them, or ""
  visited: bool = false;                              // by the search for the order of initialisation

  constructor(file: SourceFile) {
    this.file = file;
  }
}
