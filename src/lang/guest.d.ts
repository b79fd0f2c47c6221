// Ambient declarations of the guest language for editors and `tsc`. Widths, layouts and integer conversions are judged
// by gtc; to tsc every integer and f64 is `number`. There is no other library: this file is all that guest code sees.

type i8 = number;
type u8 = number;
type i16 = number;
type u16 = number;
type i32 = number;
type u32 = number;
type i64 = number;
type u64 = number;
type f64 = number;
type usize = number;
type bool = boolean;
/** Bytes to read; on the Node side of portable code also a Uint8Array. */
type ByteArray = u8[];

/** A raw pointer: a 32-bit address that indexes like an array of T without bounds checks. */
interface Ptr<T> { [index: number]: T; }
/** N values of type T stored in place, in a field or global. N is a literal or a constant's `typeof`. */
interface FixedArray<T, N extends number> { [index: number]: T; readonly length: N; }
/** The record itself stored in a field or global, not a reference to it. Reads as a reference to the stored record. */
type Embed<T> = T;

/** Load a T from `addr + offset`; T is any scalar, Ptr or class (reference) type. Always performed, never cached. */
declare function load<T>(addr: usize, offset?: usize): T;
/** Store `value` as a T at `addr + offset`. Always performed, never cached. */
declare function store<T>(addr: usize, value: T, offset?: usize): void;
/** Reinterpret a 32-bit value: integer <-> reference <-> Ptr <-> function value. No code. */
declare function changetype<T>(value: unknown): T;
/** Is T string? A constant, so that generic code can choose: the branch not taken is not even checked. */
declare function isString<T>(): bool;
/** Size in bytes of a scalar, or of the record of a class. Constant. */
declare function sizeof<T>(): usize;
/** Byte offset of a field in the record of a class. Constant. */
declare function offsetof<T>(field: string): usize;
/** Address of the in-place storage of a global variable, Embed or FixedArray. */
declare function addressof(place: unknown): usize;
/** Address of the code of a function. */
declare function codeof(fn: unknown): usize;
/** Return the record behind a reference to the allocator that the program binds (rt/rt.ts). */
declare function free(record: unknown): void;
/** Bit pattern of an f64 and back. */
declare function f64bits(value: f64): u64;
declare function f64frombits(bits: u64): f64;
/** Square root by the x87. */
declare function sqrt(value: f64): f64;
/** Address of a symbol that the linker defines: _text _etext _data _edata _bss _end. */
declare function linkerSymbol(name: string): usize;
/** The generated function that runs all top-level initialisers; entry code calls it once, before anything else. */
declare function __init(): void;
/** First statement of a function without prologue and epilogue; its body is asm only. */
declare function naked(): never;
/**
 * Inline assembly in Intel syntax, instructions separated by newlines or `;`. An operand `${x}` is: the 32-bit memory
 * home of a local variable or parameter (readable and writable); a constant's value; the address of a function or global.
 * eax, ecx, edx, flags and memory may be changed freely; ebx, esi, edi, ebp must be preserved by the text itself.
 */
declare function asm(text: TemplateStringsArray, ...operands: unknown[]): void;

declare namespace memory {
  function copy(to: usize, from: usize, bytes: usize): void; // memmove
  function fill(to: usize, byte: u8, bytes: usize): void;
  function compare(a: usize, b: usize, bytes: usize): i32;   // memcmp
}
declare namespace Math {
  function imul(a: i32, b: i32): i32;
}

interface String {
  readonly length: i32;
  charCodeAt(index: i32): i32;
  substring(start: i32, end?: i32): string;
  indexOf(what: string, from?: i32): i32;
  lastIndexOf(what: string): i32;
  startsWith(what: string, at?: i32): boolean;
  endsWith(what: string): boolean;
}
interface StringConstructor { fromCharCode(code: i32): string; }
declare var String: StringConstructor;

interface Array<T> {
  [index: number]: T;
  length: i32;
  push(value: T): i32;
  pop(): T;
  indexOf(value: T): i32;
  fill(value: T, start?: i32, end?: i32): T[];
  slice(start?: i32, end?: i32): T[];
  join(separator: string): string;
  sort(compare: (a: T, b: T) => i32): T[];
  [Symbol.iterator](): Iterator<T>;
}
interface ArrayConstructor { new <T>(length?: i32): T[]; }
declare var Array: ArrayConstructor;
interface ReadonlyArray<T> { readonly [index: number]: T; readonly length: i32; }

/** Insertion-ordered map; K is an integer type or string. Call has() before get(): get of a missing key panics. */
interface Map<K, V> {
  readonly size: i32;
  has(key: K): boolean;
  get(key: K): V;
  set(key: K, value: V): Map<K, V>;
  delete(key: K): boolean;
  keys(): K[];
  values(): V[];
  clear(): void;
}
interface MapConstructor { new <K, V>(): Map<K, V>; }
declare var Map: MapConstructor;

// What tsc itself insists on finding without a library.
interface Boolean {}
interface CallableFunction {}
interface Function {}
interface IArguments {}
interface NewableFunction {}
interface Number {}
interface Object {}
interface RegExp {}
interface Symbol {}
interface SymbolConstructor { readonly iterator: unique symbol; }
declare var Symbol: SymbolConstructor;
interface TemplateStringsArray {}
interface Iterator<T> { next(): { done: boolean; value: T }; }
interface Iterable<T> { [Symbol.iterator](): Iterator<T>; }
