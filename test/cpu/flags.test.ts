// Arithmetic and its flags against a model that works bit by bit, in every operand form; conditions, plain and fused.
import { describe, expect, it, vi } from 'vitest';
import { Program, CODE } from './program.ts';

vi.setConfig({ testTimeout: 60_000 });

const CF = 1, PF = 4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800, ALL = 0x8d5;
type Bits = 8 | 16 | 32;
interface Outcome { value: number; flags: number }

const maskOf = (bits: Bits) => (bits === 32 ? 0xffffffff : (1 << bits) - 1);
const evenParity = (v: number) => { let n = 0; for (let i = 0; i < 8; i++) n += (v >> i) & 1; return n % 2 === 0; };

function szp(value: number, bits: Bits): number {
  return (value === 0 ? ZF : 0) | ((value >>> (bits - 1)) & 1 ? SF : 0) | (evenParity(value & 0xff) ? PF : 0);
}

/** a + b + carry, bit by bit. */
function adder(a: number, b: number, carry: number, bits: Bits): Outcome {
  let value = 0, c = carry, af = 0, into = 0;
  for (let i = 0; i < bits; i++) {
    const x = (a >>> i) & 1, y = (b >>> i) & 1;
    if (i === bits - 1) into = c;
    value += ((x ^ y ^ c) * 2 ** i);
    c = (x & y) | (x & c) | (y & c);
    if (i === 3) af = c;
  }
  return { value, flags: szp(value, bits) | (c ? CF : 0) | (af ? AF : 0) | (c !== into ? OF : 0) };
}

function subtract(a: number, b: number, borrow: number, bits: Bits): Outcome {
  const r = adder(a, (~b & maskOf(bits)) >>> 0, 1 - borrow, bits);
  return { value: r.value, flags: r.flags ^ CF ^ AF };
}

/** undefined flags are left out of the mask. */
function model(op: string, a: number, b: number, cf: number, bits: Bits): Outcome & { mask: number } {
  const logic = (value: number) => ({ value: value >>> 0, flags: szp(value >>> 0, bits), mask: ALL & ~AF });
  switch (op) {
    case 'add': return { ...adder(a, b, 0, bits), mask: ALL };
    case 'adc': return { ...adder(a, b, cf, bits), mask: ALL };
    case 'sub': return { ...subtract(a, b, 0, bits), mask: ALL };
    case 'cmp': return { ...subtract(a, b, 0, bits), value: a, mask: ALL };
    case 'sbb': return { ...subtract(a, b, cf, bits), mask: ALL };
    case 'and': return logic(a & b);
    case 'or': return logic(a | b);
    case 'xor': return logic(a ^ b);
    case 'test': return { ...logic(a & b), value: a };
    case 'inc': return { ...adder(a, 1, 0, bits), flags: (adder(a, 1, 0, bits).flags & ~CF) | cf, mask: ALL };
    case 'dec': { const r = subtract(a, 1, 0, bits); return { value: r.value, flags: (r.flags & ~CF) | cf, mask: ALL }; }
    case 'neg': return { ...subtract(0, a, 0, bits), mask: ALL };
    default: throw new Error(op);
  }
}

const EDGES = [0, 1, 2, 7, 8, 0xf, 0x10, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0x12345678];
let seed = 1;
const random = () => { seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0; return seed; };
const pairs = (): [number, number][] => [
  ...EDGES.flatMap((a) => EDGES.map((b): [number, number] => [a, b])),
  ...Array.from({ length: 60 }, (): [number, number] => [random(), random()]),
];

/** Runs prepared code on operands: EAX, EBX, and EBX's value at 0x40000 too. */
function execute(p: Program, a: number, b: number, cf: number): void {
  const s = p.state;
  s.halted = 0; s.eip = CODE; s.esp = 0x8000; s.eax = a; s.ebx = b; s.edx = 0x3fffe; s.esi = 1; s.ecx = 0;
  s.eflags = 2 | cf;
  p.view.setUint32(0x40000, b, true);
  p.view.setUint32(0x41000, a, true);
  p.run(100);
}

const name = (r: 'a' | 'b', bits: Bits) => (bits === 32 ? `e${r}x` : bits === 16 ? `${r}x` : `${r}l`);
const unit = (bits: Bits) => ({ 8: 'byte', 16: 'word', 32: 'dword' })[bits];

describe.each([8, 16, 32] as Bits[])('%i-bit arithmetic', (bits) => {
  it.each(['add', 'adc', 'sub', 'sbb', 'and', 'or', 'xor', 'cmp', 'test', 'inc', 'dec', 'neg'])('%s', (op) => {
    const single = ['inc', 'dec', 'neg'].includes(op);
    const a = name('a', bits), b = name('b', bits), u = unit(bits);
    const forms = single
      ? [`${op} ${a}`, `${op} ${u} ptr [0x41000]`, `${op} ${u} ptr [edx+esi*2+0x1000]`]
      : [`${op} ${a}, ${b}`, ...(op === 'test' ? [] : [`${op} ${a}, [0x40000]`, `${op} ${a}, [edx+esi*2]`, `${op} ${a}, fs:[0x40000]`]), `${op} [0x41000], ${b}`, `${op} [edx+esi*2+0x1000], ${b}`];
    for (const form of forms) {
      const p = new Program().load(`${form}\n pushfd\n pop ecx\n hlt`);
      for (const [x, y] of pairs()) {
        const cf = random() & 1;
        const m = maskOf(bits);
        const want = model(op, (x & m) >>> 0, (y & m) >>> 0, cf, bits);
        execute(p, x, y, cf);
        const got = form.includes('[0x41000]') || form.includes('0x1000]') ? p.word(0x41000) : p.state.eax;
        if ((got & m) >>> 0 !== want.value || ((p.state.ecx ^ want.flags) & want.mask) !== 0 || ((got ^ x) & ~m) !== 0) {
          expect([form, x, y, cf, got & m, p.state.ecx & want.mask]).toEqual([form, x, y, cf, want.value, want.flags & want.mask]);
        }
      }
    }
  });
});

