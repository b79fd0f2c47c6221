/**
 * Expansion: makes of a function the tree that the WebAssembly printer prints. Calls of inline functions become their
 * bodies, with fresh locals; constants and locals that are never assigned stand for themselves, so an inline function
 * called with constant arguments is specialised; constant conditions and switches lose their dead arms; statements that
 * can't be reached disappear. The trees of the program are only read: expanding twice gives the same result.
 */
import { comparison, foldBinary, foldBuiltin, foldUnary } from './fold.ts';
import {
  constant, neverEnds, newLocal, type BinaryOp, type Exit, type Expr, type Fn, type Local, type Stmt, type SwitchCase,
} from './tree.ts';

/** Body of a function that is not inline, ready to print. */
export function expandFunction(fn: Fn): Stmt[] {
  for (const p of fn.params) p.meaning = { kind: 'local', type: p.type, local: p };
  return statements(fn.body, null);
}

/** `exit` is where returns go: null in the function itself. */
function statements(list: readonly Stmt[], exit: Exit | null): Stmt[] {
  const out: Stmt[] = [];
  for (const s of list) {
    statement(s, exit, out);
    if (neverEnds(out)) break;
  }
  return out;
}

function statement(s: Stmt, exit: Exit | null, out: Stmt[]): void {
  switch (s.kind) {
    case 'let': return define(s.local, expression(s.value), out);
    case 'set': return void out.push({ kind: 'set', local: home(s.local), value: expression(s.value) });
    case 'setGlobal': return void out.push({ ...s, value: expression(s.value) });
    case 'store': return void out.push(store(s));
    case 'eval': return evaluate(expression(s.value), out);
    case 'if': return branch(s, exit, out);
    case 'loop': {
      const cond = s.cond && expression(s.cond);
      if (cond?.kind === 'const' && cond.value === 0) return;
      const breaks = cond && cond.kind !== 'const' ? cond : null;
      return void out.push({ kind: 'loop', loop: s.loop, cond: breaks, body: statements(s.body, exit) });
    }
    case 'switch': return choice(s, exit, out);
    case 'block': return splice(statements(s.body, exit), out);
    case 'return': {
      const value = s.value && expression(s.value);
      if (exit) exit.uses++;
      return void out.push(exit ? { kind: 'leave', exit, value } : { kind: 'return', value });
    }
    case 'try': return void out.push({ kind: 'try', body: statements(s.body, exit), handler: statements(s.handler, exit) });
    default: return void out.push(s);
  }
}

/** A block that defines nothing needs no scope. */
function splice(body: Stmt[], out: Stmt[]): void {
  if (body.some((s) => s.kind === 'let')) out.push({ kind: 'block', body });
  else out.push(...body);
}

/** What stands for a local that is assigned to: always a local. */
function home(local: Local): Local {
  const meaning = local.meaning!;
  return meaning.kind === 'local' ? meaning.local : local;
}

/** Gives a local its meaning: the value itself when that can't change, else a fresh local. */
function define(local: Local, value: Expr, out: Stmt[]): void {
  const lasting = value.kind === 'const' || (value.kind === 'local' && !value.local.assigned);
  if (!local.assigned && lasting) {
    local.meaning = value;
    return;
  }
  const fresh = { ...newLocal(local.name, local.type), assigned: local.assigned };
  local.meaning = { kind: 'local', type: local.type, local: fresh };
  out.push({ kind: 'let', local: fresh, value });
}

/** Parameters of an inline function: the caller's variables can't change while its body runs. */
function defineParam(param: Local, value: Expr, out: Stmt[]): void {
  if (!param.assigned && value.kind === 'local') param.meaning = value;
  else define(param, value, out);
}

function evaluate(value: Expr, out: Stmt[]): void {
  if (value.kind === 'sequence' && value.value === null) return splice(value.body, out);
  if (value.kind !== 'const' && value.kind !== 'local') out.push({ kind: 'eval', value });
}

function store(s: Stmt & { kind: 'store' }): Stmt {
  const { base, address } = place(s.base, expression(s.address));
  return { kind: 'store', memory: s.memory, base, address, value: expression(s.value) };
}

/** A constant address joins the base. */
function place(base: number, address: Expr): { base: number; address: Expr } {
  if (address.kind !== 'const') return { base, address };
  const sum = base + (Number(address.value) >>> 0);
  return sum <= 0xffffffff ? { base: sum, address: constant('i32', 0) } : { base, address };
}

function branch(s: Stmt & { kind: 'if' }, exit: Exit | null, out: Stmt[]): void {
  const cond = expression(s.cond);
  if (cond.kind === 'const') return splice(statements(cond.value === 0 ? s.else : s.then, exit), out);
  const then = statements(s.then, exit);
  const otherwise = statements(s.else, exit);
  if (then.length === 0 && otherwise.length === 0) return evaluate(cond, out);
  if (then.length === 0) out.push({ kind: 'if', cond: negate(cond), then: otherwise, else: [] });
  else out.push({ kind: 'if', cond, then, else: otherwise });
}

function choice(s: Stmt & { kind: 'switch' }, exit: Exit | null, out: Stmt[]): void {
  const value = expression(s.value);
  if (value.kind === 'const') {
    const hit = s.cases.find((c) => c.values.includes(value.value as number));
    return splice(statements(hit ? hit.body : s.default, exit), out);
  }
  const cases: SwitchCase[] = s.cases.map((c) => ({ values: c.values, body: statements(c.body, exit) }));
  out.push({ kind: 'switch', value, cases, default: statements(s.default, exit) });
}

// ---- expressions

