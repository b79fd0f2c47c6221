// Differences that are explained. Each group names the instruction or the event, the fields in which it shows, and the manual's
// section or what is known of the other processor (QEMU's TCG); it holds for nothing else. What no group holds for is a finding.

import { ATTR_FPU, ATTR_IO, ATTR_PRIV, ATTR_UNDOC, type Row } from '../../isa/rows.ts';
import type { PeerCase } from './cases.ts';
import type { Verdict } from './compare.ts';
import { CASE, LOW_ARENA, TSS_16, TSS_A } from './layout.ts';
import type { X87Aspect } from './trace.ts';

const only = (v: Verdict, ...names: string[]) => v.differs.every((d) => names.includes(d));
const some = (v: Verdict, test: (row: Row) => boolean) => v.rows.some(test);
const does = (v: Verdict, ...names: string[]) => some(v, (row) => names.includes(row.does));
const here = (v: Verdict, name: string) => v.here[name] as number;
const there = (v: Verdict, name: string) => v.there[name] as number;
/** Bits in which a field differs. */
const bits = (v: Verdict, name: string) => (here(v, name) ^ there(v, name)) >>> 0;
const faulted = (v: Verdict, ...vectors: number[]) => vectors.includes(here(v, 'vector')) && v.differs.some((d) => ['vector', 'eip', 'error', 'end'].includes(d));

/** Is #GP what an instruction raises for its privilege? Then it is no matter of segments. */
const privileged = (row: Row | undefined, { mode }: PeerCase) => row !== undefined
  && ((row.attrs & (ATTR_PRIV | ATTR_IO)) !== 0 || ['cli', 'sti', 'hlt'].includes(row.does) || mode === 'vm86' && ['pushf', 'popf', 'int', 'iret'].includes(row.does));
/** Is a data breakpoint armed? */
const watches = (v: Verdict) => [0, 1, 2, 3].some((n) => ((here(v, 'dr7') | there(v, 'dr7')) >>> (2 * n) & 3) !== 0 && (here(v, 'dr7') >>> (16 + 4 * n) & 1) !== 0);
/** Did real-mode code end up below the arena? */
const inFirstPage = (v: Verdict) => ['here', 'there'].some((side) => {
  const { cs, eip } = v[side as 'here'] as Record<string, number>;
  return cs !== undefined && (cs << 4) + eip! < LOW_ARENA;
});
/** Did the frame of the exception go to 0xA0000 or above? */
const inAdapters = (v: Verdict) => ['here', 'there'].some((side) => {
  const { ss, esp } = v[side as 'here'] as Record<string, number>;
  return ss !== undefined && (ss << 4) + (esp! & 0xffff) >= 0xa_0000;
});

const SHIFTS = ['rol', 'ror', 'rcl', 'rcr', 'shl', 'shr', 'sar', 'shld', 'shrd'];
/** Operations that read what others leave undefined. */
const FLAG_READERS = ['adc', 'sbb', 'jcc', 'setcc', 'cmov', 'fcmov', 'rcl', 'rcr', 'lahf', 'pushf', 'daa', 'das', 'aaa', 'aas', 'salc', 'loope', 'loopne', 'cmc', 'sahf', 'into', 'int1', 'int'];
const STACK_OF_MANY = ['cmps', 'movs', 'push', 'pop', 'pusha', 'popa', 'enter', 'leave', 'call', 'ret', 'callf', 'retf', 'frstor', 'fldenv', 'fnsave', 'fnstenv', 'fld', 'fst',
  'fbstp', 'fbld', 'bound', 'cmpxchg8b', 'les', 'lds', 'lss', 'lfs', 'lgs', 'jmpf', 'iret'];
const STRING_WRITES = ['movs', 'stos', 'ins'];

const X87 = ['fcw', 'fsw', 'ftw', ...Array.from({ length: 8 }, (_, r) => `st${r}`)];
/** Where an x87 difference goes on to: what a store wrote, flags of a comparison, and what they led to. */
const x87Stores = (v: Verdict) => does(v, 'fst', 'fist', 'fbstp', 'fnsave', 'fnstenv', 'fnstsw', 'fnstcw', 'fucomi', 'fcomi', 'fcmov');
const follows = (v: Verdict) => [...(x87Stores(v) ? ['memory'] : []), ...(does(v, 'fnstsw') ? ['eax'] : []), ...(does(v, 'fucomi', 'fcomi') ? ['eflags'] : [])];
const met = (aspect: X87Aspect) => (v: Verdict) => v.x87.has(aspect) && (only(v, ...X87, ...follows(v)) || faulted(v, 16) || there(v, 'vector') === 16);
/** Of the status word only some bits differ. */
const status = (v: Verdict, mask: number) => v.differs.includes('fsw') && (bits(v, 'fsw') & ~mask) === 0;
const lastX87 = (v: Verdict) => v.rows.filter((row) => (row.attrs & ATTR_FPU) !== 0).at(-1);

