// Random cases for the judging kernel: one to four instructions with registers, flags, segments and x87 state, in real and virtual
// 8086 mode and in protected mode of every ring, 16- and 32-bit, with paging on and off. Between random instructions stand
// a few on purpose (system.ts). Instructions that show the processor's own identity or time are left out, and so is what
// would take the machine away from the kernel.

import { ATTR_BRANCH, ATTR_FAR, ATTR_FPU, ATTR_IO, ATTR_PRIV, type Row } from '../../isa/rows.ts';
import { bagOf, InstructionWriter, type Weigh } from '../../debug/fuzz/instructions.ts';
import { Random } from '../../debug/fuzz/random.ts';
import { ARENA, ARENA_BYTES, CASE, CASE_BYTES, CASE_CODE_BYTES, CODE3, CODE_BYTES, DATA3, KIND, LOW_ARENA, ringSelector } from './layout.ts';
import { anySelector, onPurpose } from './system.ts';

export const PEER_MODES = ['real', 'vm86', 'ring 0', 'ring 1', 'ring 2', 'ring 3', 'flat'] as const;
export type PeerMode = (typeof PEER_MODES)[number];
/** flat: CPL 3 in segments of 4 GiB, with paging. big: 32-bit code. */
export interface PeerCase { mode: PeerMode; ring: number; big: boolean; paging: boolean; tasks: boolean; bytes: Uint8Array }

const LEFT_OUT = new Set(['rdtsc', 'rdpmc', 'rdmsr', 'wrmsr', 'cpuid', 'fxsave', 'fxrstor', 'sysenter', 'sysexit', 'rsm']);
/** Not where they are obeyed: they reach devices, or take tables and modes away, or stop for ever. */
const DANGEROUS = new Set(['lgdt', 'lidt', 'movcr', 'movdr', 'lmsw', 'hlt', 'invd', 'wbinvd', 'ltr', 'lldt', 'cli']);

const weigh = (inner: boolean): Weigh => (row: Row) => {
  if (LEFT_OUT.has(row.does) || inner && (DANGEROUS.has(row.does) || row.attrs & ATTR_IO)) return 0;
  if (row.attrs & (ATTR_PRIV | ATTR_IO | ATTR_FAR)) return 1;
  if (row.attrs & ATTR_FPU) return 3;
  return row.attrs & ATTR_BRANCH ? 2 : 8;
};
const bags = { inner: bagOf(weigh(true)), outer: bagOf(weigh(false)) };

/** What the arena holds before every case: INT3 in the code page and a little beyond, random words elsewhere. */
export function arenaOf(seed: number): Uint8Array {
  const random = new Random(seed, 0xa7e4a);
  const words = new Uint32Array(ARENA_BYTES / 4).fill(0xcccccccc);
  for (let n = (CODE_BYTES + 128) / 4; n < words.length; n++) {
    words[n] = random.once(2) ? random.word() : random.once(3) ? anySelector(random) | (random.below(CODE_BYTES) << 16) : random.below(0x3000) + (random.once(2) ? 0x1000 : 0);
  }
  return new Uint8Array(words.buffer);
}

export function caseOf(seed: number, n: number): PeerCase {
  const random = new Random(seed, n);
  const mode = random.pick(PEER_MODES);
  const ring = mode.startsWith('ring') ? Number(mode.slice(5)) : mode === 'real' ? 0 : 3;
  const big = mode === 'flat' || (mode.startsWith('ring') && random.once(2));
  const paging = mode === 'flat' || (mode !== 'real' && random.once(2));
  const inner = ring === 0;
  const test: PeerCase = { mode, ring, big, paging, tasks: mode === 'ring 0' || (mode !== 'real' && random.once(4)), bytes: new Uint8Array(CASE_BYTES) };
  const view = new DataView(test.bytes.buffer);
  const put = (at: number, value: number) => view.setUint32(at, value, true);
  const codeAt = random.once(6) ? CODE_BYTES - 1 - random.below(12) : random.below(CODE_BYTES - 100);
  const privileged = inner || random.once(3);
  const writer = new InstructionWriter(test.bytes.subarray(CASE.code, CASE.code + CASE_CODE_BYTES), privileged ? bags.inner : bags.outer, random, !inner);
  for (let count = 1 + random.below(4); count > 0 && writer.at < 50; count--) {
    if (mode !== 'flat' && random.once(3)) onPurpose(random, test, writer);
    else writer.instruction(big);
  }
  const low = mode === 'real' || (mode === 'vm86' && !paging);
  put(CASE.codeAt, (low ? LOW_ARENA : ARENA) + codeAt);
  put(CASE.codeBytes, writer.at);
  put(CASE.kind, (mode === 'real' ? KIND.real : 0) | (mode === 'ring 0' ? KIND.ring0 : 0) | (low ? KIND.low : 0) | (test.tasks ? KIND.tasks : 0) | (paging ? KIND.paged : 0));
  frame(random, test, put, codeAt, privileged);
  control(random, test, put);
  const base = mode === 'flat' ? ARENA : 0;
  for (let r = 0; r < 7; r++) put(CASE.registers + 4 * r, value(random, base));
  if (!random.once(6)) put(CASE.registers + 20, random.below(20));
  fpu(random, view);
  return test;
}

