/**
 * The WebAssembly printer: a checked program becomes the bytes of a module. It imports `env.memory` and the program's extern
 * functions, and exports its `export` functions and globals and the global `fault`.
 *
 * Faults: after every call of a throws function that is not inline, `fault` is tested and control branches to the innermost
 * fault target, which is the handler of a `try` or the end of the function. Locals of disjoint scopes share slots.
 */
import { ByteWriter } from '../../wasm/bytes.ts';
import { WasmModule, writeConst } from '../../wasm/module.ts';
import { Op, TypeCode } from '../../wasm/opcodes.ts';
import { signature } from './builtins.ts';
import { expandFunction, isBoolean, isPure, negate } from './expand.ts';
import {
  type BinaryOp, type Expr, type Fn, type Local, type Loop, type MemType, type MicroProgram, type ResultType, type Stmt, type ValType,
} from './tree.ts';

const loadCodes: Record<MemType, number> = {
  m8: Op.i32_load8_u, s8: Op.i32_load8_s, m16: Op.i32_load16_u, s16: Op.i32_load16_s, m32: Op.i32_load, m64: Op.i64_load, d64: Op.f64_load,
};
const storeCodes: Record<MemType, number> = {
  m8: Op.i32_store8, s8: Op.i32_store8, m16: Op.i32_store16, s16: Op.i32_store16, m32: Op.i32_store, m64: Op.i64_store, d64: Op.f64_store,
};

/** Each operator's instruction for i32, i64 and f64 (0: none). */
const binaryCodes: Record<BinaryOp, [number, number, number]> = {
  '+': [Op.i32_add, Op.i64_add, Op.f64_add],
  '-': [Op.i32_sub, Op.i64_sub, Op.f64_sub],
  '*': [Op.i32_mul, Op.i64_mul, Op.f64_mul],
  '/': [Op.i32_div_s, Op.i64_div_s, Op.f64_div],
  '%': [Op.i32_rem_s, Op.i64_rem_s, 0],
  '/u': [Op.i32_div_u, Op.i64_div_u, 0],
  '%u': [Op.i32_rem_u, Op.i64_rem_u, 0],
  '&': [Op.i32_and, Op.i64_and, 0],
  '|': [Op.i32_or, Op.i64_or, 0],
  '^': [Op.i32_xor, Op.i64_xor, 0],
  '<<': [Op.i32_shl, Op.i64_shl, 0],
  '>>': [Op.i32_shr_s, Op.i64_shr_s, 0],
  '>>>': [Op.i32_shr_u, Op.i64_shr_u, 0],
  '==': [Op.i32_eq, Op.i64_eq, Op.f64_eq],
  '!=': [Op.i32_ne, Op.i64_ne, Op.f64_ne],
  '<': [Op.i32_lt_s, Op.i64_lt_s, Op.f64_lt],
  '<=': [Op.i32_le_s, Op.i64_le_s, Op.f64_le],
  '>': [Op.i32_gt_s, Op.i64_gt_s, Op.f64_gt],
  '>=': [Op.i32_ge_s, Op.i64_ge_s, Op.f64_ge],
  '<u': [Op.i32_lt_u, Op.i64_lt_u, 0],
  '<=u': [Op.i32_le_u, Op.i64_le_u, 0],
  '>u': [Op.i32_gt_u, Op.i64_gt_u, 0],
  '>=u': [Op.i32_ge_u, Op.i64_ge_u, 0],
};
const column: Record<ValType, 0 | 1 | 2> = { i32: 0, i64: 1, f64: 2 };

/** A switch whose labels fill at least a quarter of their range is a jump table. */
const tableDensity = 4;

/** Whether a condition is best compiled to branches. */
function compound(cond: Expr): boolean {
  return cond.kind === 'logic' || (cond.kind === 'unary' && cond.op === '!' && cond.a.kind === 'logic');
}

