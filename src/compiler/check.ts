// Checking of declarations and statements: every expression of a function body gets its type, every name its meaning.
// The checker works on one function instance at a time; lowering follows directly, on the same nodes.

import {
  Ex, St, K_F64, K_INT, K_NONE, K_STRING,
} from "./ast.ts";
import type {
  Block, Decl, Expr, ExprStmt, ForOfStmt, ForStmt, FuncStmt, IfStmt, JumpStmt, LabeledStmt, LoopStmt, Module, Stmt,
  SwitchStmt, VarDecl, VarStmt, EnumDecl,
} from "./ast.ts";
import { checkAssign, checkCondition, checkExpr, isKnownFalse, isKnownTrue } from "./checkexpr.ts";
import { setConverted } from "./fold.ts";
import type { Program } from "./program.ts";
import { makeInstance, resolveType } from "./resolve.ts";
import { Kind, TypeScope } from "./types.ts";
import type { ClassInfo, FuncInst, Type, TypeEnv } from "./types.ts";

export class Checker {
  readonly p: Program;
  readonly module: Module;
  readonly scope: TypeScope;
  readonly fn: FuncInst | null;
  readonly locals: Decl[] = [];            // in scope, innermost last
  readonly visible: Decl[] | null;         // locals of the functions around this one
  ret: Type | null = null;                 // null: any, being inferred
  inferred: Type | null = null;
  breaks: i32 = 0;                         // statements around that break can leave
  loops: i32 = 0;
  labels: i32[] = [];
  ownEnum: EnumDecl | null = null;         // while its members' values are computed

  constructor(p: Program, module: Module, env: TypeEnv | null, fn: FuncInst | null) {
    this.p = p;
    this.module = module;
    this.scope = new TypeScope(module, env);
    this.fn = fn;
    this.visible = fn == null ? null : fn.visible;
  }

  error(pos: i32, text: string): Type {
    this.p.diags.error(this.module.file, pos, text);
    return this.p.types.tError;
  }

  /** The class whose `this` is at hand, or null. */
  thisClass(): ClassInfo | null {
    const fn = this.fn;
    return fn != null && fn.hasThis() ? fn.cls : null;
  }

  findLocal(name: i32): Decl | null {
    for (let i = this.locals.length - 1; i >= 0; i--) {
      if (this.locals[i]!.name == name) return this.locals[i]!;
    }
    return null;
  }

  findVisible(name: i32): Decl | null {
    const list = this.visible;
    if (list == null) return null;
    for (let i = list.length - 1; i >= 0; i--) {
      if (list[i]!.name == name) return list[i]!;
    }
    return null;
  }

  /** All that a nested function may mention: own locals and those around. */
  snapshot(): Decl[] {
    const all: Decl[] = [];
    const outer = this.visible;
    if (outer != null) {
      for (const d of outer) all.push(d);
    }
    for (const d of this.locals) all.push(d);
    return all;
  }

  declareLocal(d: Decl): void {
    this.locals.push(d);
  }

  leaveScope(mark: i32): void {
    while (this.locals.length > mark) this.locals.pop();
  }
}

/** Check the body of a function instance. The nodes then carry what lowering needs. */
export function checkFunction(p: Program, f: FuncInst): void {
  const c = new Checker(p, f.decl.module!, f.env, f);
  c.ret = f.ret;
  runBody(c, f);
}

function runBody(c: Checker, f: FuncInst): void {
  const decl = f.decl;
  c.p.completeBody(decl);
  for (let i = 0; i < decl.params.length; i++) {
    const param = decl.params[i]!;
    param.type = f.params[i]!;
    param.konst = K_NONE;
    if (param.type!.isInPlace()) c.error(param.pos, "parameters are passed by value or reference, not in place");
    c.declareLocal(param);
  }
  const value = decl.value;
  const body = decl.body;
  if (value != null) checkResult(c, value, value.pos);
  else if (body != null) checkStatements(c, body.body);
}

/** Result type of a function that does not state one: that of its first `return` with a value, or void. */
export function inferReturn(p: Program, f: FuncInst): Type {
  if (f.retBusy) {
    p.diags.error(f.decl.module!.file, f.decl.pos, "a function that calls itself needs a result type");
    return p.types.tError;
  }
  f.retBusy = true;
  const c = new Checker(p, f.decl.module!, f.env, f);
  runBody(c, f);
  f.retBusy = false;
  const t = c.inferred;
  return t == null ? p.types.tVoid : t;
}

/** Type of an expression outside of functions, such as a field's initial value. */
export function typeOfInitialiser(p: Program, module: Module, env: TypeEnv | null, init: Expr): Type {
  const c = new Checker(p, module, env, null);
  return variableType(c, init, checkExpr(c, init, null));
}

