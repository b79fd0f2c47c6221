// The front end as a whole: entry file to IrModule. Starting from the entry symbol, functions are checked and lowered as
// they are discovered; what nothing reaches is left out. The generated `__init` calls, in import order, the top-level
// initialisers that have something to do; a variable that no one uses and whose value costs nothing is not initialised.

import { Ex, St } from "./ast.ts";
import type {
  ArrayExpr, BinaryExpr, CastExpr, ClassDecl, CondExpr, Expr, FuncDecl, MemberExpr, Module, NewExpr, Stmt, UnaryExpr, VarDecl,
  VarStmt,
} from "./ast.ts";
import { checkFunction } from "./check.ts";
import { Pool } from "./data.ts";
import { IrModule, T_VOID } from "./ir.ts";
import { endFunction, Lower, lowerFunction, lowerTopLevel, lowerVariableInit, newFunction } from "./lower.ts";
import type { Program } from "./program.ts";
import { functionInstance, layout, methodInstance, sizeOf } from "./resolve.ts";
import { LAYOUT_DONE } from "./types.ts";
import type { ClassInfo, Type } from "./types.ts";

/** The IR of a loaded program that starts at `entry`. After errors (see diags) the result is incomplete. */
export function buildModule(p: Program, entry: string): IrModule {
  const out = new IrModule();
  out.entry = entry;
  const start = findEntry(p, entry);
  if (start == null) {
    p.diags.error(null, 0, `no module exports the entry function ${entry}`);
    return out;
  }
  const work = new Work(p, out);
  p.use(functionInstance(p, start));
  work.run();
  if (work.pool.usesInit) work.emitInit();
  if (p.diags.count > 0 || p.checkAll) checkEverything(p);
  return out;
}

function findEntry(p: Program, entry: string): FuncDecl | null {
  const name = p.names.get(entry);
  for (const m of p.modules) {
    for (const f of m.funcs) {
      if (f.name != name || !m.exports.has(name)) continue;
      p.completeSignature(f);
      return f;
    }
  }
  return null;
}

/** Functions, globals and vtables that are still to be compiled, and how far we are. */
class Work {
  readonly p: Program;
  readonly pool: Pool;
  private readonly out: IrModule;
  private funcsDone: i32 = 0;
  private globalsDone: i32 = 0;
  private vtablesDone: i32 = 0;
  private statementsDone: bool = false;

  constructor(p: Program, out: IrModule) {
    this.p = p;
    this.out = out;
    this.pool = new Pool(p, out);
  }

  run(): void {
    const p = this.p;
    while (true) {
      if (this.funcsDone < p.queue.length) lowerFunction(p, this.pool, p.queue[this.funcsDone++]!, this.out);
      else if (this.globalsDone < p.usedGlobals.length) this.emitGlobal(p.usedGlobals[this.globalsDone++]!);
      else if (this.vtablesDone < p.newClasses.length) this.pool.emitVtable(p.newClasses[this.vtablesDone++]!);
      else if (this.pool.usesInit && !this.statementsDone) this.lowerStatements();
      else return;
    }
  }

  private emitGlobal(v: VarDecl): void {
    if (!this.pool.emitGlobal(v) || this.p.diags.count > 0) return;
    v.initSymbol = this.p.uniqueSymbol("init." + v.symbol, null);
    lowerVariableInit(this.p, this.pool, v, this.out);
  }

  /** Statements at top level, and variables whose initial values have effects. */
  private lowerStatements(): void {
    this.statementsDone = true;
    for (const m of this.p.order) {
      for (let i = 0; i < m.inits.length; i++) {
        const s = m.inits[i]!;
        m.initSymbols.push("");
        if (s.kind == St.VAR) this.useEffective(s as VarStmt);
        else m.initSymbols[i] = this.lowerStatement(m, s, i);
      }
    }
  }

  private useEffective(s: VarStmt): void {
    for (const v of s.vars) {
      const init = v.init;
      if (init != null && !isFree(this.p, init)) this.p.useGlobal(v);
    }
  }

