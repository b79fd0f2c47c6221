// x87 arithmetic against an exact model in big integers: add, subtract, multiply, divide and square root of normal numbers,
// in every rounding and precision mode, with the PE and C1 flags; and conversions to and from memory formats.
import { describe, expect, test } from 'vitest';
import { CODE, Program } from '../program.ts';

const DATA = 0x4000;
const RESULT = 0x4100;

/** xorshift32 from a seed. */
function generator(seed: number): () => number {
  let x = seed;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

interface Number80 { sign: number; e: number; m: bigint }

const next = generator(0x1234567);
function randomNumber(): Number80 {
  const wide = (BigInt(next()) << 32n) | BigInt(next());
  const shapes = [wide, wide & (-1n << 40n), wide & (-1n << 11n), 0n, -1n];
  return { sign: next() & 1, e: 16383 + (next() % 140) - 70, m: BigInt.asUintN(64, shapes[next() % shapes.length]! | (1n << 63n)) };
}

/** A positive rational num / den * 2^scale rounded to `bits` bits: nearest, down, up, truncated; the sign is the number's. */
function round(sign: number, num: bigint, den: bigint, scale: number, bits: number, mode: number): { z: Number80; inexact: boolean; up: boolean } {
  let shift = num.toString(2).length - den.toString(2).length - bits - 1;
  let q = 0n, rest = 0n, unit = den;
  for (;; shift++) {
    unit = shift > 0 ? den << BigInt(shift) : den;
    const n = shift < 0 ? num << BigInt(-shift) : num;
    q = n / unit;
    rest = n % unit;
    if (q < 1n << BigInt(bits)) break;
  }
  const twice = rest * 2n;
  const nearest = twice > unit || (twice === unit && (q & 1n) === 1n);
  const up = rest !== 0n && [nearest, sign === 1, sign === 0, false][mode]!;
  if (up) q++;
  const length = q.toString(2).length;
  return { z: { sign, e: 16383 + shift + scale + length - 1, m: q << BigInt(64 - length) }, inexact: rest !== 0n, up };
}

function put(view: DataView, at: number, x: Number80): void {
  view.setBigUint64(at, x.m, true);
  view.setUint16(at + 8, (x.sign << 15) | x.e, true);
}

function show(x: Number80): string {
  return `${x.sign ? '-' : '+'}${x.e.toString(16)}:${x.m.toString(16)}`;
}

/** Runs `instruction` on ST(0) = a and ST(1) = b and gives ST(0) and the status word. */
function machine(instruction: string): (a: Number80, b: Number80, control: number) => { z: Number80; status: number } {
  const program = new Program();
  program.load(`
    fninit
    fldcw word ptr [${DATA + 0x40}]
    fld tbyte ptr [${DATA + 0x10}]
    fld tbyte ptr [${DATA}]
    ${instruction}
    fnstsw word ptr [${RESULT + 0x10}]
    fstp tbyte ptr [${RESULT}]
    hlt`);
  return (a, b, control) => {
    put(program.view, DATA, a);
    put(program.view, DATA + 0x10, b);
    program.view.setUint16(DATA + 0x40, control, true);
    program.cpu.state.eip = CODE;
    program.cpu.state.halted = 0;
    program.cpu.run(program.cpu.instructions + 8);
    const se = program.view.getUint16(RESULT + 8, true);
    return { z: { sign: se >> 15, e: se & 0x7fff, m: program.view.getBigUint64(RESULT, true) }, status: program.view.getUint16(RESULT + 0x10, true) };
  };
}

const precisions = [[24, 0], [53, 2], [64, 3]] as const;

function eachMode(check: (bits: number, mode: number, control: number) => void): void {
  for (const [bits, code] of precisions) for (let mode = 0; mode < 4; mode++) check(bits, mode, 0x3f | (code << 8) | (mode << 10));
}

function expectResult(got: { z: Number80; status: number }, want: ReturnType<typeof round>, what: string): void {
  expect(`${what}: ${show(got.z)} PE ${(got.status >> 5) & 1} C1 ${(got.status >> 9) & 1}`)
    .toBe(`${what}: ${show(want.z)} PE ${+want.inexact} C1 ${+want.up}`);
}

const scaleOf = (x: Number80): number => x.e - 16383 - 63;

describe('exact results', () => {
  test('fadd and fsub', () => {
    const add = machine('fadd st(0), st(1)');
    const sub = machine('fsub st(0), st(1)');
    for (let i = 0; i < 60; i++) {
      const a = randomNumber(), b = randomNumber();
      if (i % 3 === 0) b.e = a.e + (i % 4) - 1;
      const low = Math.min(scaleOf(a), scaleOf(b));
      const whole = (x: Number80): bigint => (x.sign ? -x.m : x.m) << BigInt(scaleOf(x) - low);
      for (const [run, sum] of [[add, whole(a) + whole(b)], [sub, whole(a) - whole(b)]] as const) {
        if (sum === 0n) continue;
        const sign = sum < 0n ? 1 : 0;
        eachMode((bits, mode, control) => {
          expectResult(run(a, b, control), round(sign, sign ? -sum : sum, 1n, low, bits, mode), `${show(a)} ${show(b)}`);
        });
      }
    }
  });

  test('fmul', () => {
    const run = machine('fmul st(0), st(1)');
    for (let i = 0; i < 60; i++) {
      const a = randomNumber(), b = randomNumber();
      eachMode((bits, mode, control) => {
        expectResult(run(a, b, control), round(a.sign ^ b.sign, a.m * b.m, 1n, scaleOf(a) + scaleOf(b), bits, mode), `${show(a)} ${show(b)}`);
      });
    }
  });

  test('fdiv', () => {
    const run = machine('fdiv st(0), st(1)');
    for (let i = 0; i < 60; i++) {
      const a = randomNumber(), b = randomNumber();
      eachMode((bits, mode, control) => {
        expectResult(run(a, b, control), round(a.sign ^ b.sign, a.m, b.m, scaleOf(a) - scaleOf(b), bits, mode), `${show(a)} ${show(b)}`);
      });
    }
  });

  test('fsqrt', () => {
    const run = machine('fsqrt');
    for (let i = 0; i < 120; i++) {
      const a = { ...randomNumber(), sign: 0 };
      if (i % 4 === 0) a.m = BigInt.asUintN(64, (a.m >> 33n) ** 2n << 2n) | (1n << 63n);
      // enough bits of the root, then one more that says whether something is left
      const even = scaleOf(a) & 1;
      const wide = a.m << BigInt(200 + even);
      let root = 1n << 140n;
      for (let old = 0n; old !== root;) [old, root] = [root, (root + wide / root) >> 1n], root = root > old ? old : root;
      const sticky = root * root === wide ? 0n : 1n;
      eachMode((bits, mode, control) => {
        const want = round(0, (root << 1n) | sticky, 1n, (scaleOf(a) - even - 200) / 2 - 1, bits, mode);
        expectResult(run(a, a, control), want, show(a));
      });
    }
  });
});

describe('memory formats', () => {
  const doubles = [0, -0, 1, -1.5, Math.PI, 1e300, -1e-300, 5e-324, 2 ** -1022, 1.7976931348623157e308, Infinity, -Infinity];

  test('doubles and singles come back as they were', () => {
    const program = new Program();
    program.load(`fninit\n fld qword ptr [${DATA}]\n fst dword ptr [${RESULT}]\n fstp qword ptr [${RESULT + 8}]\n hlt`);
    for (const x of doubles) {
      program.view.setFloat64(DATA, x, true);
      program.cpu.state.eip = CODE;
      program.cpu.state.halted = 0;
      program.cpu.run(program.cpu.instructions + 5);
      expect(program.view.getFloat64(RESULT + 8, true)).toBe(x);
      expect(program.view.getFloat32(RESULT, true)).toBe(Math.fround(x));
    }
  });

  test('integers and packed decimals', () => {
    const program = new Program();
    program.load(`fninit\n fild qword ptr [${DATA}]\n fld st(0)\n fistp qword ptr [${RESULT}]\n fbstp tbyte ptr [${RESULT + 16}]
      fbld tbyte ptr [${RESULT + 16}]\n fistp qword ptr [${RESULT + 8}]\n hlt`);
    for (const n of [0n, 1n, -1n, 999999999999999999n, -123456789012345678n, 40n]) {
      program.view.setBigInt64(DATA, n, true);
      program.cpu.state.eip = CODE;
      program.cpu.state.halted = 0;
      program.cpu.run(program.cpu.instructions + 8);
      expect(program.view.getBigInt64(RESULT, true)).toBe(n);
      expect(program.view.getBigInt64(RESULT + 8, true)).toBe(n);
      const digits = Array.from({ length: 9 }, (_, i) => program.view.getUint8(RESULT + 24 - i).toString(16).padStart(2, '0')).join('');
      expect(BigInt(digits)).toBe(n < 0n ? -n : n);
      expect(program.view.getUint8(RESULT + 25)).toBe(n < 0n ? 0x80 : 0);
    }
  });
});
