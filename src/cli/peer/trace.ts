// The instructions that a case really executes on our machine, one after the other: what its bytes show is not all of it, once a
// jump has led into its data.

import type { EngineKind } from '../../cpu/engine.ts';
import type { Cpu } from '../../cpu/cpu.ts';
import { decode, Insn } from '../../isa/decode.ts';
import { printInsn } from '../../isa/print.ts';
import { ATTR_FPU, ROWS, type Row } from '../../isa/rows.ts';
import { bigCode, linearEip } from '../../debug/code.ts';
import { readLinear } from '../../debug/inspect.ts';
import { Machine } from '../../pc/machine.ts';
import { ARENA, LOW_ARENA } from './layout.ts';

/**
 * What x87 instructions met: a stack fault, an exception that is not masked, a denormal operand, an encoding that is no number, less
 * than full precision, a partial remainder, a transcendental function, a reload of control or status.
 */
export type X87Aspect = 'stack fault' | 'unmasked' | 'denormal' | 'unsupported' | 'precision' | 'remainder' | 'transcendental' | 'reload';
/** Rows, each instruction as bytes and text, and what x87 instructions met. traced: they really ran, in this order, and the last one ended the case. */
export interface Executed { rows: Row[]; code: string[]; x87: Set<X87Aspect>; traced: boolean }

const MOST = 400;
const inArenas = (la: number) => (la >>> 16) === ARENA >>> 16 || (la >>> 16) === LOW_ARENA >>> 16;

/** Adds the instruction at the start of some bytes; returns its length. */
export function addInstruction(list: Executed, bytes: Uint8Array, at: number, big: boolean, insn = new Insn()): number {
  const size = decode(bytes, 0, bytes.length, big, insn);
  if (size > 0) list.rows.push(ROWS[insn.row]!);
  const text = size > 0 ? printInsn(insn, at, big).replace(/ +/g, ' ') : '(bad)';
  list.code.push(`${Buffer.from(bytes.subarray(0, size > 0 ? size : 4)).toString('hex')} ${text}`);
  return size;
}

const TRANSCENDENTAL = new Set(['f2xm1', 'fyl2x', 'fyl2xp1', 'fptan', 'fpatan', 'fsin', 'fcos', 'fsincos']);
const RELOAD = new Set(['fldcw', 'fldenv', 'frstor', 'fxrstor']);
/** What precision control does not round here, but does there, and the reverse. */
const ROUNDED = new Set(['fld', 'fild', 'frndint', 'fprem', 'fprem1', 'fscale', 'fsqrt', 'fbld', 'fxtract']);

const ARITHMETIC = /^f(add|sub|mul|div|com)/;

/** Has an x87 register an encoding that the 387 and later know no more: an exponent, but no integer bit? */
function holdsUnsupported(cpu: Cpu): boolean {
  return cpu.getFpu().registers.some(({ significand, exponent }) => (exponent & 0x7fff) !== 0 && significand >> 63n === 0n);
}
const holdsDenormal = (cpu: Cpu): boolean => cpu.getFpu().registers.some(({ significand, exponent }) => (exponent & 0x7fff) === 0 && significand !== 0n);

/** Notes what the x87 instruction of a row met; the status word was `before`. */
function noteX87(list: Executed, row: Row, before: number, unsupported: boolean, cpu: Cpu): void {
  const { control, status } = cpu.getFpu();
  const note = (aspect: X87Aspect, holds: boolean) => { if (holds) list.x87.add(aspect); };
  note('stack fault', (status & 0x40) !== 0);
  note('unmasked', ((status | before) & 0x80) !== 0);
  note('denormal', (status & 2) !== 0 || holdsDenormal(cpu));
  note('unsupported', unsupported || holdsUnsupported(cpu));
  note('precision', (control & 0x300) !== 0x300 && (ROUNDED.has(row.does) || row.inMemory && ARITHMETIC.test(row.does)));
  note('remainder', row.does === 'fprem' || row.does === 'fprem1');
  note('transcendental', TRANSCENDENTAL.has(row.does));
  note('reload', RELOAD.has(row.does));
}

/** Runs a kernel with one case. */
export function executed(kernel: Uint8Array, engine: EngineKind): Executed {
  const machine = new Machine({ memory: 16 << 20, engine, debugConsole: () => {} });
  const { cpu } = machine;
  machine.loadKernel(kernel, 'fuzz.elf', '');
  cpu.setHooks({ breakpoint: (la) => (inArenas(la) ? 2 : 0), breakpointPage: inArenas });
  cpu.run(cpu.instructions + 1_000_000);
  cpu.setHooks({});
  const list: Executed = { rows: [], code: [], x87: new Set(), traced: true };
  for (let n = 0; n < MOST && inArenas(linearEip(cpu)); n++) {
    addInstruction(list, readLinear(cpu, linearEip(cpu), 15), cpu.state.eip, bigCode(cpu));
    const row = list.rows.at(-1);
    const before = cpu.state.fpuStatus, unsupported = holdsUnsupported(cpu);
    cpu.run(cpu.instructions + 1);
    if (row && row.attrs & ATTR_FPU) noteX87(list, row, before, unsupported, cpu);
  }
  return list;
}