/** Condition codes from the manual, over flags. */
function holds(cc: number, f: number): boolean {
  const sf = (f & SF) !== 0, of = (f & OF) !== 0, zf = (f & ZF) !== 0, cf = (f & CF) !== 0;
  const base = [of, cf, zf, cf || zf, sf, (f & PF) !== 0, sf !== of, zf || sf !== of][cc >> 1]!;
  return (cc & 1) === 0 ? base : !base;
}
const CONDITIONS = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'];

describe('conditions', () => {
  it.each(CONDITIONS.map((c, i): [string, number] => [c, i]))('set%s, cmov%s and j%s agree with the flags', (cc, n) => {
    const p = new Program().load(`push ebx\n popfd\n set${cc} cl\n cmov${cc} esi, esp\n j${cc} taken\n hlt\ntaken: mov ch, 1\n hlt`);
    for (let f = 0; f < 64; f++) {
      const flags = (f & 1 ? CF : 0) | (f & 2 ? PF : 0) | (f & 4 ? ZF : 0) | (f & 8 ? SF : 0) | (f & 16 ? OF : 0) | (f & 32 ? AF : 0);
      execute(p, 0, flags | 2, 0);
      const want = holds(n, flags);
      expect([flags, p.state.ecx, p.state.esi === 0x8000]).toEqual([flags, want ? 0x101 : 0, want]);
    }
  });

  it.each(['cmp eax, ebx', 'cmp al, bl', 'cmp eax, [0x40000]', 'cmp [0x41000], ebx', 'test eax, ebx', 'test al, bl', 'sub eax, ebx', 'and eax, ebx', 'dec eax', 'inc eax', 'add eax, ebx', 'or eax, ebx', 'cmp al, [0x40000]'])(
    'a branch right behind "%s"', (text) => {
      const bits: Bits = /\bal\b/.test(text) ? 8 : 32;
      const op = text.split(' ')[0]!;
      for (let n = 0; n < 16; n++) {
        const p = new Program().load(`${text}\n j${CONDITIONS[n]} taken\n hlt\ntaken: mov ch, 1\n hlt`);
        for (const [x, y] of pairs().slice(0, 200)) {
          const m = maskOf(bits);
          const { flags } = model(op, (x & m) >>> 0, (y & m) >>> 0, 0, bits);
          execute(p, x, y, 0);
          if ((p.state.ecx !== 0) !== holds(n, flags)) expect([text, CONDITIONS[n], x, y, p.state.ecx !== 0]).toEqual([text, CONDITIONS[n], x, y, holds(n, flags)]);
        }
      }
    });
});

describe('shifts', () => {
  it.each(['shl', 'shr', 'sar', 'rol', 'ror', 'rcl', 'rcr'])('%s by every count', (op) => {
    for (const bits of [8, 16, 32] as Bits[]) {
      const p = new Program().load(`mov ecx, esi\n ${op} ${name('a', bits)}, cl\n setc bl\n hlt`);
      for (let count = 0; count < 33; count++) {
        for (const x of [...EDGES, random(), random()]) {
          let v = (x & maskOf(bits)) >>> 0, cf = count & 1;
          for (let i = 0; i < (count & 31); i++) {
            const top = (v >>> (bits - 1)) & 1, low = v & 1, old = cf;
            const up = (bit: number) => ((v << 1 | bit) & maskOf(bits)) >>> 0;
            const down = (bit: number) => ((v >>> 1) | (bit << (bits - 1))) >>> 0;
            cf = ['shl', 'rol', 'rcl'].includes(op) ? top : low;
            v = op === 'shl' ? up(0) : op === 'rol' ? up(top) : op === 'rcl' ? up(old)
              : op === 'shr' ? down(0) : op === 'sar' ? down(top) : op === 'ror' ? down(low) : down(old);
          }
          const s = p.state;
          s.halted = 0; s.eip = CODE; s.eax = x; s.ebx = 0; s.esi = count; s.eflags = 2 | (count & 1);
          p.run(10);
          const got = (p.state.eax & maskOf(bits)) >>> 0;
          // the carry of SHL and SHR by more than the operand has bits is undefined
          const same = (count & 31) > bits && op !== 'rcl' && op !== 'rcr' ? true : p.state.ebx === cf;
          if (got !== v || !same) expect([op, bits, x, count, got, p.state.ebx]).toEqual([op, bits, x, count, v, cf]);
        }
      }
    }
  });
});
