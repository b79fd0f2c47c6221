// Checked functions to IR: functions and statements. Expressions are in lowerexpr.ts, places in lowerplace.ts,
// calls in lowercall.ts. A function instance is checked directly before it is lowered.

import { Ex, St, K_INT, K_NONE } from "./ast.ts";
import type {
  Block, CallExpr, Expr, ExprStmt, ForOfStmt, ForStmt, IfStmt, JumpStmt, LabeledStmt, LoopStmt, Module, NameExpr, Stmt,
  SwitchStmt, VarDecl, VarStmt,
} from "./ast.ts";
import { Builder, Place } from "./builder.ts";
import { Builtin } from "./builtins.ts";
import { checkFunction, Checker, checkStatement } from "./check.ts";
import { checkAssign, isKnownFalse, isKnownTrue } from "./checkexpr.ts";
import { Cond, IrFunc, Op, T_I32, T_VOID } from "./ir.ts";
import type { IrModule } from "./ir.ts";
import { callLibrary, lowerInitialCall } from "./lowercall.ts";
import { lowerAs, lowerCondition, lowerEffect, lowerExpr, lowerStringEquals } from "./lowerexpr.ts";
import { elementPlace, loadFrom, storeTo, stringAddress } from "./lowerplace.ts";
import type { Pool } from "./data.ts";
import type { Program } from "./program.ts";
import { alignOf, baseOf, constructorOf, embedNeedsInit, isZeroLiteral, layout, sizeOf, vtableOf } from "./resolve.ts";
import { Kind } from "./types.ts";
import type { ClassInfo, FuncInst, Type } from "./types.ts";

/** Where break and continue go. */
export class JumpTarget {
  label: i32;
  breakBlock: i32;
  continueBlock: i32;          // -1: not a loop
  isBlock: bool = false;       // only a break with its label leaves it

  constructor(label: i32, breakBlock: i32, continueBlock: i32) {
    this.label = label;
    this.breakBlock = breakBlock;
    this.continueBlock = continueBlock;
  }
}

/** The state of lowering one function. */
export class Lower {
  readonly p: Program;
  readonly pool: Pool;
  readonly module: Module;
  readonly b: Builder;
  readonly inst: FuncInst | null;
  thisReg: i32 = -1;
  ret: Type | null = null;
  targets: JumpTarget[] = [];
  pendingLabel: i32 = -1;

  constructor(p: Program, pool: Pool, module: Module, inst: FuncInst | null, f: IrFunc) {
    this.p = p;
    this.pool = pool;
    this.module = module;
    this.inst = inst;
    this.b = new Builder(f);
  }

  setLine(pos: i32): void {
    this.b.line = this.module.file.lineOf(pos);
  }
}

/** Check and lower a function instance into the module. */
export function lowerFunction(p: Program, pool: Pool, inst: FuncInst, out: IrModule): void {
  checkFunction(p, inst);
  if (p.diags.count > 0 && !inst.defaultCtor) return;
  const decl = inst.decl;
  const module = decl.module!;
  const f = newFunction(inst.symbol, module, decl.pos);
  const l = new Lower(p, pool, module, inst, f);
  l.setLine(decl.pos);
  const ret = inst.ret == null ? p.types.tVoid : inst.ret!;
  l.ret = ret;
  f.ret = ret.regClass();
  lowerParameters(l, inst);
  const body = decl.body;
  const value = decl.value;
  f.naked = body != null && isNaked(p, body);
  if (decl.isCtor) lowerConstructorStart(l, inst);
  if (value != null) lowerResult(l, value);
  else if (body != null) {
    lowerStatements(l, body.body);
    l.setLine(body.end);
  }
  endFunction(l, f);
  out.funcs.push(f);
}

export function newFunction(symbol: string, module: Module, pos: i32): IrFunc {
  const f = new IrFunc();
  f.name = symbol;
  f.file = module.file.path;
  f.line = module.file.lineOf(pos);
  return f;
}

/** Close the last block and add the blocks that report failed checks. */
export function endFunction(l: Lower, f: IrFunc): void {
  const b = l.b;
  if (!b.isEnded()) {
    if (f.ret == T_VOID && !f.naked) b.ret(T_VOID, -1);
    else b.trap();
  }
  for (const c of b.cold) {
    b.start(c.block);
    b.line = c.line;
    const args: i32[] = [stringAddress(l, l.module.file.path), b.constant(T_I32, c.line, 0)];
    callLibrary(l, "indexPanic", args);
    b.trap();
  }
  b.finish();
}

