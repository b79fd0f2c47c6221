import { describe, expect, test } from 'vitest';
import { compileMicro } from '../../../src/cpu/micro/index.ts';
import { both } from './both.ts';

const i32s = [0, 1, -1, 2, 7, 31, 32, 33, 0x7fffffff, -0x80000000, 0x12345678, -0x789abcde];
const i64s = [0n, 1n, -1n, 31n, 32n, 63n, 64n, 0x7fffffffffffffffn, -0x8000000000000000n, 0x123456789abcdef0n, -0x123456789n];

describe('operators', () => {
  const arithmetic = ['+', '-', '*', '/', '%', '/u', '%u', '&', '|', '^', '<<', '>>', '>>>'];
  const relations = ['==', '!=', '<', '<=', '>', '>=', '<u', '<=u', '>u', '>=u'];

  test.each([...arithmetic, ...relations])('i32 %s', (op) => {
    const { call } = both(`export fn f(a: i32, b: i32): i32 { return a ${op} b; }`);
    for (const a of i32s) for (const b of i32s) call('f', a, b);
  });

  test.each(arithmetic)('i64 %s', (op) => {
    const { call } = both(`export fn f(a: i64, b: i64): i64 { return a ${op} b; }`);
    for (const a of i64s) for (const b of i64s) call('f', a, b);
  });

  test.each(relations)('i64 %s', (op) => {
    const { call } = both(`export fn f(a: i64, b: i64): i32 { return a ${op} b; }`);
    for (const a of i64s) for (const b of i64s) call('f', a, b);
  });

  test('constants fold to what the machine computes', () => {
    for (const op of [...arithmetic, ...relations]) {
      const lines = i32s.flatMap((a) => i32s.map((b) => [a, b])).filter(([, b]) => !'/%'.includes(op[0]!) || b !== 0);
      const body = lines.map(([a, b], i) => `case ${i}: { return (${a}) ${op} (${b}); }`).join('\n');
      const folded = both(`export fn f(n: i32): i32 { switch (n) { ${body} default: { return 0; } } }`);
      const computed = both(`export fn f(a: i32, b: i32): i32 { return a ${op} b; }`);
      lines.forEach(([a, b], i) => expect(folded.call('f', i)).toBe(computed.call('f', a!, b!)));
    }
  });

  test('unary operators and precedence', () => {
    const { call } = both(`
      export fn f(a: i32, b: i32): i32 { return -a + ~b * 3 - !a | b & 0xff ^ a << 1 + 1; }
      export fn g(a: i64): i64 { return -a ^ ~a + (a == 0L ? 1L : 2L) << 3; }
      export fn h(a: i32, b: i32): i32 { return (a < b && b != 3 || !(a == 5) && b) + (a || b) * 10; }`);
    for (const a of i32s) for (const b of i32s) call('f', a, b), call('h', a, b);
    for (const a of i64s) call('g', a);
    expect(call('f', 3, 5)).toBe((-3 + ~5 * 3 - 0) | ((5 & 0xff) ^ (3 << 2)));
    expect(call('h', 5, 0)).toBe(10);
  });

  test('builtins', () => {
    const { call } = both(`
      export fn f(a: i32, b: i32): i32 { return clz(a) ^ ctz(a) << 8 ^ popcnt(a) << 16 ^ rotl(a, b) ^ rotr(a, 5) ^ sext8(b) ^ sext16(a) ^ select(a, b, 7); }
      export fn g(a: i64, b: i64): i64 { return clz(a) ^ ctz(a) << 8 ^ popcnt(a) << 16 ^ rotl(a, b) ^ rotr(a, 5) ^ i64(lo(a)) ^ u64(hi(b)); }
      export fn d(x: f64, y: f64): f64 { return sqrt(abs(x)) + floor(y) * trunc(x) - nearest(x / 3.0) + ceil(y) + f64(i32f(x)) + f64l(i64f(y)) + f64u(i32f(x)); }
      export fn e(x: f64): f64 { return frombits(bits(x) ^ 1L); }
      export fn n(x: f64): f64 { return nearest(x); }`);
    for (const a of i32s) for (const b of i32s) call('f', a, b);
    for (const a of i64s) for (const b of i64s) call('g', a, b);
    for (const x of [0, -0, 0.5, 1.5, 2.5, -2.5, 1e10, -1e20, 3.7, NaN, Infinity]) {
      for (const y of [0, 1, -7.25, 1e19]) call('d', x, y);
      call('e', x), call('n', x);
    }
  });
});

