// The meaning of the guest language, one small program a point, executed at the level of IR.

import { describe, expect, test, vi } from "vitest";
import { run, runText } from "./harness.ts";

vi.setConfig({ testTimeout: 60_000 });

/** Value of an expression of type i32 after some statements. */
function value(expr: string, before = "", top = ""): number | bigint {
  return run(`${top}\nexport function main(): i32 { ${before}\n return ${expr}; }`);
}

function wideValue(expr: string, before = ""): number | bigint {
  return run(`export function main(): i64 { ${before}\n return ${expr}; }`);
}

describe("integers", () => {
  test("arithmetic wraps", () => {
    expect(value("a + 1", "let a: i32 = 0x7fffffff;")).toBe(-0x80000000);
    expect(value("(a as i32)", "let a: u8 = 255; a++;")).toBe(0);
    expect(value("a * a", "let a = 65537;")).toBe(131073);
  });
  test("division and remainder follow signedness", () => {
    expect(value("a / 2", "let a = -7;")).toBe(-3);
    expect(value("a % 4", "let a = -7;")).toBe(-3);
    expect(value("(a / 2) as i32", "let a: u32 = 0xfffffffe;")).toBe(0x7fffffff);
    expect(value("(a % 10) as i32", "let a: u32 = 0xffffffff;")).toBe(5);
  });
  test("shifts", () => {
    expect(value("a >> 28", "let a = -0x80000000;")).toBe(-8);
    expect(value("a >>> 28", "let a = -0x80000000;")).toBe(8);
    expect(value("(a >> 28) as i32", "let a: u32 = 0x80000000;")).toBe(8);
    expect(value("(hi << 8) | lo", "let hi: u8 = 0x12; let lo: u8 = 0x34;")).toBe(0x1234);
  });
  test("conversions", () => {
    expect(value("a as i8", "let a = 0x1ff;")).toBe(-1);
    expect(value("a as u16", "let a = -1;")).toBe(65535);
    expect(value("(a as u8) as i32", "let a = 300;")).toBe(44);
    expect(value("a as i32", "let a: i64 = 0x1_0000_0005;")).toBe(5);
    expect(value("(a as bool) as i32", "let a = 300;")).toBe(1);
  });
  test("comparison of unsigned values", () => {
    expect(value("a > b ? 1 : 0", "let a: u32 = 0xffffffff; let b: u32 = 1;")).toBe(1);
    expect(value("(a >>> 0) > (b >>> 0) ? 1 : 0", "let a = -1; let b = 1;")).toBe(1);
  });
  test("masks with constants of either sign", () => {
    expect(value("(a & ~4095) as i32", "let a: u32 = 0x12345;")).toBe(0x12000);
    expect(value("(a & -4096) as i32", "let a: u32 = 0x12345;")).toBe(0x12000);
    expect(value("a & 0xffff0000", "let a = 0x12345;")).toBe(0x10000);
  });
  test("64 bits", () => {
    expect(wideValue("a * b + 1", "let a: i64 = 0x123456789; let b: i32 = -3;")).toBe(-0x123456789n * 3n + 1n);
    expect(wideValue("(a >>> 4) as i64", "let a: u64 = 0x8000000000000000;")).toBe(0x0800000000000000n);
    expect(wideValue("a << n", "let a: i64 = 1; let n: i32 = 40;")).toBe(1n << 40n);
    expect(wideValue("a / 10 % 7", "let a: i64 = -12345678901234;")).toBe(-1234567890123n % 7n);
    expect(wideValue("-0x8000000000000000")).toBe(-0x8000000000000000n);
    expect(value("(a < b) as i32", "let a: i64 = -1; let b: i64 = 1;")).toBe(1);
    expect(value("(a < b) as i32", "let a: u64 = 0xffffffffffffffff; let b: u64 = 1;")).toBe(0);
  });
  test("constants fold as they would be computed", () => {
    expect(value("K", "", "const K: i32 = ((0x7fffffff as i64) * 4 / 3 % 1000) as i32;")).toBe(Math.floor(0x7fffffff * 4 / 3) % 1000);
    expect(value("(A | B) as i32", "", "const A: u32 = 1 << 31; const B: u32 = ~0xff & 0xfff;")).toBe((0x80000f00 | 0));
  });
});

