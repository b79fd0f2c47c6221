// Strings: records of a length, that many bytes and a NUL, never changed once made. The compiler turns operators, templates
// and methods of string into calls of these functions; s.length is a load. What is made here comes from malloc and lives
// until free(s); literals lie in the program's read-only segment and are never given back.

import { malloc, mfree } from "rt/rt.ts";

/** Address of a new string record with room for `length` bytes, its NUL set. */
export function newString(length: i32): usize {
  const p = malloc((length as usize) + 5);
  store<i32>(p, length);
  store<u8>(p + 4 + (length as usize), 0);
  return p;
}

/** Copy the bytes of s to an address; the address behind them. */
export function appendString(to: usize, s: string): usize {
  const n = s.length as usize;
  memory.copy(to, changetype<usize>(s) + 4, n);
  return to + n;
}

export function stringConcat(a: string, b: string): string {
  const p = newString(a.length + b.length);
  appendString(appendString(p + 4, a), b);
  return changetype<string>(p);
}

/** The concatenation of `count` strings whose references lie at an address. */
export function stringJoin(parts: Ptr<string>, count: i32): string {
  let length = 0;
  for (let i = 0; i < count; i++) length += parts[i]!.length;
  const p = newString(length);
  let at = p + 4;
  for (let i = 0; i < count; i++) at = appendString(at, parts[i]!);
  return changetype<string>(p);
}

export function stringFree(s: string): void {
  const p = changetype<usize>(s);
  if (p < linkerSymbol("_text") || p >= linkerSymbol("_end")) mfree(p);
}

export function stringEquals(a: string, b: string): bool {
  const p = changetype<usize>(a);
  const q = changetype<usize>(b);
  if (p == q) return true;
  if (p == 0 || q == 0) return false;
  const n = load<i32>(p);
  if (n != load<i32>(q)) return false;
  return memoryCompare(p + 4, q + 4, n as usize) == 0;
}

/** Negative, 0 or positive, by bytes, a prefix before the longer string. */
export function stringCompare(a: string, b: string): i32 {
  const n = a.length < b.length ? a.length : b.length;
  const order = memoryCompare(changetype<usize>(a) + 4, changetype<usize>(b) + 4, n as usize);
  return order != 0 ? order : a.length - b.length;
}

/** memcmp: words first, then bytes. */
export function memoryCompare(a: usize, b: usize, bytes: usize): i32 {
  let i: usize = 0;
  while (i + 4 <= bytes && load<u32>(a + i) == load<u32>(b + i)) i += 4;
  for (; i < bytes; i++) {
    const x = load<u8>(a + i);
    const y = load<u8>(b + i);
    if (x != y) return (x as i32) - y;
  }
  return 0;
}

/** The byte at an index, -1 outside of the string. */
export function stringCharCodeAt(s: string, index: i32): i32 {
  if (index < 0 || index >= s.length) return -1;
  return load<u8>(changetype<usize>(s) + (index as usize), 4);
}

function clamp(n: i32, length: i32): i32 {
  return n < 0 ? 0 : n > length ? length : n;
}

export function stringSubstring(s: string, start: i32, end: i32 = 0x7fffffff): string {
  const a = clamp(start, s.length);
  const b = clamp(end, s.length);
  const low = a < b ? a : b;
  const n = a < b ? b - a : a - b;
  if (n == s.length) return s;
  if (n == 0) return "";
  const p = newString(n);
  memory.copy(p + 4, changetype<usize>(s) + 4 + (low as usize), n as usize);
  return changetype<string>(p);
}

function matchesAt(s: string, what: string, at: i32): bool {
  if (at < 0 || at + what.length > s.length) return false;
  const n = what.length as usize;
  return memoryCompare(changetype<usize>(s) + 4 + (at as usize), changetype<usize>(what) + 4, n) == 0;
}

export function stringIndexOf(s: string, what: string, from: i32 = 0): i32 {
  for (let i = clamp(from, s.length); i + what.length <= s.length; i++) {
    if (matchesAt(s, what, i)) return i;
  }
  return -1;
}

export function stringLastIndexOf(s: string, what: string): i32 {
  for (let i = s.length - what.length; i >= 0; i--) {
    if (matchesAt(s, what, i)) return i;
  }
  return -1;
}

export function stringStartsWith(s: string, what: string, at: i32 = 0): bool {
  const n = what.length;
  if (at < 0 || at + n > s.length) return false;
  const p = changetype<usize>(what);
  const q = changetype<usize>(s) + (at as usize);
  let i: usize = 4;
  const end = (n as usize) + 4;
  while (i + 4 <= end) {
    if (load<u32>(p + i) != load<u32>(q + i)) return false;
    i += 4;
  }
  for (; i < end; i++) if (load<u8>(p + i) != load<u8>(q + i)) return false;
  return true;
}

export function stringEndsWith(s: string, what: string): bool {
  return matchesAt(s, what, s.length - what.length);
}

export function stringFromCharCode(code: i32): string {
  const p = newString(1);
  store<u8>(p, (code & 255) as u8, 4);
  return changetype<string>(p);
}

// ---- numbers as text ----

let digits!: FixedArray<u8, 24>;

/** A string of the digits from digits[at] to the end of the buffer. */
function digitString(at: i32): string {
  const n = 24 - at;
  const p = newString(n);
  memory.copy(p + 4, addressof(digits) + (at as usize), n as usize);
  return changetype<string>(p);
}

function unsignedText(value: u32, negative: bool): string {
  let at = 24;
  let rest = value;
  do {
    at--;
    digits[at] = ((rest % 10) + 48) as u8;
    rest = rest / 10;
  } while (rest != 0);
  if (negative) {
    at--;
    digits[at] = 45;
  }
  return digitString(at);
}

export function stringOfU32(value: u32): string {
  return unsignedText(value, false);
}

export function stringOfI32(value: i32): string {
  return value < 0 ? unsignedText(0 - (value as u32), true) : unsignedText(value as u32, false);
}

function unsignedText64(value: u64, negative: bool): string {
  let at = 24;
  let rest = value;
  do {
    at--;
    digits[at] = (((rest % 10) as u32) + 48) as u8;
    rest = rest / 10;
  } while (rest != 0);
  if (negative) {
    at--;
    digits[at] = 45;
  }
  return digitString(at);
}

export function stringOfU64(value: u64): string {
  return value <= 0xffffffff ? unsignedText(value as u32, false) : unsignedText64(value, false);
}

export function stringOfI64(value: i64): string {
  return value < 0 ? unsignedText64(0 - (value as u64), true) : stringOfU64(value as u64);
}

export function stringOfBool(value: bool): string {
  return value ? "true" : "false";
}

/** The f64 nearest to a u64. */
export function f64OfU64(value: u64): f64 {
  if ((value as i64) >= 0) return (value as i64) as f64;
  return (((value >> 1) | (value & 1)) as i64) as f64 * 2.0;
}