/** covers: the only fields that such a difference shows in, so that another group may explain the rest. */
interface Group { name: string; covers?: readonly string[]; holds: (v: Verdict, test: PeerCase) => boolean }

/** In the order in which they are tried. */
const GROUPS: readonly Group[] = [
  { name: 'the timer ended an endless case, at different places', holds: (v) => here(v, 'vector') === 0x20 || there(v, 'vector') === 0x20 },
  { name: 'alignment check: #AC here (SDM 3, 6.15), not implemented there', holds: (v) => faulted(v, 17) },
  { name: 'segment limits, types and null selectors: #GP or #SS here, not checked there (SDM 3, 5.3)', holds: (v, test) => v.traced && faulted(v, 12, 13) && here(v, 'error') === 0 && !privileged(v.rows.at(-1), test) },
  { name: 'LE of DR7 is cleared by a task switch here (SDM 3, 17.2.4), not there', covers: ['dr7'], holds: (v) => v.differs.includes('dr7') && bits(v, 'dr7') === 0x100 },
  { name: 'LTR of a null selector: #GP(0) here (SDM 2, LTR), accepted there', holds: (v, test) => does(v, 'ltr') && test.ring === 0 && (v.differs.includes('end') || here(v, 'vector') === 13 && here(v, 'error') === 0) },
  { name: 'MOV to CR0 with NW and without CD: #GP(0) here (SDM 2, MOV), accepted there', holds: (v) => v.traced && v.rows.at(-1)?.does === 'movcr' && faulted(v, 13) && here(v, 'error') === 0 },
  { name: 'the other emulator itself crashed', holds: (v) => v.differs.includes('end') && String(v.there.end).startsWith('status') },
  { name: 'a 16-bit TSS: upper halves of registers are zero here, kept there; the manual leaves them open (SDM 3, 7.6)',
    holds: (v) => (here(v, 'tr') & ~7) === TSS_16 && only(v, 'eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi', 'eflags', 'memory', 'tables', 'dr7', 'fs', 'gs') && v.differs.filter((d) => /^e[a-ds]/.test(d) && d !== 'eflags').every((d) => (bits(v, d) & 0xffff) === 0) },
  { name: 'a string instruction that overwrites itself: the next iteration is fetched anew here', holds: (v, test) => does(v, ...STRING_WRITES) && some(v, (row) => STRING_WRITES.includes(row.does)) && Math.abs((here(v, 'edi') & 0xfff) - (new DataView(test.bytes.buffer).getUint32(CASE.codeAt, true) & 0xfff)) < 32 },
  { name: 'far CALL, RET, IRET and gates reach the stack with supervisor rights there, with those of CPL here (SDM 3, 4.6)',
    holds: (v) => faulted(v, 14) && (here(v, 'error') & 5) === 5 && does(v, 'callf', 'retf', 'iret', 'int', 'int3', 'into') },
  { name: 'FAR CALL in virtual 8086 mode pushes with supervisor rights there: #PF with U=0 (SDM 3, 4.7)', holds: (v) => only(v, 'error') && here(v, 'vector') === 14 && bits(v, 'error') === 4 && does(v, 'callf', 'int', 'int3', 'into') },
  { name: 'data breakpoints: the other also reports misaligned accesses elsewhere in the page, and LEN 10, which is undefined (SDM 3, 17.2.5)',
    holds: (v) => watches(v) && (there(v, 'dr6') & ~here(v, 'dr6') & 15) !== 0 },
  { name: 'FNSTENV masks all x87 exceptions afterwards here (SDM 2, FSTENV), not there', holds: (v) => does(v, 'fnstenv') && v.differs.includes('fcw') && (here(v, 'fcw') & 0x3f) === 0x3f && only(v, 'fcw', 'fsw', 'memory') },
  { name: 'open ports: what is read there is a matter of the machine', holds: (v) => does(v, 'in', 'ins') && only(v, 'eax', 'eflags', 'memory') },
  { name: 'RET and RETF imm16: the other sign-extends the immediate (SDM 2, RET)', holds: (v) => v.code.some((c) => /ret[fwd]* 0x[89a-f]...$/.test(c)) },
  { name: 'RETF and IRET read all of their stack items before they check them here and on silicon', holds: (v) => faulted(v, 14) && there(v, 'vector') === 13 && does(v, 'retf', 'iret') },
  { name: 'IRET to virtual 8086 mode at CPL 1 to 3: the other lets it (SDM 2, IRET: only at CPL 0)', holds: (v) => does(v, 'iret') && (there(v, 'eflags') & 0x2_0000) !== 0 && (here(v, 'eflags') & 0x2_0000) === 0 },
  { name: 'PAUSE under TF: the other loses the trap (SDM 3, 17.3.1.4)', holds: (v) => here(v, 'vector') === 1 && v.code.some((c) => c.endsWith('pause')) },
  { name: 'CMPXCHG8B changes only ZF (SDM 2); the other mangles the flags, reserved ones too', holds: (v) => only(v, 'eflags') && does(v, 'cmpxchg8b') },
  { name: 'undocumented encodings that silicon has and the other has not: 82h, F6 /1, F7 /1, C0 /6, D6, F1, 0F 18, x87 aliases',
    holds: (v) => there(v, 'vector') === 6 && v.differs.some((d) => ['vector', 'eip'].includes(d)) && (here(v, 'vector') === 1 || some(v, (row) => (row.attrs & ATTR_UNDOC) !== 0 || row.does === 'nop')) },
  { name: 'LSS casts no interrupt shadow here (SDM 3, 6.8.3: MOV SS and POP SS), it does there', holds: (v) => here(v, 'vector') === 1 && does(v, 'lss') },
  { name: 'LOCK in front of what cannot be locked: #UD here, executed there (SDM 2, LOCK)', holds: (v) => faulted(v, 6) && v.code.some((c) => /^(\w\w)*?f0|\(bad\)/.test(c)) },
  { name: '#PF of a read-modify-write: W=1 here and on silicon, W=0 there (SDM 3, 4.7)', covers: ['error'], holds: (v) => v.differs.includes('error') && here(v, 'vector') === 14 && bits(v, 'error') === 2 && (here(v, 'error') & 2) !== 0 },
  { name: 'which of two absent pages is reported first is up to the processor (SDM 3, 6.15, #PF)',
    holds: (v) => here(v, 'vector') === 14 && there(v, 'vector') === 14 && v.differs.includes('cr2') && does(v, ...STACK_OF_MANY) },
  { name: 'ENTER probes the new top of the stack here and on silicon, not there (SDM 2, ENTER)', holds: (v) => here(v, 'vector') === 14 && does(v, 'enter') },
  { name: 'REP INS and OUTS with a count of 0: the port is not looked at here (SDM 2, REP), it is there', holds: (v) => here(v, 'vector') !== 13 && there(v, 'vector') === 13 && does(v, 'ins', 'outs') },
  { name: 'SETcc to a page that is absent: the other loses the flags it keeps lazily', holds: (v) => only(v, 'eflags') && here(v, 'vector') === 14 && does(v, 'setcc') },
  { name: 'BTS, BTR, BTC, RCL and RCR that end in a fault leave CF alone here and on silicon (SDM 3, 6.5), not there',
    holds: (v) => only(v, 'eflags') && here(v, 'vector') === 14 && bits(v, 'eflags') === 1 && does(v, 'bts', 'btr', 'btc', 'rcl', 'rcr') },
  { name: 'a task switch loads the flags of the new task here (SDM 3, 7.3); the other mixes in those it keeps lazily', covers: ['eflags', 'memory'],
    holds: (v) => (here(v, 'tr') & ~7) !== TSS_A && v.differs.includes('eflags') && (bits(v, 'eflags') & ~0x8d5) === 0 },
  { name: 'code of real mode among vectors and BIOS data: what is there is a matter of the machine', holds: (v, test) => test.mode === 'real' && inFirstPage(v) },
  { name: 'a stack of real mode among adapters and ROMs: what is there is a matter of the machine', holds: (v, test) => test.mode === 'real' && inAdapters(v) },
  { name: 'BSWAP of 16 bits is undefined (SDM 2, BSWAP)', holds: (v) => v.code.some((c) => /bswap (ax|cx|dx|bx|sp|bp|si|di)$/.test(c)) },
  { name: 'BSF and BSR of 0: the destination is undefined (SDM 2)', holds: (v) => does(v, 'bsf', 'bsr') },
  { name: 'SHLD, SHRD by more than 16 of 16 bits: undefined (SDM 2)', holds: (v) => does(v, 'shld', 'shrd') },
  { name: 'PUSH of a segment register writes 2 of 4 bytes here and on P6 (SDM 2, PUSH)', covers: ['memory'], holds: (v) => does(v, 'pushseg') && v.differs.includes('memory') && here(v, 'vector') === there(v, 'vector') },
  { name: 'what PUSH of a segment register left of the stack (2 of 4 bytes) is read again', holds: (v) => does(v, 'pushseg') && here(v, 'vector') === there(v, 'vector') && only(v, 'memory', 'eax', 'ecx', 'edx', 'ebx', 'ebp', 'esi', 'edi') },
  { name: 'x87 stack faults: IE, SF, C1 and the indefinite here (SDM 1, 8.5.1.1), not detected there', holds: met('stack fault') },
  { name: 'x87 exceptions that are not masked: operands stay, ES and #MF follow here (SDM 1, 8.4), results are stored there', holds: met('unmasked') },
  { name: 'x87 denormal operands: DE here (SDM 1, 8.5.2), not reported there', holds: met('denormal') },
  { name: 'x87 pseudo-NaNs, pseudo-infinities and unnormals: invalid operands here (SDM 1, 8.2.2), numbers there', holds: met('unsupported') },
  { name: 'x87 precision control: FLD, FILD, FBLD, FRNDINT, FPREM, FSCALE, FXTRACT and operands from memory are not rounded by it here (SDM 1, 8.1.5.2), some are there', holds: met('precision') },
  { name: 'FPREM and FPREM1: how far one of them reduces, and the condition codes with it, differ (SDM 2, FPREM)', holds: met('remainder') },
  { name: 'FSIN, FCOS, FSINCOS, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1: the other computes them with 53 bits', holds: met('transcendental') },
  { name: 'FLDCW, FLDENV, FRSTOR: reserved bits of FCW do not stay, ES and B follow the new masks here and on silicon (SDM 1, 8.1.5), not there', covers: ['fcw', 'fsw'],
    holds: (v) => v.x87.has('reload') && (v.differs.includes('fcw') || v.differs.includes('fsw')) && (bits(v, 'fcw') & 0x1f3f) === 0 && (bits(v, 'fsw') & ~0x8080) === 0 },
  { name: 'FST, FIST and FBSTP that end in a fault leave FSW alone here (SDM 1, 8.7), not there', holds: (v) => only(v, 'fsw') && [12, 13, 14].includes(here(v, 'vector')) && does(v, 'fst', 'fist', 'fbstp') },
  { name: 'D9 D8+i, an alias of FSTP that silicon lets store an empty ST(0) without a stack fault, as here; there it is FSTP', holds: (v) => v.code.some((c) => c.includes('fstp1 ')) && only(v, ...X87) },
  { name: 'FST ST(i) makes an empty register valid here and on silicon (SDM 2, FST), not there', holds: (v) => does(v, 'fst') && only(v, 'ftw') },
  { name: 'FCOMI and its kind clear OF, SF and AF here (SDM 2, FCOMI), not there',
    holds: (v) => does(v, 'fcomi', 'fucomi') && only(v, 'eflags', 'memory') && (bits(v, 'eflags') & ~0x890) === 0 },
  { name: 'x87 C1 says here whether the last result was rounded up (SDM 1, 8.1.3.3); the other leaves it', covers: ['fsw'], holds: (v) => some(v, (row) => (row.attrs & ATTR_FPU) !== 0) && status(v, 0x200) },
  { name: 'x87 C0, C2 and C3 after what is no comparison are undefined (SDM 1, table 8-1)', covers: ['fsw'], holds: (v) => some(v, (row) => (row.attrs & ATTR_FPU) !== 0) && status(v, 0x4700) && !['fcom', 'fucom', 'ftst', 'fxam'].includes(lastX87(v)?.does ?? '') },
  { name: 'flags that an earlier instruction leaves undefined are read by a later one', holds: (v) => some(v, (row) => row.undef !== 0 || SHIFTS.includes(row.does)) && does(v, ...FLAG_READERS) },
  { name: 'shifts and rotates: OF for counts above 1, flags for counts above the width (SDM 2)', holds: (v) => only(v, 'eflags') && does(v, ...SHIFTS) },
  { name: 'far transfers mark the descriptor of the code segment as accessed here (SDM 3, 3.4.5.1), not there', covers: ['tables'],
    holds: (v) => v.differs.includes('tables') && does(v, 'callf', 'jmpf', 'retf', 'iret', 'int', 'int3', 'into') },
  { name: 'FNSTENV and FNSAVE store the pointers of the last instruction here (SDM 1, 8.1.8), zeros there', covers: ['memory'], holds: (v) => v.differs.includes('memory') && does(v, 'fnstenv', 'fnsave') },
];

/** What explains a verdict: a group, or some that each cover a part of it; null when a field remains. */
export function groupOf(verdict: Verdict, test: PeerCase): string | null {
  let rest = verdict;
  const names: string[] = [];
  for (;;) {
    const found = GROUPS.find(({ covers, holds }) => holds(rest, test) && (!covers || rest.differs.some((name) => covers.includes(name))));
    if (!found) return null;
    names.push(found.name);
    const differs = found.covers ? rest.differs.filter((name) => !found.covers!.includes(name)) : [];
    if (differs.length === 0) return names.join(' + ');
    rest = { ...rest, differs };
  }
}