class FunctionPrinter {
  private readonly fn: Fn;
  private readonly fault: number;
  private readonly out = new ByteWriter();
  private readonly locals: ValType[] = [];
  private readonly free: Record<ValType, number[]> = { i32: [], i64: [], f64: [] };
  private depth = 0;
  /** Depths of the blocks whose ends faults branch to: with `fault` already set, and still to be set. */
  private faultDepth = -1;
  private raiseDepth = -1;
  /** Where the last `local.set` ends and begins, to turn it into a `local.tee`. */
  private setEnd = -1;
  private setStart = -1;
  private setSlot = -1;

  constructor(fn: Fn, fault: number) {
    this.fn = fn;
    this.fault = fault;
  }

  print(): { locals: ValType[]; code: Uint8Array } {
    this.fn.params.forEach((p, i) => (p.slot = i));
    const body = expandFunction(this.fn);
    if (this.fn.throws) this.throwingBody(body);
    else this.plainBody(body);
    return { locals: this.locals, code: this.out.take() };
  }

  private plainBody(body: Stmt[]): void {
    const last = body[body.length - 1];
    const tail = last?.kind === 'return' ? last : null;
    this.listWithValue(tail ? body.slice(0, -1) : body, tail?.value ?? null, this.fn.result);
  }

  /** Blocks around the body: a raise falls out of the inner one, a callee's fault out of the outer one. */
  private throwingBody(body: Stmt[]): void {
    this.faultDepth = this.open(Op.block);
    this.raiseDepth = this.open(Op.block);
    this.list(body);
    this.op(this.fn.result === 'void' ? Op.return : Op.unreachable);
    this.close();
    this.setFault(1);
    this.close();
    if (this.fn.result !== 'void') writeConst(this.out, this.fn.result, 0);
  }

  // ---- bytes

  private op(code: number): void {
    if (code > 0xff) {
      this.out.byte(code >> 8);
      this.out.u32(code & 0xff);
    } else this.out.byte(code);
  }

  private op1(code: number, operand: number): void {
    this.out.byte(code);
    this.out.u32(operand);
  }

  /** Opens a block and says its depth. */
  private open(code: number, type: ResultType = 'void'): number {
    this.out.byte(code);
    this.out.byte(type === 'void' ? TypeCode.empty : TypeCode[type]);
    return ++this.depth;
  }

  private close(): void {
    this.op(Op.end);
    this.depth--;
  }

  private br(depth: number): void {
    this.op1(Op.br, this.depth - depth);
  }

  private brIf(depth: number): void {
    this.op1(Op.br_if, this.depth - depth);
  }

  private get(slot: number): void {
    if (this.setEnd === this.out.length && this.setSlot === slot) {
      this.out.setByte(this.setStart, Op.local_tee);
      this.setEnd = -1;
    } else this.op1(Op.local_get, slot);
  }

  private set(slot: number): void {
    this.setStart = this.out.length;
    this.op1(Op.local_set, slot);
    this.setEnd = this.out.length;
    this.setSlot = slot;
  }

  private setFault(value: number): void {
    writeConst(this.out, 'i32', value);
    this.op1(Op.global_set, this.fault);
  }

  private take(type: ValType): number {
    const old = this.free[type].pop();
    if (old !== undefined) return old;
    return this.fn.params.length + this.locals.push(type) - 1;
  }

  // ---- statements

  /** Statements of one scope; the slots of its locals are free again afterwards. */
  private list(body: readonly Stmt[]): void {
    for (const s of body) this.statement(s);
    this.release(body);
  }

  /** Statements, then the value they prepare; without one although the type has values, control never gets there. */
  private listWithValue(body: readonly Stmt[], value: Expr | null, type: ResultType): void {
    for (const s of body) this.statement(s);
    if (value) this.value(value);
    else if (type !== 'void') this.op(Op.unreachable);
    this.release(body);
  }

  private release(body: readonly Stmt[]): void {
    for (const s of body) if (s.kind === 'let') this.free[s.local.type].push(s.local.slot);
  }

