// Compares what two processors made of the same case, leaving out what the manual leaves open, and sorts the differences
// into groups that are explained; what no rule explains is a finding.

import { decode, Insn } from '../../isa/decode.ts';
import { printInsn } from '../../isa/print.ts';
import { ATTR_FPU, ATTR_UNDOC, Kind, ROWS, type Row } from '../../isa/rows.ts';
import type { PeerCase } from './cases.ts';
import { CASE, RESULT_BYTES, RESULT_NAMES } from './kernel.ts';

/** Fields of a result by name; x87 registers as text. */
type Result = Record<string, number | string>;
export interface Verdict { differs: string[]; here: Result; there: Result; rows: Row[]; code: string[] }

/** RF, which the other does not push; VIF and VIP, which it shows although neither has VME. */
const STRAY_FLAGS = 0x19_0000;

function resultOf(bytes: Buffer, n: number): Result {
  const at = n * RESULT_BYTES;
  const out: Result = {};
  RESULT_NAMES.forEach((name, i) => { out[name] = bytes.readUInt32LE(at + 4 * i); });
  const fpu = at + RESULT_NAMES.length * 4;
  ['fcw', 'fsw', 'ftw'].forEach((name, i) => { out[name] = bytes.readUInt16LE(fpu + 4 * i); });
  for (let r = 0; r < 8; r++) out[`st${r}`] = Buffer.from(bytes.subarray(fpu + 28 + r * 10, fpu + 38 + r * 10)).reverse().toString('hex');
  return out;
}

/** The instructions that a case may run: from its start, and from where its relative branches lead inside it. */
function decodeCase({ mode, bytes }: PeerCase): { rows: Row[]; code: string[] } {
  const rows: Row[] = [], code: string[] = [];
  const insn = new Insn();
  const big = mode === '32-bit';
  const length = bytes[CASE.codeBytes]!;
  const text = new Uint8Array(length + 16).fill(0xcc);            // INT3 is what follows in memory
  text.set(bytes.subarray(CASE.code, CASE.code + length));
  const seen = new Set<number>();
  for (const todo = [0]; todo.length > 0;) {
    const at = todo.pop()!;
    if (at < 0 || at >= length || seen.has(at)) continue;
    seen.add(at);
    const size = decode(text, at, text.length, big, insn);
    if (size <= 0) { code.push(`${Buffer.from(text.subarray(at, at + 4)).toString('hex')} (bad)`); continue; }
    rows.push(ROWS[insn.row]!);
    code.push(`${Buffer.from(text.subarray(at, at + size)).toString('hex')} ${printInsn(insn, at, big).replace(/ +/g, ' ')}`);
    if (ROWS[insn.row]!.args.some((arg) => arg.kind === Kind.REL)) todo.push(at + size + insn.imm);
    todo.push(at + size);
  }
  return { rows, code };
}

/** What to compare of a field: a mask, or 0 for nothing. */
function maskOf(name: string, test: PeerCase, vector: number, undefinedFlags: number): number {
  if (name === '-' || (name === 'cr2' && vector !== 14)) return 0;
  if (test.mode === 'vm86' ? ['ds', 'es', 'fs', 'gs'].includes(name) : name.startsWith('vm.')) return 0;
  if (['cs', 'ss'].includes(name) || name.startsWith('vm.')) return 0xffff;
  return name === 'eflags' ? ~(STRAY_FLAGS | undefinedFlags) : -1;
}

/** The verdict on case n; null when both agree. */
export function compareCase(test: PeerCase, n: number, here: Buffer, there: Buffer): Verdict | null {
  const [a, b] = [resultOf(here, n), resultOf(there, n)];
  const { rows, code } = decodeCase(test);
  const undefinedFlags = rows.reduce((mask, row) => mask | row.undef, 0);
  const differs = Object.keys(a).filter((name) => {
    const [x, y] = [a[name]!, b[name]!];
    if (typeof x === 'string') return x !== y;
    return ((x ^ (y as number)) & maskOf(name, test, a.vector as number, undefinedFlags)) !== 0;
  });
  return differs.length ? { differs, here: a, there: b, rows, code } : null;
}

const only = (v: Verdict, ...names: string[]) => v.differs.every((d) => names.includes(d));
const some = (v: Verdict, test: (row: Row) => boolean) => v.rows.some(test);
const does = (v: Verdict, ...names: string[]) => some(v, (row) => names.includes(row.does));
const X87 = ['fcw', 'fsw', 'ftw', ...Array.from({ length: 8 }, (_, r) => `st${r}`)];
/** Operations that read what others leave undefined. */
const FLAG_READERS = ['adc', 'sbb', 'jcc', 'setcc', 'cmov', 'fcmov', 'rcl', 'rcr', 'lahf', 'pushf', 'daa', 'das', 'aaa', 'aas', 'salc', 'loope', 'loopne', 'cmc', 'sahf', 'into', 'int1'];

interface Group { name: string; holds: (v: Verdict, test: PeerCase) => boolean }

