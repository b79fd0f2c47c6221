// Array<T>: a growable list. The compiler itself turns a[i], for-of and literals into loads and stores with a check of the
// index; it relies on the fields `length` and `data`. Elements start as zeros. A capacity of 0 with elements means that
// they lie in static memory, which is never given back. Nothing is freed except by free(array). Memory comes from the
// allocator that the program binds, which never returns 0.

import { malloc, mallocZeroed, mfree, rtPanic } from "rt/rt.ts";
import { appendString, newString } from "./string.ts";

const MANY: i32 = 1024;            // elements from which on a list grows by half, no longer to the double

/** A zeroed record, for `new`. */
export function newRecord(size: usize): usize {
  return mallocZeroed(size);
}

/** Give back the memory of a record, for `free`. */
export function freeRecord(p: usize): void {
  mfree(p);
}

/** The end of a program that used an index outside of an array. */
export function indexPanic(file: string, line: i32): void {
  rtPanic(`index out of range at ${file}:${line}`);
}

/** The start of every Array<T>, whatever T is. */
class ArrayHead {
  length: i32 = 0;
  capacity: i32 = 0;
  data: usize = 0;
}

/** Make room for one more element of `width` bytes: what lies behind the elements is arbitrary. */
function grow(a: ArrayHead, width: i32): void {
  const length = a.length;
  const old = a.data;
  const capacity = length < 4 ? 4 : length < MANY ? length << 1 : length + (length >> 1);
  const fresh = malloc(Math.imul(capacity, width) as usize);
  if (length != 0) memory.copy(fresh, old, Math.imul(length, width) as usize);
  if (a.capacity > 0) mfree(old);
  a.data = fresh;
  a.capacity = capacity;
}

/** `a.length = n`: shortens the list. */
export function arraySetLength(a: usize, length: i32): void {
  const head = changetype<ArrayHead>(a);
  if (length < 0 || length > head.length) rtPanic("an array's length can only shrink");
  head.length = length;
}

/** One element as it lies in memory; only its size is of interest. */
class Cell<T> {
  value!: T;
}

/** Merge two sorted neighbouring runs of `from` into `to`; equal elements keep their order. */
function merge<T>(from: Ptr<T>, to: Ptr<T>, low: i32, middle: i32, high: i32, compare: (a: T, b: T) => i32): void {
  let left = low;
  let right = middle;
  for (let i = low; i < high; i++) {
    if (left < middle && (right >= high || compare(from[left]!, from[right]!) <= 0)) to[i] = from[left++]!;
    else to[i] = from[right++]!;
  }
}

export class Array<T> {
  length: i32 = 0;
  private capacity: i32 = 0;
  private data!: Ptr<T>;

  constructor(length: i32 = 0) {
    if (length <= 0) return;
    this.data = changetype<Ptr<T>>(mallocZeroed(Math.imul(length, sizeof<Cell<T>>() as i32) as usize));
    this.capacity = length;
    this.length = length;
  }

  push(value: T): i32 {
    const n = this.length;
    if (n >= this.capacity) grow(changetype<ArrayHead>(this), sizeof<Cell<T>>() as i32);
    this.data[n] = value;
    this.length = n + 1;
    return n + 1;
  }

  pop(): T {
    const n = this.length - 1;
    if (n < 0) rtPanic("pop of an empty array");
    this.length = n;
    return this.data[n]!;
  }

  indexOf(value: T): i32 {
    const data = this.data;
    for (let i = 0; i < this.length; i++) {
      if (data[i] == value) return i;
    }
    return -1;
  }

  /** Set the elements from `start` (negative: counted from the end) up to `end`, as far as there are any. */
  fill(value: T, start: i32 = 0, end: i32 = 0x7fffffff): Array<T> {
    const data = this.data;
    const to = end < this.length ? end : this.length;
    const from = start >= 0 ? start : start + this.length;
    for (let i = from < 0 ? 0 : from; i < to; i++) data[i] = value;
    return this;
  }

  slice(start: i32 = 0, end: i32 = 0x7fffffff): Array<T> {
    const n = this.length;
    let from = start < 0 ? start + n : start;
    let to = end < 0 ? end + n : end;
    if (from < 0) from = 0;
    if (to > n) to = n;
    const result = new Array<T>(to > from ? to - from : 0);
    const out = result.data;
    for (let i = from; i < to; i++) out[i - from] = this.data[i]!;
    return result;
  }

  join(separator: string): string {
    if (!isString<T>()) return this.texts().join(separator);
    let bytes = 0;
    for (let i = 0; i < this.length; i++) bytes += changetype<string>(this.data[i]!).length;
    if (this.length > 1) bytes += Math.imul(this.length - 1, separator.length);
    const p = newString(bytes);
    let at = p + 4;
    for (let i = 0; i < this.length; i++) {
      if (i > 0) at = appendString(at, separator);
      at = appendString(at, changetype<string>(this.data[i]!));
    }
    return changetype<string>(p);
  }

  private texts(): Array<string> {
    const result = new Array<string>();
    for (let i = 0; i < this.length; i++) result.push(`${this.data[i]!}`);
    return result;
  }

  /** Stable, as in JavaScript: merges runs through a second list. */
  sort(compare: (a: T, b: T) => i32): Array<T> {
    const n = this.length;
    const spare = new Array<T>(n);
    for (let run = 1; run < n; run = run * 2) {
      for (let low = 0; low < n; low += run * 2) {
        const middle = low + run < n ? low + run : n;
        const high = middle + run < n ? middle + run : n;
        merge<T>(this.data, spare.data, low, middle, high, compare);
      }
      for (let i = 0; i < n; i++) this.data[i] = spare.data[i]!;
    }
    spare.release();
    mfree(changetype<usize>(spare));
    return this;
  }

  /** Give back the elements' memory; free() calls this. */
  release(): void {
    if (this.capacity > 0) mfree(changetype<usize>(this.data));
    this.capacity = 0;
    this.length = 0;
  }
}

/** Address of an array's first element, for system calls. */
export function arrayData(a: usize): usize {
  return changetype<ArrayHead>(a).data;
}
