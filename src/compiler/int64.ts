// 64-bit integer arithmetic on pairs of 32-bit halves, for constants. The same bits come out on Node and in the guest.
// A constant of any integer type is held as its 64-bit two's complement value (u64 shares the bits and differs in meaning).

export class Wide {
  lo: i32;
  hi: i32;

  constructor(lo: i32, hi: i32) {
    this.lo = lo;
    this.hi = hi;
  }
}

/** Unsigned a < b of 32-bit patterns. */
export function below(a: i32, b: i32): bool {
  return (a ^ -0x80000000) < (b ^ -0x80000000);
}

export function add64(a: Wide, b: Wide): Wide {
  const lo = (a.lo + b.lo) | 0;
  const carry = below(lo, a.lo) ? 1 : 0;
  return new Wide(lo, (a.hi + b.hi + carry) | 0);
}

export function neg64(a: Wide): Wide {
  return add64(new Wide(~a.lo, ~a.hi), new Wide(1, 0));
}

export function sub64(a: Wide, b: Wide): Wide {
  const borrow = below(a.lo, b.lo) ? 1 : 0;
  return new Wide((a.lo - b.lo) | 0, (a.hi - b.hi - borrow) | 0);
}

/** High word of the unsigned 64-bit product of two 32-bit patterns. */
function mulHigh(a: i32, b: i32): i32 {
  const al = a & 0xffff;
  const ah = a >>> 16;
  const bl = b & 0xffff;
  const bh = b >>> 16;
  const low = Math.imul(al, bl);
  const mid1 = (Math.imul(ah, bl) + (low >>> 16)) | 0;
  const mid2 = (Math.imul(al, bh) + (mid1 & 0xffff)) | 0;
  return (Math.imul(ah, bh) + (mid1 >>> 16) + (mid2 >>> 16)) | 0;
}

export function mul64(a: Wide, b: Wide): Wide {
  const hi = (mulHigh(a.lo, b.lo) + Math.imul(a.lo, b.hi) + Math.imul(a.hi, b.lo)) | 0;
  return new Wide(Math.imul(a.lo, b.lo), hi);
}

export function shl64(a: Wide, count: i32): Wide {
  const n = count & 63;
  if (n == 0) return new Wide(a.lo, a.hi);
  if (n >= 32) return new Wide(0, a.lo << (n - 32));
  return new Wide(a.lo << n, (a.hi << n) | (a.lo >>> (32 - n)));
}

export function shr64(a: Wide, count: i32, signed: bool): Wide {
  const n = count & 63;
  if (n == 0) return new Wide(a.lo, a.hi);
  const fill = signed ? a.hi >> 31 : 0;
  if (n >= 32) return new Wide(n == 32 ? a.hi : signed ? a.hi >> (n - 32) : a.hi >>> (n - 32), fill);
  const lo = (a.lo >>> n) | (a.hi << (32 - n));
  return new Wide(lo, signed ? a.hi >> n : a.hi >>> n);
}

export function isZero64(a: Wide): bool {
  return (a.lo | a.hi) == 0;
}

/** -1, 0 or 1. */
export function compare64(a: Wide, b: Wide, signed: bool): i32 {
  if (a.hi != b.hi) {
    const less = signed ? a.hi < b.hi : below(a.hi, b.hi);
    return less ? -1 : 1;
  }
  if (a.lo == b.lo) return 0;
  return below(a.lo, b.lo) ? -1 : 1;
}

/** Unsigned quotient and remainder by shift and subtract; the remainder goes to `rest`. */
function divideUnsigned(a: Wide, b: Wide, rest: Wide): Wide {
  let quotient = new Wide(0, 0);
  let r = new Wide(0, 0);
  for (let bit = 63; bit >= 0; bit--) {
    r = shl64(r, 1);
    r.lo = r.lo | (shr64(a, bit, false).lo & 1);
    quotient = shl64(quotient, 1);
    if (compare64(r, b, false) >= 0) {
      r = sub64(r, b);
      quotient.lo = quotient.lo | 1;
    }
  }
  rest.lo = r.lo;
  rest.hi = r.hi;
  return quotient;
}

/** Truncating quotient; b is not zero. */
export function div64(a: Wide, b: Wide, signed: bool): Wide {
  const rest = new Wide(0, 0);
  if (!signed) return divideUnsigned(a, b, rest);
  const q = divideUnsigned(a.hi < 0 ? neg64(a) : a, b.hi < 0 ? neg64(b) : b, rest);
  return (a.hi < 0) != (b.hi < 0) ? neg64(q) : q;
}

/** Remainder with the sign of a; b is not zero. */
export function rem64(a: Wide, b: Wide, signed: bool): Wide {
  const rest = new Wide(0, 0);
  if (!signed) {
    divideUnsigned(a, b, rest);
    return rest;
  }
  divideUnsigned(a.hi < 0 ? neg64(a) : a, b.hi < 0 ? neg64(b) : b, rest);
  return a.hi < 0 ? neg64(rest) : rest;
}