function lowerParameters(l: Lower, inst: FuncInst): void {
  if (inst.hasThis()) {
    l.thisReg = l.b.temp(T_I32);
    l.b.f.params.push(l.thisReg);
  }
  for (let i = 0; i < inst.params.length; i++) {
    const param = inst.decl.params[i]!;
    const type = inst.params[i]!.regClass();
    param.vreg = l.b.variable(type);
    param.slot = -1;
    l.b.f.params.push(param.vreg);
  }
}

/** Is `naked()` the first statement? */
function isNaked(p: Program, body: Block): bool {
  if (body.body.length == 0 || body.body[0]!.kind != St.EXPR) return false;
  const e = (body.body[0]! as ExprStmt).expr!;
  if (e.kind != Ex.CALL) return false;
  const callee = (e as CallExpr).callee;
  return callee.kind == Ex.NAME && (callee as NameExpr).name == p.known.naked && (e as CallExpr).builtin == Builtin.NAKED;
}

// ---- constructors ----

/** What comes before a constructor's own statements: for a made-up one the base's constructor, then field values. */
function lowerConstructorStart(l: Lower, inst: FuncInst): void {
  const c = inst.cls!;
  const base = baseOf(l.p, c);
  if (inst.defaultCtor && base != null) {
    const ctor = constructorOf(l.p, base);
    if (ctor != null) {
      const args: i32[] = [l.thisReg];
      for (const param of inst.decl.params) args.push(param.vreg);
      l.b.call(l.p.use(ctor), args, T_VOID);
    }
  }
  if (base == null || inst.defaultCtor) lowerFieldValues(l);
}

/** Give the fields of the class being constructed their initial values. */
export function lowerFieldValues(l: Lower): void {
  const inst = l.inst!;
  const c = inst.cls!;
  const checker = new Checker(l.p, c.decl.module!, c.env, inst);
  for (const field of layout(l.p, c).fields) {
    const place = new Place();
    place.base = l.thisReg;
    place.disp = field.offset;
    const init = field.decl.init;
    if (init != null && !isZeroLiteral(init)) {
      l.setLine(field.decl.pos);
      checkAssign(checker, init, field.type);
      if (l.p.diags.count == 0) storeTo(l, place, field.type, init);
    } else if (embedNeedsInit(l.p, field.type)) {
      lowerEmbedInit(l, place, field.type);
    }
  }
}

/** Prepare records stored in place: vtable pointers and constructors without arguments. */
export function lowerEmbedInit(l: Lower, place: Place, t: Type): void {
  if (t.kind == Kind.EMBED) return lowerRecordInit(l, l.b.address(place), t.elem!.cls!);
  const address = l.b.variable(T_I32);
  l.b.assign(address, l.b.address(place));
  const end = l.b.binaryImm(Op.ADD, T_I32, address, sizeOf(l.p, t), 0);
  const body = l.b.newBlock();
  const done = l.b.newBlock();
  l.b.start(body);
  const item = new Place();
  item.base = address;
  lowerEmbedInit(l, item, t.elem!);
  l.b.assign(address, l.b.binaryImm(Op.ADD, T_I32, address, sizeOf(l.p, t.elem!), 0));
  l.b.branch(Cond.ULT, T_I32, address, end, body, done);
  l.b.start(done);
}

function lowerRecordInit(l: Lower, record: i32, c: ClassInfo): void {
  lowerVtable(l, record, c);
  const ctor = constructorOf(l.p, c);
  if (ctor == null) return;
  const none: Expr[] = [];
  lowerInitialCall(l, ctor, record, none);
}

/** Store the vtable pointer of a new record. */
export function lowerVtable(l: Lower, record: i32, c: ClassInfo): void {
  if (!l.p.hasVtable(c)) return;
  const place = new Place();
  place.base = record;
  l.b.store(place, T_I32, 4, l.b.symbolAddress(vtableSymbol(l.p, c)));
}

function vtableSymbol(p: Program, c: ClassInfo): string {
  if (c.vtableSymbol == "") {
    c.vtableSymbol = p.uniqueSymbol("vtable." + c.name, c.decl.module);
    vtableOf(p, c);
    p.newClasses.push(c);
  }
  return c.vtableSymbol;
}