  private statement(s: Stmt): void {
    switch (s.kind) {
      case 'let': return this.define(s.local, s.value);
      case 'set': this.value(s.value); return this.set(s.local.slot);
      case 'setGlobal': this.value(s.value); return this.op1(Op.global_set, s.global.index);
      case 'store': return this.store(s);
      case 'eval': this.value(s.value); if (s.value.type !== 'void') this.op(Op.drop); return;
      case 'if': return this.branch(s.cond, s.then, s.else);
      case 'loop': return this.loop(s.loop, s.cond, s.body);
      case 'break': return this.br(s.loop.breakDepth);
      case 'continue': return this.br(s.loop.continueDepth);
      case 'switch': return this.choice(s);
      case 'block': return this.list(s.body);
      case 'return': if (s.value) this.value(s.value); return this.op(Op.return);
      case 'leave': if (s.value) this.value(s.value); return this.br(s.exit.depth);
      case 'raise': return this.br(this.raiseDepth);
      case 'try': return this.guard(s.body, s.handler);
    }
  }

  private define(local: Local, value: Expr): void {
    this.value(value);
    local.slot = this.take(local.type);
    this.set(local.slot);
  }

  private store(s: Stmt & { kind: 'store' }): void {
    this.value(s.address);
    this.value(s.value);
    this.access(storeCodes[s.memory], s.base);
  }

  private access(code: number, base: number): void {
    this.op(code);
    this.out.u32(0);
    this.out.u32(base);
  }

  /** Where a statement that only jumps goes to; -1 for any other. */
  private jumpDepth(list: readonly Stmt[]): number {
    const s = list[0];
    if (list.length !== 1 || !s) return -1;
    if (s.kind === 'break') return s.loop.breakDepth;
    if (s.kind === 'continue') return s.loop.continueDepth;
    if (s.kind === 'raise') return this.raiseDepth;
    return s.kind === 'leave' && s.value === null ? s.exit.depth : -1;
  }

  private branch(cond: Expr, then: Stmt[], otherwise: Stmt[]): void {
    const depth = this.jumpDepth(then);
    if (depth >= 0) {
      this.jump(cond, depth, true);
      return this.list(otherwise);
    }
    if (otherwise.length === 0) return this.guarded(cond, then);
    if (!compound(cond)) {
      this.truth(cond);
      this.open(Op.if);
      this.list(then);
      this.op(Op.else);
      this.list(otherwise);
      return this.close();
    }
    const end = this.open(Op.block);
    const no = this.open(Op.block);
    this.jump(cond, no, false);
    this.list(then);
    this.br(end);
    this.close();
    this.list(otherwise);
    this.close();
  }

  private guarded(cond: Expr, then: Stmt[]): void {
    if (compound(cond)) {
      const end = this.open(Op.block);
      this.jump(cond, end, false);
    } else {
      this.truth(cond);
      this.open(Op.if);
    }
    this.list(then);
    this.close();
  }

  /** Branches to `depth` when `cond` is `sense`, else goes on. */
  private jump(cond: Expr, depth: number, sense: boolean): void {
    if (cond.kind === 'unary' && cond.op === '!') return this.jump(cond.a, depth, !sense);
    if (cond.kind === 'logic') return this.jumpLogic(cond, depth, sense);
    this.truth(sense ? cond : negate(cond));
    this.brIf(depth);
  }

  private jumpLogic(cond: Expr & { kind: 'logic' }, depth: number, sense: boolean): void {
    if ((cond.op === '||') === sense) {
      this.jump(cond.a, depth, sense);
      return this.jump(cond.b, depth, sense);
    }
    const skip = this.open(Op.block);
    this.jump(cond.a, skip, !sense);
    this.jump(cond.b, depth, sense);
    this.close();
  }

  /** A value of which only zero or not zero matters. */
  private truth(cond: Expr): void {
    const test = cond.kind === 'binary' && cond.op === '!=' && cond.b.kind === 'const' && cond.b.value === 0 && cond.a.type === 'i32';
    this.value(test ? cond.a : cond);
  }