type Put = (at: number, value: number) => void;

function frame(random: Random, { mode, ring, big }: PeerCase, put: Put, codeAt: number, privileged: boolean): void {
  const base = mode === 'flat' ? ARENA : 0;
  const iopl = mode !== 'flat' && privileged ? random.below(4) << 12 : 0;
  const flags = 2 | (random.word() & 0x8d5) | (random.once(4) ? 0x400 : 0) | 0x200 | iopl | (random.once(30) ? 0x100 : 0) | (random.once(10) ? 0x4_0000 : 0) | (mode === 'vm86' ? 0x2_0000 : 0);
  const inside = ring === 0;
  const stack = !inside && random.once(40) ? random.below(0x10000) : base + 0x3200 + random.below(0xc00);
  const paragraph = LOW_ARENA >> 4;
  if (mode === 'real' || mode === 'vm86') {
    [codeAt, paragraph, flags, stack, paragraph, paragraph, paragraph, paragraph, paragraph].forEach((word, n) => put(CASE.frame + 4 * n, word));
    put(CASE.stackAt, LOW_ARENA + stack - 12);
    return;
  }
  const own = (what: 'code' | 'data', wide: boolean) => ringSelector(ring, `${what}${wide ? 32 : 16}` as 'code32');
  const [code, data] = mode === 'flat' ? [CODE3, DATA3] : [own('code', big), own('data', true)];
  const other = () => {
    if (!random.once(8)) return data;
    return mode === 'flat' ? random.pick([0, DATA3, ringSelector(3, 'data16'), CODE3, ringSelector(3, 'code16')]) : random.pick([0, own('data', false), own('code', false), data]);
  };
  const ss = mode === 'flat' ? DATA3 : own('data', !random.once(3));
  [base + codeAt, code, flags, stack, ss, other(), other(), other(), other()].forEach((word, n) => put(CASE.frame + 4 * n, word));
  put(CASE.stackAt, ARENA + stack - 12);
}

/** CR0 with NE, and with the others now and then; CR4; breakpoints on the arena. */
function control(random: Random, { mode, paging }: PeerCase, put: Put): void {
  const extra = mode === 'flat' ? 0x1_0002 : (random.once(2) ? 0x1_0000 : 0) | (random.once(3) ? 0x4_0000 : 0) | (random.once(12) ? random.below(8) << 1 : 0);
  put(CASE.cr0, 0x31 | extra | (paging ? 0x8000_0000 : 0));
  put(CASE.cr4, (random.once(8) ? 4 : 0) | (random.once(8) ? 8 : 0) | (random.once(4) ? 0x90 : 0));
  const armed = random.once(30);
  const base = mode === 'real' || mode === 'vm86' ? LOW_ARENA : ARENA;
  for (let n = 0; n < 4; n++) put(CASE.dr0 + 4 * n, armed ? base + random.below(random.once(2) ? 0x1000 : 0x4000) : 0);
  put(CASE.dr7, 0x400 | (armed ? (random.word() & 0xffff_03ff) : 0));
}

function value(random: Random, base: number): number {
  switch (random.below(9)) {
    case 0: case 1: case 2: case 3: return base + 0x1000 + random.below(0x2800);
    case 4: return random.below(64);
    case 5: return random.pick([0, 0xffffffff, 0x80000000, 0x7fffffff, 0xffff, 0x8000, 0x7fff, 0xff, 0x80, 1]);
    case 6: return random.below(0x10000);
    case 7: return anySelector(random);
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