describe("floating point", () => {
  test("literals are exact", () => {
    for (const text of ["0.1", "1e23", "5e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "123456789.123456789", "9007199254740993.0", "1e400", "1e-400"]) {
      expect(run(`export function main(): f64 { return ${text}; }`)).toBe(Number(text));
    }
  });
  test("arithmetic and conversion", () => {
    expect(run("export function main(): f64 { let a: f64 = 3; let b = 7; return a / b + 0.5; }")).toBe(3 / 7 + 0.5);
    expect(value("(a * 2.5) as i32", "let a: f64 = -3.3;")).toBe(-8);
    expect(run("export function main(): f64 { let a: u64 = 0xffffffffffffffff; return a as f64; }")).toBe(18446744073709552000);
    expect(run("export function main(): f64 { return sqrt(2.0); }")).toBe(Math.SQRT2);
  });
});

describe("control", () => {
  test("loops, labels", () => {
    expect(value("n", `let n = 0;
      outer: for (let i = 0; i < 10; i++) { for (let j = 0; j < 10; j++) { if (j == 5) continue outer; if (i == 5) break outer; n++; } }`)).toBe(25);
    expect(value("n", "let n = 0; do { n += 3; } while (n < 10);")).toBe(12);
    expect(value("n", "let n = 0; block: { n = 1; if (n == 1) break block; n = 2; }")).toBe(1);
  });
  test("switch", () => {
    const f = "function f(x: i32): i32 { let r = 0; switch (x) { case 1: r += 1; case 2: r += 2; break; default: r = 9; break; case 100: return 100; case -5: r = 5; } return r; }";
    expect(value("f(1) * 1000000 + f(2) * 100000 + f(3) * 10000 + f(100) * 10 + f(-5)", "", f)).toBe(3291005);
    const g = "function g(s: string): i32 { switch (s) { case \"a\": case \"bc\": return 1; case \"\": return 2; } return 3; }";
    expect(value("g(\"b\" + \"c\") * 100 + g(\"\") * 10 + g(\"x\")", "", g)).toBe(123);
    const h = "function h(x: i32): i32 { switch (x) { case 5: return 1; case 500: return 2; case 50000: return 3; case 7: return 4; case -9: return 5; case 123456: return 6; } return 0; }";
    expect(value("h(5) + h(500) * 10 + h(50000) * 100 + h(7) * 1000 + h(-9) * 10000 + h(123456) * 100000 + h(6)", "", h)).toBe(654321);
  });
  test("short circuit and conditions of any type", () => {
    const top = "let n = 0; function t(): bool { n++; return true; } class C { x: i32 = 0; }";
    expect(value("n", "const c: C | null = null; if (c && t()) n = 50; if (n || t()) n += 10;", top)).toBe(11);
    expect(value("(a && !b) as i32", "let a = true; let b = false;")).toBe(1);
  });
  test("operands are evaluated from left to right", () => {
    expect(value("i + i++ * 10 + i", "let i = 1;")).toBe(1 + 10 + 2);
    expect(value("f(i, i++, i)", "let i = 1;", "function f(a: i32, b: i32, c: i32): i32 { return a * 100 + b * 10 + c; }")).toBe(112);
    expect(value("a[0] * 10 + a[1]", "const a = [7, 8]; let i = 0; a[i] = i++ + 5;")).toBe(58);
    expect(value("x", "let x = 1; x += x++ + x;")).toBe(4);
  });
});

describe("functions", () => {
  test("defaults, values, nested functions, recursion", () => {
    const top = "function f(a: i32, b: i32 = 10): i32 { return a + b; } type Op = (x: i32) => i32; function twice(op: Op, x: i32): i32 { return op(op(x)); }";
    expect(value("f(1) + f(1, 2) + twice((x) => x * 3, 2)", "", top)).toBe(11 + 3 + 18);
    expect(value("fib(10)", "function fib(n: i32): i32 { return n < 2 ? n : fib(n - 1) + fib(n - 2); }")).toBe(55);
    expect(value("ops[1]!(4)", "", "function a(x: i32): i32 { return x; } function b(x: i32): i32 { return -x; } const ops: ((x: i32) => i32)[] = [a, b];")).toBe(-4);
  });
  test("generics", () => {
    const top = "function max<T>(a: T, b: T): T { return a > b ? a : b; } class Box<T> { constructor(public v: T) {} get2(): T { return this.v; } }";
    expect(value("max(3, 4) + (max<u8>(200, 100) as i32) + new Box<i32>(5).get2()", "", top)).toBe(209);
    expect(value("first([9, 8])", "", "function first<T>(a: T[]): T { return a[0]!; }")).toBe(9);
  });
});

describe("classes", () => {
  test("layout is C's", () => {
    const top = "class A { a: u8 = 0; b: i64 = 0; c: u16 = 0; d: u8 = 0; } class B extends A { e: u32 = 0; inner!: Embed<A>; f!: FixedArray<u16, 3>; }";
    expect(value("(sizeof<A>() * 1000000 + offsetof<A>(\"b\") * 100000 + offsetof<A>(\"d\") * 1000 + offsetof<B>(\"inner\") * 10 + (sizeof<B>() & 7)) as i32", "", top))
      .toBe(16 * 1000000 + 4 * 100000 + 14 * 1000 + 20 * 10 + (44 & 7));
  });
  test("constructors, initialisers, inheritance, virtual methods", () => {
    const top = `abstract class Shape { name: string = "shape"; constructor(public k: i32) {} abstract area(): i32; twice(): i32 { return this.area() * 2; } plain(): i32 { return 1; } }
      class Square extends Shape { n: i32 = 3; constructor(n: i32) { super(n + 1); this.n += n; } override area(): i32 { return this.n * this.n; } }
      class Cube extends Square { override area(): i32 { return super.area() * this.n; } }
      let shape: Shape | null = null;`;
    expect(value("s.twice() * 1000 + s.k * 10 + s.plain() + s.name.length", "const s: Shape = new Square(2);", top)).toBe(50000 + 30 + 1 + 5);
    expect(value("c.twice()", "const c: Shape = new Cube(1);", top)).toBe(128);
  });
  test("statics, this in methods, linked records", () => {
    const top = `class Node { static count: i32 = 0; static readonly K: i32 = 7; next: Node | null = null; constructor(public v: i32) { Node.count++; }
      static make(v: i32): Node { return new Node(v); } sum(): i32 { let s = 0; let n: Node | null = this; while (n != null) { s += n.v; n = n.next; } return s; } }`;
    expect(value("a.sum() * 100 + Node.count * 10 + Node.K", "const a = Node.make(1); a.next = new Node(2); a.next.next = new Node(4);", top)).toBe(737);
  });
  test("storage in place", () => {
    const top = `class P { x: i32 = 5; y: i32 = 0; } class L { a!: Embed<P>; list!: FixedArray<Embed<P>, 3>; table!: FixedArray<FixedArray<u8, 4>, 2>; }
      let g!: Embed<L>; let words!: FixedArray<u32, 4>;`;
    expect(value("l.a.x + l.list[2]!.x + l.list[1]!.y + (l.table[1]![3] as i32)", "const l = new L(); l.list[1]!.y = 100; l.table[1]![3] = 7;", top)).toBe(117);
    expect(value("(words[i]! as i32) + (p[1]! as i32) + words.length + g.a.x", "__init(); let i = 2; words[i] = 40; words[1] = 2; const p: Ptr<u32> = words;", top)).toBe(51);
    expect(value("(b[3]! as i32) + (addressof(b) == changetype<usize>(b) ? 1 : 0)", "let b!: FixedArray<u8, 16>; for (let i = 0; i < 16; i++) b[i] = (i * 2) as u8;")).toBe(7);
  });
  test("raw memory", () => {
    expect(value("(load<u16>(p, 1) as i32) + load<i8>(p + 3)", "const p = changetype<usize>(new W()); store<u32>(p, 0xff123456);", "class W { x: u32 = 0; }")).toBe(0x1234 - 1);
    expect(value("memory.compare(addressof(w), addressof(v), 8)", "memory.fill(addressof(w), 1, 8); memory.copy(addressof(v), addressof(w), 8); v[7] = 2;", "let w!: FixedArray<u8, 8>; let v!: FixedArray<u8, 8>;")).toBe(-1);
    expect(value("(f64bits(1.5) >> 48) as i32")).toBe(0x3ff8);
  });
});

describe("strings", () => {
  test("operators and methods", () => {
    expect(runText("export function main(): string { let n = -12; const s = \"a\" + `b${n}c${n == -12}` + \"\"; return s + s.substring(1, 3) + String.fromCharCode(65); }")).toBe("ab-12ctrueb-A");
    expect(value("s.indexOf(\"lo\") * 100 + s.lastIndexOf(\"l\") * 10 + s.charCodeAt(1) + s.charCodeAt(9)", "const s = \"hel\" + \"lo\";")).toBe(330 + 101 - 1);
    expect(value("((a == b) as i32) * 100 + ((a < \"abd\") as i32) * 10 + ((a != \"abc\") as i32)", "const a = \"ab\" + x; const b = \"abc\";", "let x = \"c\";")).toBe(110);
    expect(value("(s.startsWith(\"ab\") && s.endsWith(\"cd\") && !s.startsWith(\"b\")) as i32", "let s = \"abcd\";")).toBe(1);
    expect(runText("export function main(): string { let s = \"\"; for (let i = 0; i < 3; i++) s += `${i}`; const w: i64 = -1234567890123; const u: u64 = 18446744073709551615; return `${s} ${w} ${u}`; }")).toBe("012 -1234567890123 18446744073709551615");
  });
});

describe("arrays and maps", () => {
  test("literals, push, pop, slice, sort, join", () => {
    expect(runText("export function main(): string { const a = [\"c\", \"a\", \"b\"]; a.push(\"d\"); a.sort((x, y) => x < y ? -1 : 1); return a.join(\",\") + a.slice(1, -1).join(\"\") + a.pop() + [1, 2].join(\"-\"); }")).toBe("a,b,c,dbcd1-2");
    expect(value("s", "let s = 0; const a: u8[] = []; for (let i = 0; i < 1000; i++) a.push((i & 255) as u8); for (const x of a) s += x; a.length = 3; s += a.length; free(a);")).toBe([...Array(1000).keys()].reduce((s, i) => s + (i & 255), 3));
    expect(value("a[1]![0]! + a.indexOf(b)", "const b = [5]; const a = [[1], b, [2]];")).toBe(6);
    expect(value("a.indexOf(\"y\" + \"\") + sum", "const a = [\"x\", \"y\"]; let sum = 0; for (const k of K) sum += k;", "const K: i32[] = [10, 20, 30];")).toBe(61);
  });
  test("an index outside is reported with its place", () => {
    expect(() => value("a[i]!", "const a = [1]; let i = 1;")).toThrow("panic: index out of range at main.ts:3");
  });
  test("maps keep the order of insertion", () => {
    expect(runText(`export function main(): string { const m = new Map<string, i32>();
      for (let i = 0; i < 40; i++) m.set(\`k\${i}\`, i); for (let i = 0; i < 40; i++) if (i % 3 != 0) m.delete(\`k\${i}\`); m.set("k3", 100); m.set("new", 1);
      let s = 0; for (const v of m.values()) s += v; return m.keys().slice(0, 3).join(" ") + \` \${m.size} \${s} \${m.has("k1")} \${m.get("new")}\`; }`)).toBe("k0 k3 k6 15 371 false 1");
    expect(value("n", "const m = new Map<u32, i64>(); for (let i: u32 = 0; i < 100; i++) m.set(i * 4096, 7); let n = 0; for (const k of m.keys()) n += m.get(k) as i32;")).toBe(700);
  });
});

describe("modules and initialisation", () => {
  test("initialisers run in import order, unused pure ones not at all", () => {
    const files = {
      "a.ts": "import { log } from './log.ts'; import { b } from './b.ts'; export const a = log(10) + b;",
      "b.ts": "import { log } from './log.ts'; export const b = log(1); export const unused = new Map<string, i32>();",
      "log.ts": "export let order = 0; export function log(n: i32): i32 { order = order * 10 + n; return n; }",
    };
    expect(run("import { a as x } from './a.ts'; import * as l from './log.ts'; export function main(): i32 { __init(); return l.order * 100 + x; }", files)).toBe(2011);
  });
  test("enums and constants across modules", () => {
    const files = { "k.ts": "export enum E { A, B = 5, C, D = B * 2 } export const N: i32 = E.C + 1; export * from './r.ts';", "r.ts": "export class R { n: i32 = 3; }" };
    expect(run("import { E, N, R } from './k.ts'; import type { R as Q } from './k.ts'; function f(q: Q): i32 { return q.n; } export function main(): i32 { return E.D * 100 + N * 10 + f(new R()); }", files)).toBe(1073);
  });
});