describe('memory and state', () => {
  const text = `
    const BASE = 0x100 + 4 * 4;
    state byte: u8 @ 16;  state sbyte: i8 @ 16;  state half: u16 @ 20;  state shalf: i16 @ 20;
    state word: i32 @ 24;  state wide: i64 @ 32;  state real: f64 @ 40;
    global total: i64 = -5L;
    export fn fill(v: i32) { byte = v; half = v; word = v; word += 3; wide = i64(v) * 3L; real = f64(v); total += 1L; }
    export fn sum(): i64 { return i64(byte) + i64(sbyte) + i64(half) + i64(shalf) + i64(word) + wide + i64f(real) + total; }
    export fn at(e: i32, v: i32): i32 { m32[BASE : e] = v; m8[e + 0x200] -= v; m16[BASE : e * 2 + 0x40] ^= v; return m32[BASE + 2 : e] + s8[e + 0x200] + s16[BASE : e * 2 + 0x40] + addr(word); }
    export fn bulk(n: i32) { memfill(1000, 0xab, n); m64[1003] = 0x1122334455667788L; memcopy(1001, 1000, n); }`;

  test('cells of every type', () => {
    const { call } = both(text);
    for (const v of i32s) {
      call('fill', v);
      call('sum');
    }
    call('fill', 0x1ff);
    expect(call('sum')).toBe(BigInt(0xff - 1 + 0x1ff + 0x1ff + 0x202 + 0x1ff * 3 + 0x1ff - 5 + 13));
  });

  test('loads and stores, with and without a base', () => {
    const { call } = both(text);
    for (const v of i32s) call('at', v & 0xff, v);
    call('bulk', 17);
  });

  test('an address is unsigned, and outside memory is a trap', () => {
    const { call } = both('export fn f(e: i32): i32 { return m32[16 : e]; }');
    expect(call('f', -16)).toBe('trap');
    expect(call('f', 0)).toBe(0);
  });
});

describe('control', () => {
  test('labelled loops, break and continue', () => {
    const { call } = both(`
      export fn primes(n: i32): i32 {
        let found = 0;
        let i = 1;
        outer: loop {
          i += 1;
          if (i >= n) break;
          let k = 2;
          while (k * k <= i) {
            if (i % k == 0) continue outer;
            k += 1;
          }
          found += 1;
          if (found == 1000) { break outer; }
        }
        return found;
      }`);
    expect(call('primes', 100)).toBe(25);
  });

  test('switches: dense, sparse, with loops around and inside', () => {
    const { call } = both(`
      export fn f(n: i32): i32 {
        let r = 0;
        loop {
          switch (n & 15) { case 3: { r += 1; } case 4, 5: { r += 10; n -= 1; continue; } case 7: { break; } case 9: { return r + 1000; } default: { r += 100; } }
          switch (n) { case -5: { r += 7; } case 1000000: { r += 8; break; } case 77: { r += 9; } }
          n -= 1;
          if (n < -20) break;
        }
        return r;
      }
      export fn g(n: i32): i32 { switch (n) { default: { return 5; } case -2: { return 1; } case -1: { return 2; } case 1: { return 3; } } }`);
    for (let n = -30; n < 100; n++) call('f', n);
    expect(call('f', 1000000)).toBe(108);
    expect([-3, -2, -1, 0, 1, 2].map((n) => call('g', n))).toEqual([5, 1, 2, 5, 3, 5]);
  });

  test('conditions are short', () => {
    const { call } = both(`
      global calls: i32 = 0;
      fn note(x: i32): i32 { calls = calls * 3 + x; return x == 1; }
      export fn f(a: i32, b: i32, c: i32): i32 {
        calls = 1;
        if (note(a) && (note(b) || !note(c))) { calls *= 7; } else { calls *= 5; }
        if (!(note(a) || note(b)) && note(c)) calls += 1;
        while (note(a) && calls < 1000) { calls += note(b) ? 50 : 60; }
        return calls;
      }`);
    for (let n = 0; n < 27; n++) call('f', n % 3, (n / 3 | 0) % 3, n / 9 | 0);
  });
});

describe('inline functions', () => {
  test('early returns, assigned parameters, loops, nesting', () => {
    const { call } = both(`
      inline fn clamp(x: i32, least: i32, most: i32): i32 { if (x < least) return least; if (x > most) { return most; } return x; }
      inline fn gcd(a: i32, b: i32): i32 { loop { if (b == 0) return a; let t = a %u b; a = b; b = t; } }
      inline fn touch(at: i32) { if (m8[at] == 0) { m8[at] = 1; return; } m8[at] += 2; }
      export fn f(x: i32, y: i32): i32 {
        let a = x;
        touch(100 + (y & 3));
        x = gcd(clamp(x, 1, 100), clamp(y, clamp(a, 3, 5), 50)) + clamp(a - 1, -a, a);
        return x * 1000 + gcd(gcd(a & 0xff, y & 0xff), 12) + a;
      }`);
    for (const a of i32s) for (const b of i32s) call('f', a, b);
    expect(call('f', 12, 18)).toBe((6 + 11) * 1000 + 6 + 12);
  });

  test('constant arguments choose the code', () => {
    const { call } = both(`
      inline fn read(size: i32, at: i32): i32 { switch (size) { case 1: { return m8[at]; } case 2: { return m16[at]; } default: { return m32[at]; } } }
      inline fn mask(size: i32): i32 { if (size == 4) { return -1; } return (1 << size * 8) - 1; }
      export fn f(v: i32): i32 { m32[64] = v; return read(1, 64) + read(2, 65) * 3 + read(4, 64) + (mask(1) & mask(2)) + mask(4); }`);
    for (const v of i32s) call('f', v);
    expect(call('f', 0x01020304)).toBe((4 + 0x0203 * 3 + 0x01020304 + 255 - 1) | 0);
  });

  test("a caller's variable that changes later keeps its value where it was copied", () => {
    const { call } = both(`
      inline fn swap(a: i32, b: i32): i32 { let t = a; a = b; b = t; return a * 10 + b; }
      export fn f(x: i32, y: i32): i32 { let old = x; x = swap(x, y) + swap(y, x); let copy = x; x += 1; return old * 1000000 + copy * 10 + (x - copy); }`);
    expect(call('f', 1, 2)).toBe(1000000 + 33 * 10 + 1);
  });
});