  private loop(loop: Loop, cond: Expr | null, body: Stmt[]): void {
    const breaks = loop.breaks > 0 || cond !== null;
    if (breaks) loop.breakDepth = this.open(Op.block);
    loop.continueDepth = this.open(Op.loop);
    if (cond) this.jump(cond, loop.breakDepth, false);
    this.list(body);
    this.br(loop.continueDepth);
    this.close();
    if (breaks) this.close();
    else this.op(Op.unreachable);
  }

  private choice(s: Stmt & { kind: 'switch' }): void {
    const end = this.open(Op.block);
    const other = this.open(Op.block);
    for (let i = s.cases.length; i > 0; i--) this.open(Op.block);
    const labels = s.cases.flatMap((c, i) => c.values.map((value) => ({ value, depth: this.depth - i })));
    this.dispatch(s.value, labels, other);
    for (const c of s.cases) {
      this.close();
      this.list(c.body);
      this.br(end);
    }
    this.close();
    this.list(s.default);
    this.close();
  }

  private dispatch(value: Expr, labels: { value: number; depth: number }[], other: number): void {
    const values = labels.map((l) => l.value);
    const least = values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
    const size = values.reduce((a, b) => Math.max(a, b), least) - least + 1;
    if (labels.length < 3 || size > labels.length * tableDensity + 8) return this.dispatchSparse(value, labels, other);
    const table = new Array<number>(size).fill(other);
    for (const l of labels) table[l.value - least] = l.depth;
    this.value(value);
    // A switch from 0 or a little more takes a few more table entries instead of a subtraction.
    const spare = least > 0 && least <= 16 ? least : 0;
    if (least !== spare) {
      writeConst(this.out, 'i32', least);
      this.op(Op.i32_sub);
    }
    this.op1(Op.br_table, size + spare);
    for (let i = 0; i < spare; i++) this.out.u32(this.depth - other);
    for (const depth of table) this.out.u32(this.depth - depth);
    this.out.u32(this.depth - other);
  }

  private dispatchSparse(value: Expr, labels: { value: number; depth: number }[], other: number): void {
    const slot = this.take('i32');
    this.value(value);
    this.set(slot);
    for (const l of labels) {
      this.get(slot);
      writeConst(this.out, 'i32', l.value);
      this.op(Op.i32_eq);
      this.brIf(l.depth);
    }
    this.br(other);
    this.free.i32.push(slot);
  }

  private guard(body: Stmt[], handler: Stmt[]): void {
    const { faultDepth, raiseDepth } = this;
    const end = this.open(Op.block);
    this.faultDepth = this.raiseDepth = this.open(Op.block);
    this.list(body);
    this.br(end);
    this.close();
    this.faultDepth = faultDepth;
    this.raiseDepth = raiseDepth;
    this.setFault(0);
    this.list(handler);
    this.close();
  }

  // ---- expressions

  private value(e: Expr): void {
    switch (e.kind) {
      case 'const': return writeConst(this.out, e.type, e.value);
      case 'local': return this.get(e.local.slot);
      case 'global': return this.op1(Op.global_get, e.global.index);
      case 'load': this.value(e.address); return this.access(loadCodes[e.memory], e.base);
      case 'unary': return this.unary(e);
      case 'binary': return this.binary(e);
      case 'logic': return this.logic(e);
      case 'choose': return this.choose(e);
      case 'call': return this.call(e.fn, e.args);
      case 'builtin': return this.builtin(e.name, e.args);
      case 'inlined': return this.inlined(e);
      case 'sequence': return this.sequence(e);
    }
  }

  private unary(e: Expr & { kind: 'unary' }): void {
    if (e.op === '!') {
      this.value(e.a);
      return this.op(Op.i32_eqz);
    }
    if (e.type === 'f64') {
      this.value(e.a);
      return this.op(Op.f64_neg);
    }
    if (e.op === '-') writeConst(this.out, e.type, 0);
    this.value(e.a);
    if (e.op === '~') writeConst(this.out, e.type, -1);
    this.op(binaryCodes[e.op === '-' ? '-' : '^'][column[e.type]]);
  }