function expression(e: Expr): Expr {
  switch (e.kind) {
    case 'const': case 'global': return e;
    case 'local': return e.local.meaning ?? e;
    case 'load': return { ...e, ...place(e.base, expression(e.address)) };
    case 'unary': return e.op === '!' ? negate(expression(e.a)) : minus(e.op, expression(e.a));
    case 'binary': return arithmetic(e.op, expression(e.a), expression(e.b));
    case 'logic': return logic(e.op, expression(e.a), expression(e.b));
    case 'choose': {
      const cond = expression(e.cond);
      if (cond.kind === 'const') return expression(cond.value === 0 ? e.b : e.a);
      return { kind: 'choose', type: e.type, cond, a: expression(e.a), b: expression(e.b) };
    }
    case 'call': return e.fn.inline ? inlined(e) : { ...e, args: e.args.map(expression) };
    case 'builtin': {
      const args = e.args.map(expression);
      return foldBuiltin(e.name, args) ?? { ...e, args };
    }
    default: return e;
  }
}

function minus(op: '-' | '~', a: Expr): Expr {
  return a.kind === 'const' ? foldUnary(op, a) : { kind: 'unary', type: a.type as 'i32', op, a };
}

const opposite: Partial<Record<BinaryOp, BinaryOp>> = {
  '==': '!=', '!=': '==', '<': '>=', '>=': '<', '>': '<=', '<=': '>', '<u': '>=u', '>=u': '<u', '>u': '<=u', '<=u': '>u',
};

/** `!a`. Comparisons turn round, but those of floats only when a NaN gives the same. */
export function negate(a: Expr): Expr {
  if (a.kind === 'const') return foldUnary('!', a);
  if (a.kind === 'binary' && opposite[a.op] && (a.a.type !== 'f64' || a.op === '==' || a.op === '!=')) {
    return { ...a, op: opposite[a.op]! };
  }
  if (a.kind === 'unary' && a.op === '!' && isBoolean(a.a)) return a.a;
  return { kind: 'unary', type: 'i32', op: '!', a };
}

/** Whether a value is certainly 0 or 1. */
export function isBoolean(e: Expr): boolean {
  if (e.kind === 'const') return e.value === 0 || e.value === 1;
  if (e.kind === 'unary') return e.op === '!';
  if (e.kind === 'binary') return comparison(e.op) || ('&|^'.includes(e.op) && isBoolean(e.a) && isBoolean(e.b));
  return e.kind === 'logic';
}

/** Whether computing an expression has no effect, so that it may be dropped. */
export function isPure(e: Expr): boolean {
  switch (e.kind) {
    case 'const': case 'local': case 'global': return true;
    case 'unary': return isPure(e.a);
    case 'binary': return !'/%'.includes(e.op[0]!) && isPure(e.a) && isPure(e.b);
    default: return false;
  }
}

function logic(op: '&&' | '||', a: Expr, b: Expr): Expr {
  const decided = op === '&&' ? 0 : 1;
  if (a.kind === 'const') {
    if ((a.value === 0 ? 0 : 1) === decided) return constant('i32', decided);
    return isBoolean(b) ? b : { kind: 'binary', type: 'i32', op: '!=', a: b, b: constant('i32', 0) };
  }
  if (b.kind === 'const') {
    if ((b.value === 0 ? 0 : 1) === decided && isPure(a)) return constant('i32', decided);
    if ((b.value === 0 ? 0 : 1) !== decided && isBoolean(a)) return a;
  }
  return { kind: 'logic', type: 'i32', op, a, b };
}

function arithmetic(op: BinaryOp, a: Expr, b: Expr): Expr {
  const plain: Expr = { kind: 'binary', type: comparison(op) ? 'i32' : (a.type as 'i32'), op, a, b };
  if (a.kind === 'const' && b.kind === 'const') return foldBinary(op, a, b) ?? plain;
  if (a.type === 'f64' || b.kind !== 'const') return plain;
  if (b.value == 0 && ['+', '-', '|', '^', '<<', '>>', '>>>'].includes(op)) return a;
  if (b.value == -1 && op === '&') return a;
  if (b.value == 0 && op === '&' && isPure(a)) return b;
  if (b.value == 1 && ['*', '/', '/u'].includes(op)) return a;
  if (op === '+' && a.kind === 'binary' && a.op === '+' && a.b.kind === 'const') return arithmetic('+', a.a, foldBinary('+', a.b, b)!);
  return signExtension(op, a, b) ?? plain;
}

/** `x << 24 >> 24` and `x << 16 >> 16` are single instructions. */
function signExtension(op: BinaryOp, a: Expr, b: Expr & { kind: 'const' }): Expr | null {
  if (op !== '>>' || a.type !== 'i32' || a.kind !== 'binary' || a.op !== '<<' || a.b.kind !== 'const') return null;
  if (a.b.value !== b.value || (b.value !== 24 && b.value !== 16)) return null;
  return { kind: 'builtin', type: 'i32', name: b.value === 24 ? 'sext8' : 'sext16', args: [a.a] };
}

function inlined(e: Expr & { kind: 'call' }): Expr {
  const args = e.args.map(expression);
  const exit: Exit = { uses: 0, depth: 0 };
  const body: Stmt[] = [];
  e.fn.params.forEach((p, i) => defineParam(p, args[i]!, body));
  body.push(...statements(e.fn.body, exit));
  const last = body[body.length - 1];
  if (exit.uses === 0) {
    // A body that can't end leaves no value, which the printer has to know.
    return { kind: 'sequence', type: e.type, body, value: null };
  }
  if (exit.uses > 1 || last?.kind !== 'leave') return { kind: 'inlined', type: e.type, body, exit };
  body.pop();
  return body.length === 0 && last.value ? last.value : { kind: 'sequence', type: e.type, body, value: last.value };
}