describe('imports', () => {
  test('results are 32-bit numbers, whatever JavaScript returned', () => {
    const { call } = both('extern fn device(n: i32): i32; export fn f(n: i32): i32 { return device(n) < 0; }', () => ({ device: () => 0x9000_0000 }));
    expect(call('f', 1)).toBe(1);
  });
});

describe('faults', () => {
  const text = `
    state why: i32 @ 8;
    global steps: i32 = 0;
    extern throws fn device(n: i32): i32;
    throws fn check(n: i32): i32 { steps += 1; if (n < 0) { why = n; raise; } steps += 10; return n * 2; }
    throws fn deep(n: i32): i64 { let a = check(n); if (n == 7) raise; return i64(a + check(n - 3)); }
    inline throws fn quick(n: i32): i32 { if (n & 1) { why = 99; raise; } return n / 2; }
    throws fn nothing(n: i32) { if (n == 3) raise; }
    throws fn viaInline(n: i32): i32 { return 1 + quick(n) * quick(n / 2); }
    export fn run(n: i32): i64 {
      steps = 0;
      why = 0;
      let result = 5L;
      try { result = deep(n); result += i64(viaInline(n)); nothing(n); result *= 2L; steps += device(n); } catch { steps += 100; return result + 1000000L; }
      try { steps += 1; if (n == 8) { raise; } try { quick(n); raise; } catch { steps += 10000; nothing(3); } } catch { result -= 1L; steps *= 2; }
      return result * 100000L + i64(steps);
    }`;

  test('raise, through functions and inline functions, to the innermost catch', () => {
    const { call, wasm, js } = both(text, (exports) => ({
      device: (n: number) => {
        if (n === 12) exports().fault.value = 1;
        return n;
      },
    }));
    for (let n = -5; n < 40; n++) call('run', n);
    expect(call('run', -1)).toBe(1000005n);
    expect(call('run', 12)).toBe(1000000n + 2n * (24n + 18n + 1n + 6n * 3n));
    expect([wasm.exports.fault.value, js.exports.fault.value]).toEqual([0, 0]);
  });
});

describe('mistakes name their place', () => {
  const mistakes: [string, string][] = [
    ['fn f() { x = 1; }', '1:10: x is not defined'],
    ['fn f(a: i32, b: i64): i32 { return a + b; }', 'operands of + are i32 and i64'],
    ['fn f(): i32 { if (1) { return 1; } }', 'f can end without a value'],
    ['throws fn g() {}\nfn f() { g(); }', '2:12: call of g, which throws, outside a throws function and a try'],
    ['fn f() { raise; }', 'raise outside'],
    ['fn f() { break; }', 'break outside a loop'],
    ['fn f() { 1 + 2; }', '1:10: this statement does nothing'],
    ['fn f() { let a = 1; let a = 2; }', 'a is already defined in this block'],
    ['fn f(a: i32) { a(); }', 'a is no function'],
    ['fn f() { g(1); } fn g() {}', 'g takes 0 arguments, not 1'],
    ['fn f() { $ }', "unexpected character '$'"],
    ['fn f() {', "this '{' is never closed"],
    ['const A = f(); fn f(): i32 { return 1; }', 'f is no function'],
    ['fn f(a: i32) { switch (a) { case 1: {} case 1: {} } }', 'case 1 appears twice'],
    ['export fn f() { g(); } inline fn g() { h(); } inline fn h() { g(); }', 'inline functions call each other: g -> h -> g'],
    ['export throws fn f() {}', 'an exported function has to catch its faults'],
    ['fn f() { m32[0] = 1L; }', 'i64 assigned to i32'],
    ['const BIG = 0x100000000;', '0x100000000 is no 32-bit integer'],
  ];
  test.each(mistakes)('%s', (text, message) => {
    expect(() => compileMicro([{ name: 'm', text }])).toThrow(message);
  });
});