  private binary(e: Expr & { kind: 'binary' }): void {
    this.value(e.a);
    const type = e.a.type as ValType;
    if (e.op === '==' && type !== 'f64' && e.b.kind === 'const' && e.b.value == 0) return this.op(type === 'i32' ? Op.i32_eqz : Op.i64_eqz);
    this.value(e.b);
    this.op(binaryCodes[e.op][column[type]]);
  }

  /** `e` as 0 or 1. */
  private boolean(e: Expr): void {
    this.value(isBoolean(e) ? e : { kind: 'binary', type: 'i32', op: '!=', a: e, b: { kind: 'const', type: 'i32', value: 0 } });
  }

  private logic(e: Expr & { kind: 'logic' }): void {
    if (isPure(e.b) && isBoolean(e.b)) {
      this.boolean(e.a);
      this.boolean(e.b);
      return this.op(e.op === '&&' ? Op.i32_and : Op.i32_or);
    }
    this.truth(e.a);
    this.open(Op.if, 'i32');
    if (e.op === '&&') this.boolean(e.b);
    else writeConst(this.out, 'i32', 1);
    this.op(Op.else);
    if (e.op === '||') this.boolean(e.b);
    else writeConst(this.out, 'i32', 0);
    this.close();
  }

  private choose(e: Expr & { kind: 'choose' }): void {
    const simple = (x: Expr): boolean => x.kind === 'const' || x.kind === 'local';
    if (simple(e.a) && simple(e.b)) {
      this.value(e.a);
      this.value(e.b);
      this.truth(e.cond);
      return this.op(Op.select);
    }
    this.truth(e.cond);
    this.open(Op.if, e.type);
    this.value(e.a);
    this.op(Op.else);
    this.value(e.b);
    this.close();
  }

  private call(fn: Fn, args: readonly Expr[]): void {
    for (const a of args) this.value(a);
    this.op1(Op.call, fn.index);
    if (!fn.throws) return;
    this.op1(Op.global_get, this.fault);
    this.brIf(this.faultDepth);
  }

  private builtin(name: string, args: readonly Expr[]): void {
    const order = name === 'select' ? [args[1]!, args[2]!, args[0]!] : args;
    for (const a of order) this.value(a);
    if (name === 'hi') {
      writeConst(this.out, 'i64', 32n);
      this.op(Op.i64_shr_u);
    }
    this.op(signature(name, args.map((a) => a.type))!.code);
    if (name === 'memcopy') this.out.byte(0);
    if (name === 'memcopy' || name === 'memfill') this.out.byte(0);
  }

  private inlined(e: Expr & { kind: 'inlined' }): void {
    e.exit.depth = this.open(Op.block, e.type);
    const last = e.body[e.body.length - 1];
    const tail = last?.kind === 'leave' && last.exit === e.exit ? last : null;
    this.listWithValue(tail ? e.body.slice(0, -1) : e.body, tail?.value ?? null, e.type);
    this.close();
  }

  private sequence(e: Expr & { kind: 'sequence' }): void {
    this.listWithValue(e.body, e.value, e.type);
  }
}

/** The bytes of a program's WebAssembly module, for a memory of `pages` pages that stays as it is, or of any size. */
export function toWasm(program: MicroProgram, pages: number | null = null): Uint8Array<ArrayBuffer> {
  const module = new WasmModule();
  const type = (f: Fn): number => module.type(f.params.map((p) => p.type), f.result === 'void' ? [] : [f.result]);
  module.importMemory('env', 'memory', pages ?? 1, pages);
  for (const f of program.externs) f.index = module.importFunction('env', f.name, type(f));
  for (const g of program.globals) {
    g.index = module.addGlobal(g.type, g.initial);
    if (g.exported) module.exportGlobal(g.name, g.index);
  }
  for (const f of program.functions) if (!f.inline) f.index = module.addFunction(f.name, type(f));
  for (const f of program.functions) {
    if (f.inline) continue;
    module.setBody(f.index, new FunctionPrinter(f, program.fault.index).print());
    if (f.exported) module.exportFunction(f.name, f.index);
  }
  return module.toBytes();
}