/** Determine type and, for constants, value of a global variable or static field. */
export function constantOf(p: Program, v: VarDecl): VarDecl {
  if (v.done) return v;
  const module = v.module!;
  const node = v.typeNode;
  const init = v.init;
  if (v.busy) {
    p.diags.error(module.file, v.pos, "this value depends on itself");
    v.type = p.types.tError;
    return v;
  }
  v.busy = true;
  const c = new Checker(p, module, null, null);
  if (node != null) v.type = resolveType(p, c.scope, node);
  if (init == null) {
    if (node == null) v.type = c.error(v.pos, "this variable needs a type or an initial value");
  } else if (node == null) {
    v.type = variableType(c, init, checkExpr(c, init, null));
    recordConstant(v, init);
  } else if (v.isConst && init.kind != Ex.ARRAY && init.kind != Ex.NEW && init.kind != Ex.FUNC) {
    checkAssign(c, init, v.type!);
    recordConstant(v, init);
  }
  v.busy = false;
  v.done = true;
  return v;
}

/** If a const variable has a constant initial value, remember it as its value, converted to its type. */
function recordConstant(v: VarDecl, init: Expr): void {
  const t = v.type!;
  v.konst = K_NONE;
  if (!v.isConst || init.konst == K_NONE) return;
  if (init.konst == K_INT && (t.isIntegral() || t.kind == Kind.F64)) {
    const saved = init.konst;
    const lo = init.lo;
    const hi = init.hi;
    setConverted(init, lo, hi, init.type!, t);
    v.konst = init.konst;
    v.lo = init.lo;
    v.hi = init.hi;
    init.konst = saved;
    init.lo = lo;
    init.hi = hi;
  } else if ((init.konst == K_STRING && t.kind == Kind.STRING) || (init.konst == K_F64 && t.kind == Kind.F64)) {
    v.konst = init.konst;
    v.lo = init.lo;
    v.hi = init.hi;
  }
}

/** Values of an enum's members, once. */
export function enumValues(p: Program, e: EnumDecl): i32[] {
  if (e.done) return e.values;
  e.done = true;
  const c = new Checker(p, e.module!, null, null);
  let next = 0;
  let at = 0;
  for (let i = 0; i < e.names.length; i++) {
    if (e.hasInit[i]!) next = enumInit(c, e, e.inits[at++]!);
    e.values.push(next);
    next = (next + 1) | 0;
  }
  return e.values;
}

/** An enum's member may refer to the members before it by their bare names. */
function enumInit(c: Checker, e: EnumDecl, init: Expr): i32 {
  c.ownEnum = e;
  checkExpr(c, init, c.p.types.tI32);
  if (init.konst != K_INT) c.error(init.pos, "the value of an enum member is an integer constant");
  return init.lo;
}

/** The type that a variable without a written type gets from its initial value. */
function variableType(c: Checker, init: Expr, t: Type): Type {
  if (t.kind == Kind.NULL) return c.error(init.pos, "a variable that starts as null needs a type");
  if (t.kind == Kind.VOID) return c.error(init.pos, "this has no value");
  if (t.kind == Kind.FIXED) return c.p.types.ptr(t.elem!);
  return t;
}

// ---- statements ----

function checkStatements(c: Checker, list: Stmt[]): void {
  const mark = c.locals.length;
  for (const s of list) {
    if (s.kind == St.FUNC) declareFunction(c, s as FuncStmt);
  }
  for (const s of list) checkStatement(c, s);
  c.leaveScope(mark);
}

function declareFunction(c: Checker, s: FuncStmt): void {
  const decl = s.decl;
  if (decl.typeParams != null) c.error(s.pos, "a nested function can't be generic");
  const f = makeInstance(c.p, decl, c.scope.env, null);
  decl.inst = f;
  c.declareLocal(decl);
  f.visible = c.snapshot();
  if (c.p.checkAll) c.p.nested.push(f);
}

/** Check one statement; also used for the statements of the top level. */
export function checkStatement(c: Checker, s: Stmt): void {
  switch (s.kind) {
    case St.BLOCK: return checkStatements(c, (s as Block).body);
    case St.VAR: return checkVars(c, s as VarStmt);
    case St.EXPR: {
      checkExpr(c, (s as ExprStmt).expr!, null);
      return;
    }
    case St.IF: return checkIf(c, s as IfStmt);
    case St.WHILE: case St.DO: return checkLoop(c, s as LoopStmt);
    case St.FOR: return checkFor(c, s as ForStmt);
    case St.FOR_OF: return checkForOf(c, s as ForOfStmt);
    case St.SWITCH: return checkSwitch(c, s as SwitchStmt);
    case St.RETURN: return checkReturn(c, s as ExprStmt);
    case St.BREAK: case St.CONTINUE: return checkJump(c, s as JumpStmt);
    case St.LABELED: {
      const labeled = s as LabeledStmt;
      c.labels.push(labeled.label);
      c.breaks++;
      checkStatement(c, labeled.body);
      c.breaks--;
      c.labels.pop();
      return;
    }
    default: return;
  }
}

function checkVars(c: Checker, s: VarStmt): void {
  for (const v of s.vars) {
    if (v.isGlobal) checkGlobal(c, v);
    else checkLocal(c, v);
  }
}

