// x87 state as system software sees it: control and status word, tags, FNSAVE/FRSTOR and FXSAVE/FXRSTOR images, stack
// faults, pending exceptions and #MF, EFLAGS of FCOMI; and transcendental results against the host's.
import { describe, expect, test } from 'vitest';
import { CODE, IDT, Program } from '../program.ts';

const DATA = 0x4000;
const RESULT = 0x4100;
const IMAGE = 0x4200;

function run(text: string, doubles: number[] = []): Program {
  const program = new Program();
  doubles.forEach((x, i) => program.view.setFloat64(DATA + i * 8, x, true));
  program.load(`${text}\n hlt`);
  program.cpu.run(10_000);
  return program;
}

const double = (p: Program, i = 0): number => p.view.getFloat64(RESULT + i * 8, true);

describe('stack and status', () => {
  test('a ninth push is a stack overflow, a pop from nothing an underflow', () => {
    const p = run(`fninit\n ${'fld1\n'.repeat(9)} fnstsw word ptr [${RESULT}]\n fninit\n fstp st(0)\n fnstsw word ptr [${RESULT + 2}]`);
    expect(p.view.getUint16(RESULT, true)).toBe(0x3a41);
    expect(p.view.getUint16(RESULT + 2, true)).toBe(0x0841);
  });

  test('fcomi sets ZF PF CF', () => {
    const p = run(`fninit\n fldz\n fld1\n fcomi st(0), st(1)\n seta byte ptr [${RESULT}]\n fxch\n fcomi st(0), st(1)\n setb byte ptr [${RESULT + 1}]
      fld st(0)\n fcomi st(0), st(1)\n sete byte ptr [${RESULT + 2}]\n fdiv st(0), st(1)\n fucomi st(0), st(1)\n setp byte ptr [${RESULT + 3}]`);
    expect([...new Uint8Array(p.view.buffer, p.view.byteOffset + RESULT, 4)]).toEqual([1, 1, 1, 1]);
  });

  test('an unmasked exception waits for the next waiting instruction', () => {
    const p = new Program();
    const handler = 0x3000;
    p.view.setUint32(IDT + 16 * 8, (8 << 16) | handler, true);
    p.view.setUint32(IDT + 16 * 8 + 4, 0x8e00, true);
    p.load(`mov ebx, 1\n hlt`, handler);
    p.load(`fninit\n fldcw word ptr [${DATA}]\n fld1\n fldz\n fdivp st(1), st(0)\n fnstsw word ptr [${RESULT}]\n mov ecx, 7\n here: fwait\n hlt`);
    p.view.setUint16(DATA, 0x37b, true);
    p.cpu.state.idtBase = IDT;
    p.cpu.state.idtLimit = 0x7ff;
    p.cpu.state.cr0 |= 0x20;
    p.cpu.run(100);
    expect(p.view.getUint16(RESULT, true) & 0x8084).toBe(0x8084);
    expect([p.cpu.state.ebx, p.cpu.state.ecx]).toEqual([1, 7]);
    const esp = p.cpu.state.esp;
    expect(p.view.getUint32(esp, true)).toBe(p.label('here'));
  });
});