// ---- statements ----

function lowerStatements(l: Lower, list: Stmt[]): void {
  for (const s of list) lowerStatement(l, s);
}

export function lowerStatement(l: Lower, s: Stmt): void {
  if (s.kind != St.BLOCK) l.setLine(s.pos);
  switch (s.kind) {
    case St.BLOCK: return lowerStatements(l, (s as Block).body);
    case St.VAR: return lowerVars(l, s as VarStmt);
    case St.EXPR: return lowerEffect(l, (s as ExprStmt).expr!);
    case St.IF: return lowerIf(l, s as IfStmt);
    case St.WHILE: return lowerWhile(l, s as LoopStmt);
    case St.DO: return lowerDo(l, s as LoopStmt);
    case St.FOR: return lowerFor(l, s as ForStmt);
    case St.FOR_OF: return lowerForOf(l, s as ForOfStmt);
    case St.SWITCH: return lowerSwitch(l, s as SwitchStmt);
    case St.RETURN: return lowerReturn(l, s as ExprStmt);
    case St.BREAK: case St.CONTINUE: return lowerJump(l, s as JumpStmt);
    case St.LABELED: return lowerLabeled(l, s as LabeledStmt);
    default: return;
  }
}

function lowerVars(l: Lower, s: VarStmt): void {
  for (const v of s.vars) {
    const t = v.type!;
    const init = v.init;
    if (t.isInPlace()) {
      v.slot = l.b.slot(sizeOf(l.p, t), alignOf(l.p, t));
      v.vreg = -1;
      continue;
    }
    if (v.konst != K_NONE) continue;
    v.slot = -1;
    v.vreg = l.b.variable(t.regClass());
    if (init != null) l.b.assign(v.vreg, lowerAs(l, init, t));
    else l.b.assign(v.vreg, l.b.constant(t.regClass(), 0, 0));
  }
}

function lowerIf(l: Lower, s: IfStmt): void {
  const no = s.no;
  if (isKnownTrue(s.test)) return lowerStatement(l, s.yes);
  if (isKnownFalse(s.test)) {
    if (no != null) lowerStatement(l, no);
    return;
  }
  const yesBlock = l.b.newBlock();
  const end = l.b.newBlock();
  const noBlock = no == null ? end : l.b.newBlock();
  lowerCondition(l, s.test, yesBlock, noBlock);
  l.b.start(yesBlock);
  lowerStatement(l, s.yes);
  if (no != null) {
    if (!l.b.isEnded()) l.b.jump(end);
    l.b.start(noBlock);
    lowerStatement(l, no);
  }
  l.b.start(end);
}

function enter(l: Lower, breakBlock: i32, continueBlock: i32): void {
  l.targets.push(new JumpTarget(l.pendingLabel, breakBlock, continueBlock));
  l.pendingLabel = -1;
}

/** The test stands at the end of the loop, so that an iteration has one branch. */
function lowerWhile(l: Lower, s: LoopStmt): void {
  const body = l.b.newBlock();
  const test = l.b.newBlock();
  const end = l.b.newBlock();
  enter(l, end, test);
  l.b.jump(test);
  l.b.start(body);
  lowerStatement(l, s.body);
  l.b.start(test);
  l.setLine(s.test.pos);
  lowerCondition(l, s.test, body, end);
  l.b.start(end);
  l.targets.pop();
}

function lowerDo(l: Lower, s: LoopStmt): void {
  const body = l.b.newBlock();
  const test = l.b.newBlock();
  const end = l.b.newBlock();
  enter(l, end, test);
  l.b.start(body);
  lowerStatement(l, s.body);
  l.b.start(test);
  l.setLine(s.test.pos);
  lowerCondition(l, s.test, body, end);
  l.b.start(end);
  l.targets.pop();
}

function lowerFor(l: Lower, s: ForStmt): void {
  const init = s.init;
  const test = s.test;
  const label = l.pendingLabel;
  l.pendingLabel = -1;
  if (init != null) lowerStatement(l, init);
  const body = l.b.newBlock();
  const update = l.b.newBlock();
  const testBlock = l.b.newBlock();
  const end = l.b.newBlock();
  l.pendingLabel = label;
  enter(l, end, update);
  l.b.jump(testBlock);
  l.b.start(body);
  lowerStatement(l, s.body);
  l.b.start(update);
  l.setLine(s.pos);
  for (const u of s.updates) lowerEffect(l, u);
  l.b.start(testBlock);
  if (test != null) lowerCondition(l, test, body, end);
  else l.b.jump(body);
  l.b.start(end);
  l.targets.pop();
}