  private lowerStatement(m: Module, s: Stmt, index: i32): string {
    if (s.kind == St.EMPTY) return "";
    const symbol = this.p.uniqueSymbol(`init.${m.index}.${index}`, null);
    lowerTopLevel(this.p, this.pool, m, s, symbol, this.out);
    return symbol;
  }

  emitInit(): void {
    const first = this.p.modules[0]!;
    const f = newFunction("__init", first, 0);
    const l = new Lower(this.p, this.pool, first, null, f);
    for (const m of this.p.order) {
      for (let i = 0; i < m.inits.length; i++) {
        const s = m.inits[i]!;
        if (s.kind != St.VAR) callInit(l, m.initSymbols[i]!);
        else {
          for (const v of (s as VarStmt).vars) callInit(l, v.initSymbol);
        }
      }
    }
    endFunction(l, f);
    this.out.funcs.push(f);
  }
}

function callInit(l: Lower, symbol: string): void {
  const none: i32[] = [];
  if (symbol != "") l.b.call(symbol, none, T_VOID);
}

/** Surely no effect besides allocating memory: such a value need not be computed when no one uses it. */
function isFree(p: Program, e: Expr): bool {
  switch (e.kind) {
    case Ex.INT: case Ex.FLOAT: case Ex.STRING: case Ex.BOOL: case Ex.NULL: case Ex.NAME: case Ex.FUNC: return true;
    case Ex.MEMBER: return isFree(p, (e as MemberExpr).object);
    case Ex.UNARY: return isFree(p, (e as UnaryExpr).operand);
    case Ex.CAST: return isFree(p, (e as CastExpr).operand);
    case Ex.BINARY: case Ex.LOGICAL: return isFree(p, (e as BinaryExpr).left) && isFree(p, (e as BinaryExpr).right);
    case Ex.COND: return isFree(p, (e as CondExpr).yes) && isFree(p, (e as CondExpr).no);
    case Ex.ARRAY: return areFree(p, (e as ArrayExpr).items);
    case Ex.NEW: {
      const name = (e as NewExpr).typeNode.name;
      return (name == p.known.array || name == p.known.map) && areFree(p, (e as NewExpr).args);
    }
    default: return false;
  }
}

function areFree(p: Program, list: Expr[]): bool {
  for (const e of list) {
    if (!isFree(p, e)) return false;
  }
  return true;
}

/** Parse everything, and check every function that is not generic, reached or not. */
function checkEverything(p: Program): void {
  p.checkAll = true;
  for (const m of p.modules) completeModule(p, m);
  for (const m of p.modules) {
    for (const f of m.funcs) {
      if (f.typeParams == null) checkFunction(p, functionInstance(p, f));
    }
    for (const c of m.classes) checkClass(p, c);
  }
  for (let i = 0; i < p.nested.length; i++) checkFunction(p, p.nested[i]!);
}

function completeModule(p: Program, m: Module): void {
  for (const f of m.funcs) p.completeBody(f);
  for (const c of m.classes) {
    const ctor = c.ctor;
    if (ctor != null) p.completeBody(ctor);
    for (const f of c.methods) p.completeBody(f);
  }
}

function checkClass(p: Program, c: ClassDecl): void {
  if (c.typeParams != null) return;
  const none: Type[] = [];
  const info = layout(p, p.classInfo(c, none));
  const ctor = c.ctor;
  if (ctor != null) checkFunction(p, methodInstance(p, info, ctor));
  for (const f of c.methods) {
    if (f.typeParams == null) checkFunction(p, methodInstance(p, info, f));
  }
}

/** Layouts of all classes in use: a line `Class size N`, then `Class.field offset size` for each field. */
export function layoutListing(p: Program): string {
  const lines: string[] = [];
  for (const c of p.classes) {
    if (c.layoutState != LAYOUT_DONE) continue;
    lines.push(`${c.name} size ${c.size}\n`);
    listFields(p, c, c, lines);
  }
  return lines.join("");
}

function listFields(p: Program, c: ClassInfo, owner: ClassInfo, lines: string[]): void {
  const base = owner.base;
  if (base != null) listFields(p, c, base, lines);
  for (const f of owner.fields) lines.push(`${c.name}.${p.names.text(f.name)} ${f.offset} ${sizeOf(p, f.type)}\n`);
}