function checkGlobal(c: Checker, v: VarDecl): void {
  constantOf(c.p, v);
  const init = v.init;
  if (init != null) checkAssign(c, init, v.type!);
}

function checkLocal(c: Checker, v: VarDecl): void {
  const node = v.typeNode;
  const init = v.init;
  v.konst = K_NONE;
  if (node != null) v.type = resolveType(c.p, c.scope, node);
  if (init != null) {
    if (node != null) checkAssign(c, init, v.type!);
    else v.type = variableType(c, init, checkExpr(c, init, null));
    recordConstant(v, init);
  } else if (node == null) v.type = c.error(v.pos, "this variable needs a type or an initial value");
  if (v.type!.kind == Kind.VOID) c.error(v.pos, "void has no values");
  c.declareLocal(v);
}

function checkBody(c: Checker, body: Stmt): void {
  c.breaks++;
  c.loops++;
  checkStatement(c, body);
  c.breaks--;
  c.loops--;
}

/** Branches that constants exclude are not checked: generic code may test its type parameters. */
function checkIf(c: Checker, s: IfStmt): void {
  checkCondition(c, s.test);
  if (!isKnownFalse(s.test)) checkStatement(c, s.yes);
  const no = s.no;
  if (no != null && !isKnownTrue(s.test)) checkStatement(c, no);
}

function checkLoop(c: Checker, s: LoopStmt): void {
  checkCondition(c, s.test);
  checkBody(c, s.body);
}

function checkFor(c: Checker, s: ForStmt): void {
  const mark = c.locals.length;
  const init = s.init;
  const test = s.test;
  if (init != null) checkStatement(c, init);
  if (test != null) checkCondition(c, test);
  for (const u of s.updates) checkExpr(c, u, null);
  checkBody(c, s.body);
  c.leaveScope(mark);
}

function checkForOf(c: Checker, s: ForOfStmt): void {
  const t = checkExpr(c, s.list, null);
  const mark = c.locals.length;
  const item = s.item;
  const node = item.typeNode;
  item.konst = K_NONE;
  item.type = c.p.types.tError;
  if (c.p.isArray(t)) item.type = t.cls!.args[0]!;
  else if (t.kind != Kind.ERROR) c.error(s.list.pos, `for-of needs an array, not ${t.name}`);
  if (node != null) {
    const written = resolveType(c.p, c.scope, node);
    if (written != item.type && item.type!.kind != Kind.ERROR) c.error(node.pos, `the elements are of type ${item.type!.name}`);
  }
  c.declareLocal(item);
  checkBody(c, s.body);
  c.leaveScope(mark);
}

function checkSwitch(c: Checker, s: SwitchStmt): void {
  const t = checkExpr(c, s.value, null);
  const fits = t.isIntegral() || t.kind == Kind.STRING || t.kind == Kind.ERROR;
  if (!fits) c.error(s.value.pos, `switch needs an integer or a string, not ${t.name}`);
  const mark = c.locals.length;
  c.breaks++;
  let defaults = 0;
  for (const k of s.cases) {
    const test = k.test;
    if (test == null) defaults++;
    else checkAssign(c, test, t);
  }
  if (defaults > 1) c.error(s.pos, "this switch has two defaults");
  for (const k of s.cases) {
    for (const b of k.body) {
      if (b.kind == St.FUNC) declareFunction(c, b as FuncStmt);
      checkStatement(c, b);
    }
  }
  c.breaks--;
  c.leaveScope(mark);
}

function checkReturn(c: Checker, s: ExprStmt): void {
  const e = s.expr;
  if (c.fn == null) c.error(s.pos, "return outside of a function");
  if (e != null) return checkResult(c, e, s.pos);
  const ret = c.ret;
  if (ret != null && ret.kind != Kind.VOID && ret.kind != Kind.ERROR) c.error(s.pos, `a value of type ${ret.name} must be returned`);
}

function checkResult(c: Checker, e: Expr, pos: i32): void {
  const ret = c.ret;
  if (ret == null) {
    const t = checkExpr(c, e, null);
    if (c.inferred == null && t.kind != Kind.NULL) c.inferred = t.kind == Kind.VOID ? t : variableType(c, e, t);
    return;
  }
  if (ret.kind != Kind.VOID) return checkAssign(c, e, ret);
  const t = checkExpr(c, e, null);
  const isArrow = c.fn!.decl.value != null;
  if (t.kind != Kind.VOID && t.kind != Kind.ERROR && !isArrow) c.error(pos, "this function returns no value");
}

function checkJump(c: Checker, s: JumpStmt): void {
  if (s.label >= 0) {
    if (c.labels.indexOf(s.label) < 0) c.error(s.pos, `there is no label '${c.p.names.text(s.label)}' around this`);
  } else if (s.kind == St.BREAK && c.breaks == 0) c.error(s.pos, "break outside of a loop or switch");
  else if (s.kind == St.CONTINUE && c.loops == 0) c.error(s.pos, "continue outside of a loop");
}
