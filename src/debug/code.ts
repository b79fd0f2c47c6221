// Code as a debugger shows it: disassembly at and around a linear address, and the chain of callers by frame pointers.

import { decode, Insn } from '../isa/decode.ts';
import { printInsn } from '../isa/print.ts';
import type { Cpu } from '../cpu/cpu.ts';
import { CS, SS } from '../cpu/layout.ts';
import { linearWord, readLinear } from './inspect.ts';
import type { SymbolTable } from './symbols.ts';
import { hex } from './text.ts';

const BEFORE = 6;
const AFTER = 5;
const LONGEST = 15;

export interface CodeLine {
  /** Linear address. */
  readonly at: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** Linear address of the next instruction. */
export function linearEip(cpu: Cpu): number {
  return (cpu.state.segment(CS).base + cpu.state.eip) >>> 0;
}

/** Is the code segment a 32-bit one? */
export function bigCode(cpu: Cpu): boolean {
  return (cpu.state.segment(CS).attr & 0x4000) !== 0;
}

/** One instruction; where nothing can be decoded, one byte as `(bad)`. Null where there is no memory. */
export function disassemble(cpu: Cpu, at: number, insn = new Insn()): CodeLine | null {
  const bytes = readLinear(cpu, at, LONGEST);
  if (!bytes.length) return null;
  const length = decode(bytes, 0, bytes.length, bigCode(cpu), insn);
  if (length <= 0) return { at, bytes: bytes.subarray(0, 1), text: '(bad)' };
  const offset = (at - cpu.state.segment(CS).base) | 0;
  return { at, bytes: bytes.subarray(0, length), text: printInsn(insn, offset, bigCode(cpu)) };
}

/** Up to `count` instructions from a linear address. */
export function disassembleFrom(cpu: Cpu, from: number, count: number): CodeLine[] {
  const lines: CodeLine[] = [];
  for (let at = from; lines.length < count; at += lines.at(-1)!.bytes.length) {
    const line = disassemble(cpu, at >>> 0);
    if (!line) break;
    lines.push(line);
  }
  return lines;
}

/** Instructions that end exactly at `at`: from the start of its function, else from the nearest place that fits. */
function disassembleBefore(cpu: Cpu, at: number, symbols: SymbolTable): CodeLine[] {
  const place = symbols.find(at);
  const starts = place && place.offset > 0 && place.offset < 4096 ? [at - place.offset] : Array.from({ length: 30 }, (_, i) => at - 30 + i);
  for (const start of starts) {
    const lines: CodeLine[] = [];
    let next = start >>> 0;
    while (next < at) {
      const line = disassemble(cpu, next);
      if (!line || line.text === '(bad)') break;
      lines.push(line);
      next += line.bytes.length;
    }
    if (next === at && lines.length) return lines.slice(-BEFORE);
  }
  return [];
}

/** A line as text: address, bytes, instruction, and where a branch leads. */
export function codeText(line: CodeLine, symbols: SymbolTable): string {
  const bytes = [...line.bytes].map((b) => hex(b, 2)).join(' ');
  const target = /^(?:j\w+|call|loop\w*) +0x([0-9a-f]+)$/.exec(line.text);
  const name = target ? symbols.text(parseInt(target[1]!, 16)) : '';
  return `${hex(line.at)}  ${bytes.padEnd(21)}  ${line.text}${name ? ` <${name}>` : ''}`;
}

/** Disassembly around the next instruction, which is marked. */
export function codeAround(cpu: Cpu, symbols: SymbolTable): string[] {
  const at = linearEip(cpu);
  const before = disassembleBefore(cpu, at, symbols);
  const after = disassembleFrom(cpu, at, AFTER);
  if (!after.length) return [`   ${hex(at)}  (no memory here)`];
  return [...before.map((line) => `   ${codeText(line, symbols)}`), ...after.map((line, i) => `${i ? '  ' : '=>'} ${codeText(line, symbols)}`)];
}

/** Return addresses from the frame pointers, innermost first, eip itself at the head. */
export function backtrace(cpu: Cpu, most = 20): number[] {
  const { state } = cpu;
  const frames = [linearEip(cpu)];
  const stackBase = state.segment(SS).base;
  const codeBase = state.segment(CS).base;
  let frame = state.ebp;
  while (frames.length < most && frame !== 0 && frame % 4 === 0) {
    const back = linearWord(cpu, (stackBase + frame + 4) >>> 0);
    const outer = linearWord(cpu, (stackBase + frame) >>> 0);
    if (!back || outer === null) break;
    frames.push((codeBase + back) >>> 0);
    if (outer <= frame) break;
    frame = outer;
  }
  return frames;
}

/** A backtrace as lines `#0 c0101234 name+0x12`. */
export function backtraceText(cpu: Cpu, symbols: SymbolTable): string[] {
  return backtrace(cpu).map((address, i) => `#${i} ${hex(address)} ${symbols.text(address)}`.trimEnd());
}
