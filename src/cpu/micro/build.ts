/**
 * Typing rules of the microcode language: each function makes one checked expression or says why it can't. The parser
 * calls them bottom-up, so a tree that exists is well typed.
 */
import { signature } from './builtins.ts';
import { comparison, foldBinary, foldBuiltin, foldUnary } from './fold.ts';
import {
  constant, memValueType, type BinaryOp, type Cell, type Expr, type Fn, type LoadExpr, type MemType, type ValType,
} from './tree.ts';

/** Reports a mistake at the place the parser is looking at; never returns. */
export type Complain = (message: string) => never;

const floatOps = new Set<BinaryOp>(['+', '-', '*', '/', '==', '!=', '<', '<=', '>', '>=']);
const countOps = new Set<BinaryOp>(['<<', '>>', '>>>']);

export function valueOf(e: Expr, complain: Complain): ValType {
  if (e.type === 'void') complain('this call has no value');
  return e.type as ValType;
}

function want(e: Expr, type: ValType, what: string, complain: Complain): void {
  if (e.type !== type) complain(`${what} must be ${type}, not ${e.type}`);
}

/** A plain integer. */
export function wantInt(e: Expr, what: string, complain: Complain): Expr {
  want(e, 'i32', what, complain);
  return e;
}

/** An integer of which only zero or not zero matters. */
export function condition(e: Expr, what: string, complain: Complain): Expr {
  return e.type === 'i64' ? binary('!=', e, constant('i64', 0n), complain) : wantInt(e, what, complain);
}

/** A shift count of a 64-bit shift may be i32. */
function widenCount(b: Expr): Expr {
  if (b.type !== 'i32') return b;
  return foldBuiltin('u64', [b]) ?? { kind: 'builtin', type: 'i64', name: 'u64', args: [b] };
}

export function binary(op: BinaryOp, a: Expr, right: Expr, complain: Complain): Expr {
  const type = valueOf(a, complain);
  const b = type === 'i64' && countOps.has(op) ? widenCount(right) : right;
  if (b.type !== type) complain(`operands of ${op} are ${a.type} and ${b.type}`);
  if (type === 'f64' && !floatOps.has(op)) complain(`${op} has no meaning for f64`);
  if (a.kind === 'const' && b.kind === 'const') {
    const folded = foldBinary(op, a, b);
    if (folded) return folded;
  }
  return { kind: 'binary', type: comparison(op) ? 'i32' : type, op, a, b };
}

export function unary(op: '-' | '~' | '!', a: Expr, complain: Complain): Expr {
  const type = valueOf(a, complain);
  if (op === '!' && type === 'i64') return binary('==', a, constant('i64', 0n), complain);
  if (op === '!' && type === 'f64') complain('! has no meaning for f64');
  if (op === '~' && type === 'f64') complain('~ has no meaning for f64');
  if (a.kind === 'const') return foldUnary(op, a);
  return { kind: 'unary', type, op, a };
}

export function logic(op: '&&' | '||', a: Expr, b: Expr, complain: Complain): Expr {
  const left = condition(a, `left side of ${op}`, complain);
  const right = condition(b, `right side of ${op}`, complain);
  return { kind: 'logic', type: 'i32', op, a: left, b: right };
}

export function choose(test: Expr, a: Expr, b: Expr, complain: Complain): Expr {
  const cond = condition(test, 'a condition', complain);
  if (a.type !== b.type) complain(`the branches of ?: are ${a.type} and ${b.type}`);
  const type = valueOf(a, complain);
  if (cond.kind === 'const') return cond.value === 0 ? b : a;
  return { kind: 'choose', type, cond, a, b };
}

export function builtin(name: string, given: Expr[], complain: Complain): Expr {
  const rotates = (name === 'rotl' || name === 'rotr') && given[0]?.type === 'i64' && given.length === 2;
  const args = rotates ? [given[0]!, widenCount(given[1]!)] : given;
  const form = signature(name, args.map((a) => a.type));
  if (!form) return complain(`${name} does not take (${args.map((a) => a.type).join(', ')})`);
  return foldBuiltin(name, args) ?? { kind: 'builtin', type: form.result, name, args };
}

export function call(fn: Fn, args: Expr[], complain: Complain): Expr {
  if (args.length !== fn.params.length) complain(`${fn.name} takes ${fn.params.length} arguments, not ${args.length}`);
  fn.params.forEach((p, i) => want(args[i]!, p.type, `${fn.name}: argument ${p.name}`, complain));
  return { kind: 'call', type: fn.result, fn, args };
}

/** Memory at `base` + `address`, both unsigned. A constant address joins the base. */
export function load(memory: MemType, base: number, address: Expr, complain: Complain): LoadExpr {
  want(address, 'i32', 'address', complain);
  const type = memValueType[memory];
  if (address.kind === 'const') {
    const sum = (base >>> 0) + ((address.value as number) >>> 0);
    if (sum <= 0xffffffff) return { kind: 'load', type, memory, base: sum, address: constant('i32', 0) };
  }
  return { kind: 'load', type, memory, base: base >>> 0, address };
}

export function cell(c: Cell): LoadExpr {
  return { kind: 'load', type: memValueType[c.memory], memory: c.memory, base: c.address, address: constant('i32', 0) };
}
