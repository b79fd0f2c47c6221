/**
 * Constant folding: what an operator or builtin gives for constant operands, exactly as WebAssembly computes it. i32 values
 * are signed JavaScript integers, i64 values signed bigints, f64 values numbers. An operation that would trap folds to null.
 */
import { constant, type BinaryOp, type ConstExpr, type Expr } from './tree.ts';

type Ints = (a: number, b: number) => number;
type Bigs = (a: bigint, b: bigint) => bigint;

const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);

const foldI32: Partial<Record<BinaryOp, Ints>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => Math.imul(a, b),
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << b,
  '>>': (a, b) => a >> b,
  '>>>': (a, b) => a >>> b,
  '/u': (a, b) => (a >>> 0) / (b >>> 0),
  '%u': (a, b) => (a >>> 0) % (b >>> 0),
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const foldI64: Partial<Record<BinaryOp, Bigs>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '&': (a, b) => a & b,
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '<<': (a, b) => a << (b & 63n),
  '>>': (a, b) => a >> (b & 63n),
  '>>>': (a, b) => u64(a) >> (b & 63n),
  '/u': (a, b) => u64(a) / u64(b),
  '%u': (a, b) => u64(a) % u64(b),
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};

const foldF64: Partial<Record<BinaryOp, Ints>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

const isComparison = new Set<BinaryOp>(['==', '!=', '<', '<=', '>', '>=', '<u', '<=u', '>u', '>=u']);

export function comparison(op: BinaryOp): boolean {
  return isComparison.has(op);
}

function compare<T extends number | bigint>(op: BinaryOp, a: T, b: T): boolean {
  switch (op.replace('u', '')) {
    case '==': return a === b;
    case '!=': return a !== b;
    case '<': return a < b;
    case '<=': return a <= b;
    case '>': return a > b;
    default: return a >= b;
  }
}

/** Value of `a op b`, or null when it would trap. */
export function foldBinary(op: BinaryOp, a: ConstExpr, b: ConstExpr): ConstExpr | null {
  if (comparison(op)) return constant('i32', foldCompare(op, a, b) ? 1 : 0);
  if (a.type !== 'f64' && '/%'.includes(op[0]!) && !divides(op, a, b)) return null;
  if (a.type === 'i64') return constant('i64', BigInt.asIntN(64, foldI64[op]!(a.value as bigint, b.value as bigint)));
  if (a.type === 'f64') return constant('f64', foldF64[op]!(a.value as number, b.value as number));
  return constant('i32', foldI32[op]!(a.value as number, b.value as number) | 0);
}

function divides(op: BinaryOp, a: ConstExpr, b: ConstExpr): boolean {
  if (b.value == 0) return false;
  return !(op === '/' && b.value == -1 && (a.value === -(2 ** 31) || a.value === -(2n ** 63n)));
}

function foldCompare(op: BinaryOp, a: ConstExpr, b: ConstExpr): boolean {
  if (a.type === 'i64') {
    const wide = op.endsWith('u') ? u64 : (x: bigint): bigint => x;
    return compare(op, wide(a.value as bigint), wide(b.value as bigint));
  }
  const word = op.endsWith('u') ? (x: number): number => x >>> 0 : (x: number): number => x;
  return compare(op, word(a.value as number), word(b.value as number));
}

export function foldUnary(op: '-' | '~' | '!', a: ConstExpr): ConstExpr {
  if (op === '!') return constant('i32', a.value == 0 ? 1 : 0);
  if (a.type === 'i64') return constant('i64', BigInt.asIntN(64, op === '-' ? -(a.value as bigint) : ~(a.value as bigint)));
  if (a.type === 'f64') return constant('f64', -(a.value as number));
  return constant('i32', op === '-' ? -(a.value as number) | 0 : ~(a.value as number));
}

const cell = new DataView(new ArrayBuffer(8));

function bitsOf(value: number): bigint {
  cell.setFloat64(0, value);
  return cell.getBigInt64(0);
}

const foldBuiltins: Record<string, (x: number & bigint) => ConstExpr> = {
  i64: (x) => constant('i64', BigInt(x)),
  u64: (x) => constant('i64', BigInt(x >>> 0)),
  lo: (x) => constant('i32', Number(BigInt.asIntN(32, x))),
  hi: (x) => constant('i32', Number(BigInt.asIntN(32, (x as bigint) >> 32n))),
  sext8: (x) => constant('i32', (x << 24) >> 24),
  sext16: (x) => constant('i32', (x << 16) >> 16),
  f64: (x) => constant('f64', x),
  f64u: (x) => constant('f64', x >>> 0),
  bits: (x) => constant('i64', bitsOf(x)),
};

/** Value of a builtin with constant arguments; null when it is not folded. */
export function foldBuiltin(name: string, args: readonly Expr[]): ConstExpr | null {
  const fold = foldBuiltins[name];
  const a = args[0];
  if (!fold || a?.kind !== 'const') return null;
  return fold(a.value as number & bigint);
}
