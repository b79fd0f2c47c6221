/**
 * What printed JavaScript needs beyond the language's own operators: integer operations that trap like WebAssembly's, 64-bit
 * bit counts, saturating conversions, and bulk memory. A trap is a MicroTrap exception, which is always a mistake of ours.
 */
export class MicroTrap extends Error {}

const cell = new DataView(new ArrayBuffer(8));
const u64 = (x: bigint): bigint => BigInt.asUintN(64, x);
const s64 = (x: bigint): bigint => BigInt.asIntN(64, x);

function trap(message = 'unreachable'): never {
  throw new MicroTrap(message);
}

function checkDivisor(b: number | bigint): void {
  if (b == 0) trap('division by zero');
}

function pop32(a: number): number {
  let rest = a;
  let n = 0;
  for (; rest !== 0; rest &= rest - 1) n++;
  return n;
}

function sat32(x: number): number {
  if (Number.isNaN(x)) return 0;
  return Math.max(-(2 ** 31), Math.min(2 ** 31 - 1, Math.trunc(x))) | 0;
}

function sat64(x: number): bigint {
  if (Number.isNaN(x)) return 0n;
  if (x >= 2 ** 63) return 2n ** 63n - 1n;
  if (x < -(2 ** 63)) return -(2n ** 63n);
  return BigInt(Math.trunc(x));
}

/** Rounds to the nearest integer, ties to even, keeping the sign of zero. */
function nearest(x: number): number {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const big = x < 0 || Object.is(x, -0) ? -(2 ** 52) : 2 ** 52;
  const rounded = x + big - big;
  return rounded === 0 && big < 0 ? -0 : rounded;
}

/** Helpers over one memory, as `h` in printed text. */
export function jsHelpers(buffer: ArrayBuffer) {
  const bytes = new Uint8Array(buffer);
  const clz32 = Math.clz32;
  return {
    FAULT: { fault: true },
    trap,
    pop32,
    sat32,
    sat64,
    nearest,
    ctz32: (a: number) => (a === 0 ? 32 : 31 - clz32(a & -a)),
    clz64: (a: bigint) => {
      const high = Number(u64(a) >> 32n);
      return BigInt(high === 0 ? 32 + clz32(Number(u64(a) & 0xffffffffn)) : clz32(high));
    },
    ctz64: (a: bigint) => {
      const low = a & -a;
      return low === 0n ? 64n : BigInt(u64(low).toString(2).length - 1);
    },
    pop64: (a: bigint) => BigInt(pop32(Number(BigInt.asIntN(32, a))) + pop32(Number(BigInt.asIntN(32, a >> 32n)))),
    rotl32: (a: number, n: number) => (a << n) | (a >>> -n),
    rotl64: (a: bigint, n: bigint) => s64((u64(a) << (n & 63n)) | (u64(a) >> (-n & 63n))),
    div32: (a: number, b: number) => {
      checkDivisor(b);
      if (b === -1 && a === -(2 ** 31)) trap('integer overflow');
      return (a / b) | 0;
    },
    rem32: (a: number, b: number) => (checkDivisor(b), (a % b) | 0),
    divu32: (a: number, b: number) => (checkDivisor(b), ((a >>> 0) / (b >>> 0)) | 0),
    remu32: (a: number, b: number) => (checkDivisor(b), ((a >>> 0) % (b >>> 0)) | 0),
    div64: (a: bigint, b: bigint) => {
      checkDivisor(b);
      if (b === -1n && a === -(2n ** 63n)) trap('integer overflow');
      return a / b;
    },
    rem64: (a: bigint, b: bigint) => (checkDivisor(b), a % b),
    divu64: (a: bigint, b: bigint) => (checkDivisor(b), s64(u64(a) / u64(b))),
    remu64: (a: bigint, b: bigint) => (checkDivisor(b), s64(u64(a) % u64(b))),
    bits: (x: number) => (cell.setFloat64(0, x), cell.getBigInt64(0)),
    frombits: (x: bigint) => (cell.setBigInt64(0, x), cell.getFloat64(0)),
    select: <T>(c: number, a: T, b: T) => (c !== 0 ? a : b),
    memcopy: (to: number, from: number, n: number) => void bytes.copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (n >>> 0)),
    memfill: (to: number, value: number, n: number) => void bytes.fill(value, to >>> 0, (to >>> 0) + (n >>> 0)),
  };
}
