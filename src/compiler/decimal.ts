// Decimal text to the bits of the nearest IEEE double (ties to even), exactly, with integers only.
// A natural number is a list of 16-bit limbs, least significant first, without leading zero limbs.

import { Wide } from "./int64.ts";

function trim(n: i32[]): void {
  while (n.length > 0 && n[n.length - 1]! == 0) n.pop();
}

/** n = n * factor + addend, for small factor and addend. */
function multiplyAdd(n: i32[], factor: i32, addend: i32): void {
  let carry = addend;
  for (let i = 0; i < n.length; i++) {
    const v = (Math.imul(n[i]!, factor) + carry) | 0;
    n[i] = v & 0xffff;
    carry = v >>> 16;
  }
  if (carry != 0) n.push(carry);
}

function bitLength(n: i32[]): i32 {
  if (n.length == 0) return 0;
  let top = n[n.length - 1]!;
  let bits = (n.length - 1) * 16;
  while (top != 0) {
    top = top >> 1;
    bits++;
  }
  return bits;
}

function shiftLeft(n: i32[], count: i32): i32[] {
  const result: i32[] = [];
  for (let i = 0; i < count >> 4; i++) result.push(0);
  const bits = count & 15;
  let carry = 0;
  for (const limb of n) {
    const v = (limb << bits) | carry;
    result.push(v & 0xffff);
    carry = v >>> 16;
  }
  if (carry != 0) result.push(carry);
  return result;
}

function isBelow(a: i32[], b: i32[]): bool {
  if (a.length != b.length) return a.length < b.length;
  for (let i = a.length - 1; i >= 0; i--) {
    if (a[i]! != b[i]!) return a[i]! < b[i]!;
  }
  return false;
}

/** a = a - b, for b <= a. */
function subtract(a: i32[], b: i32[]): void {
  let borrow = 0;
  for (let i = 0; i < a.length; i++) {
    let v = a[i]! - borrow - (i < b.length ? b[i]! : 0);
    borrow = 0;
    if (v < 0) {
      v = v + 0x10000;
      borrow = 1;
    }
    a[i] = v;
  }
  trim(a);
}

class Scan {
  digits: i32[] = [];   // the significant digits as a natural number
  exponent: i32 = 0;    // power of ten
}

/** Read `12.5e-3` (underscores allowed); the exponent is cut at +-9999. */
function scanDecimal(text: string): Scan {
  const s = new Scan();
  let afterPoint = false;
  let i = 0;
  for (; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c == 46) afterPoint = true;
    else if (c >= 48 && c <= 57) {
      multiplyAdd(s.digits, 10, c - 48);
      if (afterPoint) s.exponent--;
    } else if (c != 95) break;
  }
  if (i >= text.length) return s;
  i++;
  const negative = text.charCodeAt(i) == 45;
  if (negative || text.charCodeAt(i) == 43) i++;
  let e = 0;
  for (; i < text.length; i++) {
    if (text.charCodeAt(i) != 95 && e < 1000) e = e * 10 + text.charCodeAt(i) - 48;
  }
  s.exponent += negative ? -e : e;
  return s;
}

/** Bits of numerator / denominator (both positive) as a double. */
function quotientBits(numerator: i32[], denominator: i32[]): Wide {
  let exponent = bitLength(numerator) - bitLength(denominator);   // 2^exponent <= value after the next test, < 2^(exponent+1)
  let n = exponent < 0 ? shiftLeft(numerator, -exponent) : numerator;
  let d = exponent > 0 ? shiftLeft(denominator, exponent) : denominator;
  if (isBelow(n, d)) {
    n = shiftLeft(n, 1);
    exponent--;
  }
  if (exponent > 1023) return new Wide(0, 0x7ff00000);
  let bits = 53;
  if (exponent < -1022) bits = 53 - (-1022 - exponent);
  if (bits < 0) return new Wide(0, 0);
  const m = new Wide(0, 0);
  for (let i = 0; i < bits; i++) {
    m.hi = (m.hi << 1) | (m.lo >>> 31);
    m.lo = m.lo << 1;
    if (!isBelow(n, d)) {
      subtract(n, d);
      m.lo = m.lo | 1;
    }
    n = shiftLeft(n, 1);
  }
  const half = !isBelow(n, d);                 // the next bit
  if (half) subtract(n, d);
  const roundUp = half && (n.length > 0 || (m.lo & 1) != 0);
  const field = exponent < -1022 ? 0 : exponent + 1022;   // the implicit bit of m adds one
  m.hi = (m.hi + (field << 20)) | 0;
  if (roundUp) {
    m.lo = (m.lo + 1) | 0;
    if (m.lo == 0) m.hi = (m.hi + 1) | 0;
  }
  return m;
}

/** The double nearest to a decimal literal. */
export function decimalToBits(text: string): Wide {
  const s = scanDecimal(text);
  trim(s.digits);
  if (s.digits.length == 0) return new Wide(0, 0);
  if (s.exponent > 400) return new Wide(0, 0x7ff00000);
  if (s.exponent < -1200) return new Wide(0, 0);
  const scale: i32[] = [1];
  const up = s.exponent >= 0;
  const power = up ? s.exponent : -s.exponent;
  for (let i = 0; i < power; i++) multiplyAdd(up ? s.digits : scale, 10, 0);
  return quotientBits(s.digits, scale);
}

/** The double nearest to a signed or unsigned 64-bit integer. */
export function integerToBits(value: Wide, signed: bool): Wide {
  const negative = signed && value.hi < 0;
  let lo = value.lo;
  let hi = value.hi;
  if (negative) {
    lo = (~lo + 1) | 0;
    hi = (~hi + (lo == 0 ? 1 : 0)) | 0;
  }
  const n: i32[] = [lo & 0xffff, lo >>> 16, hi & 0xffff, hi >>> 16];
  trim(n);
  if (n.length == 0) return new Wide(0, 0);
  const one: i32[] = [1];
  const bits = quotientBits(n, one);
  if (negative) bits.hi = bits.hi | -0x80000000;
  return bits;
}
