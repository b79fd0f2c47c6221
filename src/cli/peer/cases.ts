// Random cases for the judging kernel: one to four instructions with registers, flags, segments and x87 state, at CPL 3 in
// 32- and 16-bit code and in virtual 8086 mode. Instructions that show the processor's own identity or time are left out.

import { ATTR_BRANCH, ATTR_FAR, ATTR_FPU, ATTR_IO, ATTR_PRIV } from '../../isa/rows.ts';
import { bagOf, InstructionWriter, type Weigh } from '../../debug/fuzz/instructions.ts';
import { Random } from '../../debug/fuzz/random.ts';
import { ARENA, ARENA_BYTES, CASE, CASE_BYTES, CODE16, CODE3, DATA16, DATA3, LOW_ARENA } from './kernel.ts';

export const PEER_MODES = ['32-bit', '16-bit', 'vm86'] as const;
export interface PeerCase { mode: (typeof PEER_MODES)[number]; bytes: Uint8Array }

const LEFT_OUT = new Set(['rdtsc', 'rdpmc', 'rdmsr', 'wrmsr', 'cpuid', 'sgdt', 'sidt', 'sldt', 'str', 'smsw', 'fxsave', 'fxrstor', 'sysenter', 'sysexit', 'rsm']);
const CODE_BYTES = 0x1000;

const weigh: Weigh = (row) => {
  if (LEFT_OUT.has(row.does)) return 0;
  if (row.attrs & (ATTR_PRIV | ATTR_IO | ATTR_FAR)) return 1;
  if (row.attrs & ATTR_FPU) return 3;
  return row.attrs & ATTR_BRANCH ? 2 : 8;
};
const bag = bagOf(weigh);

/** What the arena holds before every case: INT3 in the code page and a little beyond, random words elsewhere. */
export function arenaOf(seed: number): Uint8Array {
  const random = new Random(seed, 0xa7e4a);
  const words = new Uint32Array(ARENA_BYTES / 4).fill(0xcccccccc);
  for (let n = (CODE_BYTES + 128) / 4; n < words.length; n++) words[n] = random.once(2) ? random.word() : random.below(0x3000) + 0x1000;
  return new Uint8Array(words.buffer);
}

export function caseOf(seed: number, n: number): PeerCase {
  const random = new Random(seed, n);
  const mode = random.pick(PEER_MODES);
  const bytes = new Uint8Array(CASE_BYTES);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number) => view.setUint32(at, value, true);
  const base = mode === '32-bit' ? ARENA : 0;
  const codeAt = random.once(6) ? CODE_BYTES - 1 - random.below(12) : random.below(CODE_BYTES - 80);
  const writer = new InstructionWriter(bytes.subarray(CASE.code, CASE.code + 64), bag, random);
  for (let count = 1 + random.below(4); count > 0 && writer.at < 50; count--) writer.instruction(mode === '32-bit');
  put(CASE.codeAt, ARENA + codeAt);
  put(CASE.codeBytes, writer.at);
  frame(random, mode, put, base, codeAt);
  for (let r = 0; r < 7; r++) put(CASE.registers + 4 * r, value(random, base));
  if (!random.once(6)) put(CASE.registers + 20, random.below(20));
  fpu(random, view);
  return { mode, bytes };
}

type Put = (at: number, value: number) => void;

function frame(random: Random, mode: PeerCase['mode'], put: Put, base: number, codeAt: number): void {
  const flags = 2 | (random.word() & 0x8d5) | (random.once(4) ? 0x400 : 0) | 0x200 | (random.once(30) ? 0x100 : 0) | (mode === 'vm86' ? 0x2_0000 : 0);
  const [code, data] = mode === '32-bit' ? [CODE3, DATA3] : mode === '16-bit' ? [CODE16, DATA16] : [LOW_ARENA >> 4, LOW_ARENA >> 4];
  const stack = random.once(40) ? random.below(0x10000) : base + 0x3200 + random.below(0xc00);
  const other = () => (mode !== 'vm86' && random.once(15) ? random.pick([0, DATA3, DATA16, CODE3, CODE16]) : data);
  [base + codeAt, code, flags, stack, data, other(), other(), other(), other()].forEach((word, n) => put(CASE.frame + 4 * n, word));
}

function value(random: Random, base: number): number {
  switch (random.below(8)) {
    case 0: case 1: case 2: case 3: return base + 0x1000 + random.below(0x2800);
    case 4: return random.below(64);
    case 5: return random.pick([0, 0xffffffff, 0x80000000, 0x7fffffff, 0xffff, 0x8000, 0x7fff, 0xff, 0x80, 1]);
    case 6: return random.below(0x10000);
    default: return random.word();
  }
}

/** FNSAVE's image: ordinary numbers in most registers, exceptions masked in most cases. */
function fpu(random: Random, view: DataView): void {
  const at = CASE.fpu;
  const control = random.once(5) ? 0x40 | (random.word() & 0xf3f) : 0x37f;
  view.setUint32(at, control, true);
  view.setUint32(at + 4, random.below(8) << 11, true);
  view.setUint32(at + 8, random.once(3) ? random.word() & 0xffff : 0, true);
  for (let n = 0; n < 8; n++) {
    const special = random.once(4);
    const significand = special ? random.pick([0n, 1n << 63n, 3n << 62n, (1n << 64n) - 1n]) : (1n << 63n) | (BigInt(random.word()) << 31n) | BigInt(random.word() >>> 1);
    const exponent = special ? random.pick([0, 0x7fff, 0x3fff, 0xffff]) : (random.below(2) << 15) | (0x3fd0 + random.below(96));
    view.setBigUint64(at + 28 + n * 10, significand, true);
    view.setUint16(at + 36 + n * 10, significand === 0n ? exponent & 0x8000 : exponent, true);
  }
}