function lowerForOf(l: Lower, s: ForOfStmt): void {
  const t = s.list.type!;
  const list = l.b.variable(T_I32);
  const index = l.b.variable(T_I32);
  l.b.assign(list, lowerExpr(l, s.list));
  l.b.assign(index, l.b.constant(T_I32, 0, 0));
  const body = l.b.newBlock();
  const update = l.b.newBlock();
  const test = l.b.newBlock();
  const end = l.b.newBlock();
  enter(l, end, update);
  l.b.jump(test);
  l.b.start(body);
  const elem = t.cls!.args[0]!;
  const item = s.item;
  item.vreg = l.b.variable(elem.regClass());
  item.slot = -1;
  l.b.assign(item.vreg, loadFrom(l, elementPlace(l, list, index, t), elem));
  lowerStatement(l, s.body);
  l.b.start(update);
  l.setLine(s.pos);
  l.b.assign(index, l.b.binaryImm(Op.ADD, T_I32, index, 1, 0));
  l.b.start(test);
  const length = new Place();
  length.base = list;
  length.disp = l.pool.lengthOffset;
  l.b.branch(Cond.ULT, T_I32, index, l.b.load(length, T_I32, 4, true), body, end);
  l.b.start(end);
  l.targets.pop();
}

function lowerReturn(l: Lower, s: ExprStmt): void {
  const e = s.expr;
  if (e == null) l.b.ret(T_VOID, -1);
  else lowerResult(l, e);
}

function lowerResult(l: Lower, e: Expr): void {
  const ret = l.ret!;
  if (ret.kind == Kind.VOID) {
    lowerEffect(l, e);
    l.b.ret(T_VOID, -1);
  } else l.b.ret(ret.regClass(), lowerAs(l, e, ret));
}

function lowerJump(l: Lower, s: JumpStmt): void {
  for (let i = l.targets.length - 1; i >= 0; i--) {
    const t = l.targets[i]!;
    if (s.label >= 0 ? t.label != s.label : t.isBlock) continue;
    if (s.kind == St.CONTINUE && t.continueBlock < 0) continue;
    if (!l.b.isEnded()) l.b.jump(s.kind == St.BREAK ? t.breakBlock : t.continueBlock);
    return;
  }
}

/** A labelled loop takes the label itself; another statement becomes a block that break can leave. */
function lowerLabeled(l: Lower, s: LabeledStmt): void {
  const kind = s.body.kind;
  const takesLabel = kind == St.WHILE || kind == St.DO || kind == St.FOR || kind == St.FOR_OF || kind == St.SWITCH;
  if (takesLabel) {
    l.pendingLabel = s.label;
    return lowerStatement(l, s.body);
  }
  const end = l.b.newBlock();
  const target = new JumpTarget(s.label, end, -1);
  target.isBlock = true;
  l.targets.push(target);
  lowerStatement(l, s.body);
  l.b.start(end);
  l.targets.pop();
}

// ---- switch ----

function lowerSwitch(l: Lower, s: SwitchStmt): void {
  const end = l.b.newBlock();
  const blocks: i32[] = [];
  let other = end;
  let constants = true;
  for (const k of s.cases) {
    const block = l.b.newBlock();
    const test = k.test;
    blocks.push(block);
    if (test == null) other = block;
    else if (test.konst != K_INT) constants = false;
  }
  const t = s.value.type!;
  const v = l.b.variable(t.regClass());
  l.b.assign(v, lowerExpr(l, s.value));
  if (constants && t.isIntegral() && !t.isWide()) lowerCases(l, s, v, blocks, other);
  else lowerTests(l, s, v, blocks, other);
  enter(l, end, -1);
  for (let i = 0; i < s.cases.length; i++) {
    l.b.start(blocks[i]!);
    lowerStatements(l, s.cases[i]!.body);
  }
  l.b.start(end);
  l.targets.pop();
}