/** In the order in which they are tried. Each is a documented gap of QEMU's TCG, or up to the processor. */
const GROUPS: readonly Group[] = [
  { name: 'the timer ended an endless case, at different places', holds: (v) => v.here.vector === 0x20 || v.there.vector === 0x20 },
  { name: 'segment limits, types and null selectors: #GP or #SS here, not checked there (SDM 3, 5.3)',
    holds: (v) => [12, 13].includes(v.here.vector as number) && v.here.error === 0 && v.differs.some((d) => ['vector', 'eip', 'error'].includes(d)) },
  { name: 'RET and RETF imm16: the other sign-extends the immediate (SDM 2, RET)', holds: (v) => v.code.some((c) => /ret[fwd]* 0x[89a-f]...$/.test(c)) },
  { name: 'RETF and IRET read all of their stack items before they check them here and on silicon', holds: (v) => v.here.vector === 14 && v.there.vector === 13 && does(v, 'retf', 'iret') },
  { name: 'IRET to virtual 8086 mode at CPL 3: the other lets it (SDM 2, IRET: only at CPL 0)', holds: (v) => does(v, 'iret') && ((v.there.eflags as number) & 0x2_0000) !== 0 },
  { name: 'PAUSE under TF: the other loses the trap (SDM 3, 17.3.1.4)', holds: (v) => v.here.vector === 1 && does(v, 'nop', 'pause') && v.code.some((c) => c.endsWith('pause')) },
  { name: 'CMPXCHG8B changes only ZF (SDM 2); the other mangles the flags, reserved ones too', holds: (v) => only(v, 'eflags') && does(v, 'cmpxchg8b') },
  { name: 'undocumented encodings that silicon has and the other has not: 82h, F6 /1, F7 /1, C0 /6, D6, F1, 0F 18, x87 aliases',
    holds: (v) => v.there.vector === 6 && v.differs.some((d) => ['vector', 'eip'].includes(d)) && (v.here.vector === 1 || some(v, (row) => (row.attrs & ATTR_UNDOC) !== 0 || row.does === 'nop')) },
  { name: 'LSS casts no interrupt shadow here (SDM 3, 6.8.3: MOV SS and POP SS), it does there', holds: (v) => v.here.vector === 1 && does(v, 'lss') },
  { name: 'LOCK in front of what cannot be locked: #UD here, executed there (SDM 2, LOCK)', holds: (v) => v.here.vector === 6 && v.differs.some((d) => ['vector', 'eip'].includes(d)) && v.code.some((c) => /^(\w\w)*?f0|\(bad\)/.test(c)) },
  { name: '#PF of a read-modify-write: W=1 here and on silicon, W=0 there (SDM 3, 4.7)',
    holds: (v) => only(v, 'error') && v.here.vector === 14 && ((v.here.error as number) ^ (v.there.error as number)) === 2 && ((v.here.error as number) & 2) !== 0 },
  { name: 'which of two absent pages is reported first is up to the processor (SDM 3, 6.15, #PF)',
    holds: (v) => v.here.vector === 14 && v.there.vector === 14 && v.differs.includes('cr2') && does(v, 'cmps', 'movs', 'push', 'pop', 'pusha', 'popa', 'enter', 'leave', 'call', 'ret', 'callf', 'retf', 'frstor', 'fldenv', 'fnsave', 'fnstenv', 'fld', 'fst', 'fbstp', 'fbld', 'bound', 'cmpxchg8b', 'les', 'lds', 'lss', 'lfs', 'lgs', 'jmpf') },
  { name: 'ENTER probes the new top of the stack here and on silicon, not there (SDM 2, ENTER)', holds: (v) => v.here.vector === 14 && does(v, 'enter') },
  { name: 'REP INS and OUTS with a count of 0: the port is not looked at here (SDM 2, REP), it is there', holds: (v) => v.here.vector !== 13 && v.there.vector === 13 && does(v, 'ins', 'outs') },
  { name: 'SETcc to a page that is absent: the other loses the flags it keeps lazily', holds: (v) => only(v, 'eflags') && v.here.vector === 14 && does(v, 'setcc') },
  { name: 'BSWAP of 16 bits is undefined (SDM 2, BSWAP)', holds: (v) => v.code.some((c) => /bswap (ax|cx|dx|bx|sp|bp|si|di)$/.test(c)) },
  { name: 'BSF and BSR of 0: the destination is undefined (SDM 2)', holds: (v) => does(v, 'bsf', 'bsr') },
  { name: 'SHLD, SHRD by more than 16 of 16 bits: undefined (SDM 2)', holds: (v) => does(v, 'shld', 'shrd') },
  { name: 'PUSH of a segment register writes 2 of 4 bytes here and on P6 (SDM 2, PUSH)', holds: (v) => does(v, 'pushseg') && v.here.vector === v.there.vector },
  { name: 'x87: stack faults, unmasked responses, DE, precision control and NaN rules, which the other approximates (SDM 1, 8.5)',
    holds: (v) => some(v, (row) => (row.attrs & ATTR_FPU) !== 0) && v.differs.some((d) => X87.includes(d)) },
  { name: 'x87: #MF taken by one of them, for the same reasons', holds: (v) => v.here.vector === 16 || v.there.vector === 16 },
  { name: 'x87: what was stored follows from those', holds: (v) => does(v, 'fst', 'fist', 'fbstp', 'fnsave', 'fnstenv', 'fnstsw', 'fucomi', 'fcomi') },
  { name: 'flags that an earlier instruction leaves undefined are read by a later one', holds: (v) => some(v, (row) => row.undef !== 0 || SHIFTS.includes(row.does)) && does(v, ...FLAG_READERS) },
  { name: 'shifts and rotates: OF for counts above 1, flags for counts above the width (SDM 2)', holds: (v) => only(v, 'eflags') && does(v, ...SHIFTS) },
];
const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar', 'shld', 'shrd'];

export function groupOf(verdict: Verdict, test: PeerCase): string | null {
  return GROUPS.find(({ holds }) => holds(verdict, test))?.name ?? null;
}

/** A case as lines: its code, and each difference. */
export function describe(v: Verdict, test: PeerCase, seed: number, n: number): string[] {
  const show = (x: number | string) => (typeof x === 'number' ? `0x${x.toString(16)}` : x);
  return [
    `seed ${seed}, case ${n} (${test.mode}): ${v.code.join('; ')}`,
    ...v.differs.map((name) => `   ${name}: ${show(v.here[name]!)} here, ${show(v.there[name]!)} there`),
  ];
}
