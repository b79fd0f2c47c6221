// The log of `-d`, under QEMU's item names. One line per event, so that a log can be filtered with line tools; in_asm and
// cpu write a few lines per block of code. A block is what runs without a transfer of control. Items about blocks make the
// processor run instruction by instruction, which is slow and changes nothing else.

import { decode, Insn } from '../isa/decode.ts';
import { ATTR_BRANCH, ROWS } from '../isa/rows.ts';
import type { Machine } from '../pc/machine.ts';
import { bigCode, disassemble } from './code.ts';
import type { CodeLine } from './code.ts';
import type { Listener } from './debugger.ts';
import { EVENT_ITEMS } from './observe/event-log.ts';
import { readLinear, walk, walkText } from './inspect.ts';
import { registersText } from './registers.ts';
import type { SymbolTable } from './symbols.ts';
import { errorText } from './triple-fault.ts';
import { hex, vectorName } from './text.ts';

/** Every item with what it prints. */
export const LOG_ITEMS: Readonly<Record<string, string>> = {
  int: 'every exception and interrupt that is delivered',
  in_asm: 'the instructions of each block of code when it runs for the first time',
  exec: 'the address of each block of code that runs',
  cpu: 'the registers before each block of code',
  cpu_reset: 'the registers when the machine resets or shuts down',
  mmu: 'page walks of page faults, and loads of control registers',
  guest_errors: 'accesses to ports and addresses where nothing answers',
  unimp: 'the same: what the guest asked for and this PC does not have',
  ...EVENT_ITEMS,
};

export interface Range {
  readonly first: number;
  readonly last: number;
}

const MOST_INSTRUCTIONS = 64;

/** Items of a comma list; the first that does not exist is returned as a string. */
export function parseLogItems(list: string): Set<string> | string {
  const items = list.split(',').filter(Boolean);
  return items.find((item) => !Object.hasOwn(LOG_ITEMS, item)) ?? new Set(items);
}

/** Ranges of a comma list of `a+length`, `a-length` (ending at a), `a..b`, or null when one is malformed. */
export function parseRanges(list: string): Range[] | null {
  const ranges = list.split(',').map((text): Range | null => {
    const match = /^(0x[0-9a-f]+|\d+)(\+|-|\.\.)(0x[0-9a-f]+|\d+)$/i.exec(text.trim());
    if (!match) return null;
    const [a, b] = [Number(match[1]), Number(match[3])];
    if (match[2] === '+') return { first: a, last: a + b - 1 };
    return match[2] === '-' ? { first: a - b + 1, last: a } : { first: a, last: b };
  });
  return ranges.every((range) => range !== null) ? ranges : null;
}

export class Log {
  private count = 0;
  private next = -1;
  private previous = -1;
  private readonly seen = new Set<string>();
  private readonly control = new Map<string, number>();
  private readonly insn = new Insn();

  constructor(
    private readonly machine: Machine,
    private readonly symbols: SymbolTable,
    private readonly items: ReadonlySet<string>,
    private readonly ranges: readonly Range[] | null,
    private readonly line: (text: string) => void,
  ) {}

  /** What to install in a Debugger. */
  listener(): Listener {
    const wants = (...names: string[]) => names.some((name) => this.items.has(name));
    return {
      ...(wants('int', 'mmu') ? { interrupt: (vector: number, kind: number, error: number | null) => this.interrupt(vector, kind, error) } : {}),
      ...(wants('in_asm', 'exec', 'cpu', 'mmu') ? { instruction: (la: number) => this.instruction(la) } : {}),
    };
  }

  /** The machine is about to reset. */
  reset(): void {
    if (this.items.has('cpu_reset')) for (const text of ['CPU Reset', ...registersText(this.machine.cpu)]) this.line(text);
  }

  private interrupt(vector: number, kind: number, error: number | null): void {
    const { cpu } = this.machine;
    const { state } = cpu;
    const fault = kind === 2;
    if (this.items.has('int')) {
      const pc = (state.segment(1).base + state.eip) >>> 0;
      const name = kind === 0 && vector !== 1 ? `IRQ vector 0x${vector.toString(16)}` : kind !== 1 ? vectorName(vector) : `INT 0x${vector.toString(16)}`;
      const place = `IP=${hex(state.segment(1).sel, 4)}:${hex(state.eip)} pc=${hex(pc)} SP=${hex(state.segment(2).sel, 4)}:${hex(state.esp)}`;
      const detail = fault && vector === 14 ? `CR2=${hex(state.cr2)}` : `EAX=${hex(state.eax)}`;
      const words = fault && error !== null ? errorText(vector, error) : '';
      this.line(`${String(this.count++).padStart(6)}: v=${hex(vector, 2)} e=${hex(error ?? 0, 4)} i=${kind === 1 ? 1 : 0} cpl=${state.cpl} ${place} ${detail} ${[name, words, this.symbols.text(pc)].filter(Boolean).join(', ')}`);
    }
    if (this.items.has('mmu') && fault && vector === 14) this.line(`mmu: #PF at ${hex(state.cr2)}: ${walkText(cpu, state.cr2)}`);
  }

  private instruction(la: number): void {
    if (this.items.has('mmu')) this.watchControl();
    const straight = la === this.next || la === this.previous;
    const bytes = readLinear(this.machine.cpu, la, 15);
    const length = decode(bytes, 0, bytes.length, bigCode(this.machine.cpu), this.insn);
    this.previous = la;
    this.next = length > 0 ? (la + length) >>> 0 : -1;
    if (length > 0 && ROWS[this.insn.row]!.attrs & ATTR_BRANCH) this.next = -1;
    if (!straight && this.inRange(la)) this.block(la);
  }

  private inRange(la: number): boolean {
    return this.ranges === null || this.ranges.some(({ first, last }) => la >= first && la <= last);
  }

  private block(la: number): void {
    const name = this.symbols.text(la);
    if (this.items.has('in_asm')) this.listBlock(la, name);
    if (this.items.has('exec')) this.line(`Trace 0: ${hex(la)} ${name}`.trimEnd());
    if (this.items.has('cpu')) for (const text of registersText(this.machine.cpu)) this.line(text);
  }

  private listBlock(la: number, name: string): void {
    const key = `${la}:${walk(this.machine.cpu, la).pa}`;
    if (this.seen.has(key)) return;
    this.seen.add(key);
    this.line('----------------');
    this.line(`IN: ${name}`.trimEnd());
    for (const { at, bytes, text } of this.blockLines(la)) this.line(`0x${hex(at)}:  ${[...bytes].map((b) => hex(b, 2)).join(' ').padEnd(24)} ${text}`);
  }

  private blockLines(la: number): CodeLine[] {
    const lines: CodeLine[] = [];
    const insn = new Insn();
    for (let at = la; lines.length < MOST_INSTRUCTIONS; at = (at + lines.at(-1)!.bytes.length) >>> 0) {
      const line = disassemble(this.machine.cpu, at, insn);
      if (!line) break;
      lines.push(line);
      if (line.text === '(bad)' || ROWS[insn.row]!.attrs & ATTR_BRANCH) break;
    }
    return lines;
  }

  private watchControl(): void {
    const { state } = this.machine.cpu;
    for (const name of ['cr0', 'cr3', 'cr4']) {
      const value = state[name] as number;
      if (this.control.get(name) === value) continue;
      this.control.set(name, value);
      this.line(`mmu: ${name}=${hex(value)}`);
    }
  }
}