describe('images', () => {
  test('fnsave stores everything and resets; frstor brings it back', () => {
    const p = run(`fninit\n mov word ptr [${DATA + 16}], 0x27f\n fldcw word ptr [${DATA + 16}]\n fld qword ptr [${DATA}]\n fldpi\n fld qword ptr [${DATA + 8}]\n fnsave [${IMAGE}]
      fnstcw word ptr [${RESULT + 32}]\n fnstsw word ptr [${RESULT + 34}]
      frstor [${IMAGE}]\n fstp qword ptr [${RESULT}]\n fstp qword ptr [${RESULT + 8}]\n fstp qword ptr [${RESULT + 16}]\n fnstcw word ptr [${RESULT + 36}]`,
    [1.25, -7e10]);
    expect([double(p, 0), double(p, 1), double(p, 2)]).toEqual([-7e10, Math.PI, 1.25]);
    expect(p.view.getUint16(IMAGE + 4, true)).toBe(5 << 11);
    expect(p.view.getUint16(IMAGE + 8, true)).toBe(0x03ff);
    expect([p.view.getUint16(RESULT + 32, true), p.view.getUint16(RESULT + 34, true)]).toEqual([0x37f, 0]);
    expect(p.view.getUint32(IMAGE + 12, true)).toBeGreaterThan(CODE);
    expect(p.view.getUint16(RESULT + 36, true)).toBe(0x27f);
  });

  test('fxsave keeps the state and fxrstor loads it', () => {
    const p = run(`fninit\n fld qword ptr [${DATA}]\n fld1\n fxsave [${IMAGE}]\n fninit\n fxrstor [${IMAGE}]\n fstp qword ptr [${RESULT}]\n fstp qword ptr [${RESULT + 8}]`, [3.5]);
    expect([double(p, 0), double(p, 1)]).toEqual([1, 3.5]);
    expect(p.view.getUint16(IMAGE, true)).toBe(0x37f);
    expect(p.view.getUint8(IMAGE + 4)).toBe(0xc0);
    expect(p.view.getUint16(IMAGE + 32 + 8, true)).toBe(0x3fff);
  });

  test('the tag word tells zero, special and empty', () => {
    const p = run(`fninit\n fldz\n fld1\n fld qword ptr [${DATA}]\n fnstenv [${IMAGE}]`, [Infinity]);
    // physical 7 zero, 6 valid, 5 special
    expect(p.view.getUint16(IMAGE + 8, true)).toBe((1 << 14) | (0 << 12) | (2 << 10) | 0x3ff);
  });
});

describe('functions', () => {
  const cases: [string, string, (x: number, y: number) => number, [number, number][]][] = [
    ['fsin', 'fsin', (x) => Math.sin(x), [[0.1, 0], [1, 0], [3, 0], [-20, 0], [1e-9, 0], [100, 0]]],
    ['fcos', 'fcos', (x) => Math.cos(x), [[0.1, 0], [1, 0], [3, 0], [-20, 0], [0, 0]]],
    ['fptan', 'fptan\n fstp st(0)', (x) => Math.tan(x), [[0.1, 0], [1, 0], [2, 0], [-4, 0]]],
    ['f2xm1', 'f2xm1', (x) => Math.expm1(x * Math.LN2), [[0.5, 0], [-0.75, 0], [1e-10, 0], [-1e-3, 0], [1, 0], [-1, 0]]],
    ['fyl2x', 'fyl2x', (x, y) => y * Math.log2(x), [[10, 3], [0.1, 2], [1.01, 1], [0.99, -5], [8, 1.5], [1e200, 1]]],
    ['fyl2xp1', 'fyl2xp1', (x, y) => (y * Math.log1p(x)) / Math.LN2, [[0.1, 3], [-0.25, 2], [1e-12, 1], [0.75, 1], [-0.5, 1], [-0.9, 1], [3, 2]]],
    ['fpatan', 'fpatan', (x, y) => Math.atan2(y, x), [[1, 1], [1, 0.1], [-1, 0.1], [0.3, -5], [-2, -3], [1, 1e-9], [-1, 1e-9], [0, 1], [1, 0.97], [7, 3]]],
    ['fscale', 'fscale', (x, y) => x * 2 ** Math.trunc(y), [[1.5, 10.9], [3, -4.2]]],
    ['fprem', 'fprem', (x, y) => x % y, [[10, 3], [-10, 3], [1e10, 7], [2, 5]]],
    ['fprem1', 'fprem1', (x, y) => x - y * Math.round(x / y), [[10, 3], [11, 3], [-10.5, 4], [2, 5], [3, 5]]],
    ['frndint', 'frndint', (x) => Math.round(x), [[1.2, 0], [-3.9, 0], [1e18, 0]]],
  ];
  test.each(cases)('%s', (_name, instruction, expected, operands) => {
    for (const [x, y] of operands) {
      const p = run(`fninit\n fld qword ptr [${DATA + 8}]\n fld qword ptr [${DATA}]\n ${instruction}\n fstp qword ptr [${RESULT}]`, [x, y]);
      const want = expected(x, y);
      expect(Math.abs(double(p) - want), `(${x}, ${y}): ${double(p)}, expected ${want}`).toBeLessThanOrEqual(Math.abs(want) * 4e-15);
    }
  });
});
