// The registers as text, in the layout that users of QEMU's monitor know: general registers, eip and flags, segments with
// their hidden parts, tables, control and debug registers.

import type { Cpu } from '../cpu/cpu.ts';
import { SEG_NAMES } from '../cpu/layout.ts';
import { typeText } from './inspect.ts';
import { hex } from './text.ts';

const FLAGS: readonly [number, string][] = [[11, 'O'], [10, 'D'], [9, 'I'], [8, 'T'], [7, 'S'], [6, 'Z'], [4, 'A'], [2, 'P'], [0, 'C']];
const SEGMENT_ORDER = [0, 1, 2, 3, 4, 5, 6, 7];

/** `[O-I-SZ-P-]`: the letters of the flags that are set. */
function flagLetters(eflags: number): string {
  return `[${FLAGS.map(([bit, letter]) => (eflags & (1 << bit) ? letter : '-')).join('')}]`;
}

function named(cpu: Cpu, names: readonly string[]): string {
  return names.map((name) => `${name.toUpperCase()}=${hex(cpu.state[name] as number)}`).join(' ');
}

function segmentText(cpu: Cpu, n: number): string {
  const { sel, base, limit, attr } = cpu.state.segment(n);
  const name = SEG_NAMES[n]!.slice(0, n < 6 ? 2 : 3).toUpperCase();
  return `${name.padEnd(3)}=${hex(sel, 4)} ${hex(base)} ${hex(limit)} ${hex(attr, 4)} DPL=${(attr >>> 5) & 3} ${typeText(attr)}`;
}

/** Four lines: the general registers, eip, flags and CPL. */
export function generalText(cpu: Cpu): string[] {
  const { state } = cpu;
  return [
    named(cpu, ['eax', 'ebx', 'ecx', 'edx']),
    named(cpu, ['esi', 'edi', 'ebp', 'esp']),
    `EIP=${hex(state.eip)} EFL=${hex(state.eflags)} ${flagLetters(state.eflags)} CPL=${state.cpl} HLT=${cpu.halted ? 1 : 0}`,
  ];
}

/** All of them. */
export function registersText(cpu: Cpu): string[] {
  const { state } = cpu;
  return [
    ...generalText(cpu),
    ...SEGMENT_ORDER.map((n) => segmentText(cpu, n)),
    `GDT=     ${hex(state.gdtBase)} ${hex(state.gdtLimit)}`,
    `IDT=     ${hex(state.idtBase)} ${hex(state.idtLimit)}`,
    named(cpu, ['cr0', 'cr2', 'cr3', 'cr4']),
    named(cpu, ['dr0', 'dr1', 'dr2', 'dr3', 'dr6', 'dr7']),
  ];
}

/** The x87 state: control, status, tag word and the registers from the top of the stack. */
export function fpuText(cpu: Cpu): string[] {
  const { control, status, tag, registers } = cpu.getFpu();
  const top = (status >>> 11) & 7;
  const lines = registers.map((_, i) => {
    const n = (top + i) & 7;
    const { significand, exponent } = registers[n]!;
    return `ST${i}=${hex(exponent, 4)} ${significand.toString(16).padStart(16, '0')}${tag & (1 << n) ? '' : ' empty'}`;
  });
  return [`FCW=${hex(control, 4)} FSW=${hex(status, 4)} [ST=${top}] FTW=${hex(tag, 2)}`, ...lines];
}