/** Compare with one case after the other. */
function lowerTests(l: Lower, s: SwitchStmt, v: i32, blocks: i32[], other: i32): void {
  const t = s.value.type!;
  for (let i = 0; i < s.cases.length; i++) {
    const test = s.cases[i]!.test;
    if (test == null) continue;
    const next = l.b.newBlock();
    const k = lowerAs(l, test, t);
    if (t.kind == Kind.STRING) l.b.branchTrue(lowerStringEquals(l, v, k), blocks[i]!, next);
    else l.b.branch(Cond.EQ, t.regClass(), v, k, blocks[i]!, next);
    l.b.start(next);
  }
  l.b.jump(other);
}

/** Integer constants: a jump table where they lie close together, else a search by halving. */
function lowerCases(l: Lower, s: SwitchStmt, v: i32, blocks: i32[], other: i32): void {
  const values: i32[] = [];
  const targets: i32[] = [];
  for (let i = 0; i < s.cases.length; i++) {
    const test = s.cases[i]!.test;
    if (test != null) insertCase(values, targets, test.lo, blocks[i]!);
  }
  searchCases(l, v, values, targets, 0, values.length, other);
}

/** Insert into the sorted list; the first of equal cases counts. */
function insertCase(values: i32[], targets: i32[], value: i32, target: i32): void {
  let at = values.length;
  while (at > 0 && values[at - 1]! > value) at--;
  if (at > 0 && values[at - 1]! == value) return;
  values.push(value);
  targets.push(target);
  for (let i = values.length - 1; i > at; i--) {
    values[i] = values[i - 1]!;
    targets[i] = targets[i - 1]!;
  }
  values[at] = value;
  targets[at] = target;
}

function searchCases(l: Lower, v: i32, values: i32[], targets: i32[], from: i32, to: i32, other: i32): void {
  const count = to - from;
  if (count >= 4) {
    const span = (values[to - 1]! - values[from]!) | 0;
    if (span >= 0 && span < count * 3 + 4) return tableCases(l, v, values, targets, from, to, other);
  }
  if (count > 4) {
    const middle = (from + to) >> 1;
    const low = l.b.newBlock();
    const high = l.b.newBlock();
    l.b.branchImm(Cond.LT, T_I32, v, values[middle]!, values[middle]! >> 31, low, high);
    l.b.start(low);
    searchCases(l, v, values, targets, from, middle, other);
    l.b.start(high);
    return searchCases(l, v, values, targets, middle, to, other);
  }
  for (let i = from; i < to; i++) {
    const next = i + 1 < to ? l.b.newBlock() : other;
    l.b.branchImm(Cond.EQ, T_I32, v, values[i]!, values[i]! >> 31, targets[i]!, next);
    if (i + 1 < to) l.b.start(next);
  }
  if (count == 0) l.b.jump(other);
}

function tableCases(l: Lower, v: i32, values: i32[], targets: i32[], from: i32, to: i32, other: i32): void {
  const cases: i32[] = [];
  const low = values[from]!;
  for (let i = from; i < to; i++) {
    while (cases.length < values[i]! - low) cases.push(other);
    cases.push(targets[i]!);
  }
  l.b.table(v, low, cases, other);
}

// ---- initialisation of globals ----

/** A function that performs one statement of a module's top level. */
export function lowerTopLevel(p: Program, pool: Pool, module: Module, s: Stmt, symbol: string, out: IrModule): void {
  checkStatement(new Checker(p, module, null, null), s);
  if (p.diags.count > 0) return;
  const f = newFunction(symbol, module, s.pos);
  const l = new Lower(p, pool, module, null, f);
  lowerStatement(l, s);
  endFunction(l, f);
  out.funcs.push(f);
}

/** A function, v.initSymbol, that gives a (checked) global variable its initial value. */
export function lowerVariableInit(p: Program, pool: Pool, v: VarDecl, out: IrModule): void {
  const f = newFunction(v.initSymbol, v.module!, v.pos);
  const l = new Lower(p, pool, v.module!, null, f);
  l.setLine(v.pos);
  const place = new Place();
  place.sym = p.useGlobal(v);
  const init = v.init;
  if (v.type!.isInPlace()) lowerEmbedInit(l, place, v.type!);
  else if (init != null) storeTo(l, place, v.type!, init);
  endFunction(l, f);
  out.funcs.push(f);
}
