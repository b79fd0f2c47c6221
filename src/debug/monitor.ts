// The monitor: QEMU's commands by name, one line in, text out. It is the same from a terminal (`-monitor stdio`, Ctrl-A c)
// and from gdb (`monitor ...`). A mistake gives one line and changes nothing.

import { disassembleFrom, codeText, backtraceText } from './code.ts';
import type { Debugger, Stop } from './debugger.ts';
import type { KernelView } from './guest.ts';
import { processesText, spacesText, ViewError, vpteText } from './guest-text.ts';
import { readLinear, readPhysical, walk } from './inspect.ts';
import { fpuText, registersText } from './registers.ts';
import { memoryRanges, pageList } from './tables.ts';
import { hex, hex0x } from './text.ts';

class MonitorError extends Error {}

interface Command {
  readonly usage: string;
  readonly help: string;
  readonly run: (monitor: Monitor, args: readonly string[], format: string) => readonly string[];
}

interface Format {
  readonly count: number;
  readonly letter: string;
  readonly size: number;
}

const SIZES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4 };
const MOST = 4096;

const COMMANDS: Readonly<Record<string, Command>> = {
  help: { usage: 'help', help: 'this list', run: () => helpLines() },
  info: { usage: 'info WHAT', help: 'registers, fpu, mem, tlb, pic, screen, breakpoints, status, backtrace, processes, vmspaces, vpte SPACE ADDR', run: (m, [what, ...rest]) => m.info(what ?? '', rest) },
  x: { usage: 'x/FMT ADDR', help: 'linear memory; FMT is a count, one of x d u o c i, one of b h w', run: (m, args, format) => m.dump(args, format, true) },
  xp: { usage: 'xp/FMT ADDR', help: 'physical memory', run: (m, args, format) => m.dump(args, format, false) },
  p: { usage: 'p EXPR', help: 'the value of a number, $register, symbol, or a sum of them', run: (m, args) => m.print(args) },
  gva2gpa: { usage: 'gva2gpa ADDR', help: 'the physical address of a linear one', run: (m, args) => m.translate(args) },
  break: { usage: 'break ADDR', help: 'stop before the instruction at an address', run: (m, args) => m.setBreakpoint(args, true) },
  delete: { usage: 'delete ADDR', help: 'remove a breakpoint', run: (m, args) => m.setBreakpoint(args, false) },
  step: { usage: 'step', help: 'one instruction of a stopped machine', run: (m) => m.step() },
  stop: { usage: 'stop', help: 'pause the machine', run: (m) => m.stop() },
  cont: { usage: 'cont', help: 'let it run on', run: (m) => m.cont() },
  system_reset: { usage: 'system_reset', help: 'reset the machine', run: (m) => m.reset() },
  system_powerdown: { usage: 'system_powerdown', help: 'press the power button', run: (m) => m.powerDown() },
  quit: { usage: 'quit', help: 'end the emulator', run: (m) => m.quit() },
};
const SHORT: Readonly<Record<string, string>> = { c: 'cont', q: 'quit', s: 'stop', '?': 'help', i: 'info', print: 'p', b: 'break' };

function helpLines(): string[] {
  return Object.values(COMMANDS).map(({ usage, help }) => `${usage.padEnd(16)} ${help}`);
}

/** One line about why the machine has paused. */
export function stopText(debug: Debugger, stop: Stop): string {
  const at = stop.kind === 'breakpoint' ? stop.address : debug.machine.cpu.state.eip;
  const name = debug.symbols.text(at);
  const place = `${hex(at)}${name ? ` <${name}>` : ''}`;
  if (stop.kind === 'watchpoint') return `${stop.watchpoint.kind} of ${hex(stop.address)}, stopped at ${place}`;
  return stop.kind === 'breakpoint' ? `breakpoint at ${place}` : `stopped at ${place}`;
}

export class Monitor {
  constructor(private readonly debug: Debugger) {}

  /** Runs a command line; what it prints, with a newline after every line. */
  execute(line: string): string {
    const [, word = '', format = '', rest = ''] = /^\s*([^\s/]*)(?:\s*\/(\S*))?\s*(.*?)\s*$/s.exec(line)!;
    if (!word) return '';
    const command = Object.hasOwn(COMMANDS, word) ? COMMANDS[word] : Object.hasOwn(SHORT, word) ? COMMANDS[SHORT[word]!] : undefined;
    try {
      if (!command) throw new MonitorError(`unknown command: '${word}'; help lists them`);
      return command.run(this, rest ? rest.split(/\s+/) : [], format).map((text) => `${text}\n`).join('');
    } catch (error) {
      if (!(error instanceof MonitorError) && !(error instanceof ViewError)) throw error;
      return `${error.message}\n`;
    }
  }

  private get cpu() {
    return this.debug.machine.cpu;
  }

  info(what: string, args: readonly string[]): readonly string[] {
    switch (what) {
      case 'registers': return registersText(this.cpu);
      case 'fpu': return fpuText(this.cpu);
      case 'mem': return this.ifAny(memoryRanges(this.cpu), 'paging is off');
      case 'tlb': return this.ifAny(pageList(this.cpu), 'paging is off');
      case 'pic': return this.pic();
      case 'screen': return this.debug.machine.screen();
      case 'breakpoints': return this.ifAny(this.debug.listBreakpoints().map((at) => `${hex(at)} ${this.debug.symbols.text(at)}`.trimEnd()), 'no breakpoints');
      case 'status': return [`VM status: ${this.debug.paused ? 'paused' : 'running'}, ${this.cpu.instructions} instructions`];
      case 'backtrace': return backtraceText(this.cpu, this.debug.symbols);
      case 'processes': return processesText(this.guest());
      case 'vmspaces': return spacesText(this.guest());
      case 'vpte': return vpteText(this.guest(), args[0] ?? '', this.value(args.slice(1)));
      default: throw new MonitorError(`info ${what}: expected registers, fpu, mem, tlb, pic, screen, breakpoints, status, backtrace, processes, vmspaces or vpte`);
    }
  }

  private guest(): KernelView {
    const { guest } = this.debug;
    if (!guest) throw new MonitorError("this is about Damselfly's own kernels, and another one runs");
    return guest;
  }

  private ifAny(lines: readonly string[], otherwise: string): readonly string[] {
    return lines.length ? lines : [otherwise];
  }

  private pic(): string[] {
    return this.debug.machine.pic.registers().map(({ request, service, mask, level, base }, n) =>
      `pic${n}: irr=${hex(request, 2)} imr=${hex(mask, 2)} isr=${hex(service, 2)} irq_base=${hex(base, 2)} elcr=${hex(level, 2)}`);
  }

  dump(args: readonly string[], text: string, linear: boolean): readonly string[] {
    const address = this.value(args);
    const format = parseFormat(text);
    if (format.letter === 'i') return this.code(address, format.count, linear);
    const length = format.count * format.size;
    const bytes = linear ? readLinear(this.cpu, address, length) : (readPhysical(this.cpu, address, length) ?? new Uint8Array(0));
    if (bytes.length < length) throw new MonitorError(`Cannot access memory at address ${hex0x(address + bytes.length)}`);
    return formatBytes(address, bytes, format);
  }

  private code(address: number, count: number, linear: boolean): string[] {
    if (!linear) throw new MonitorError('xp/i: instructions are shown at linear addresses; use x/i');
    const lines = disassembleFrom(this.cpu, address, count);
    if (!lines.length) throw new MonitorError(`Cannot access memory at address ${hex0x(address)}`);
    return lines.map((line) => codeText(line, this.debug.symbols));
  }

  print(args: readonly string[]): string[] {
    return [hex0x(this.value(args))];
  }

  translate(args: readonly string[]): string[] {
    const pa = walk(this.cpu, this.value(args)).pa;
    return [pa === null ? 'Unmapped' : `gpa: ${hex0x(pa)}`];
  }

  setBreakpoint(args: readonly string[], present: boolean): string[] {
    this.debug.setBreakpoint(this.value(args), present);
    return [];
  }

  step(): string[] {
    if (!this.debug.paused) throw new MonitorError('the machine is running; stop it first');
    this.debug.step();
    return [stopText(this.debug, this.debug.takeStepStop())];
  }

  powerDown(): string[] {
    this.debug.machine.pressPower();
    this.debug.wake();
    return [];
  }

  reset(): string[] {
    this.debug.machine.pressReset();
    this.debug.wake();
    return [];
  }

  stop(): string[] {
    this.debug.pause();
    return [];
  }

  cont(): string[] {
    this.debug.resume();
    return [];
  }

  quit(): string[] {
    this.debug.quit = true;
    this.debug.wake();
    return [];
  }

  /** A sum of numbers, $registers and symbols. */
  private value(args: readonly string[]): number {
    const text = args.join('');
    if (!text) throw new MonitorError('an address is missing');
    const terms = text.match(/[+-]?[^+-]+/g) ?? [];
    return terms.reduce((sum, term) => sum + (term.startsWith('-') ? -1 : 1) * this.term(term.replace(/^[+-]/, '')), 0) >>> 0;
  }

  private term(text: string): number {
    if (/^(0x[0-9a-f]+|\d+)$/i.test(text)) return Number(text);
    const name = text.replace(/^\$/, '');
    const value: unknown = this.cpu.state[name];
    if (text.startsWith('$') && typeof value === 'number') return value;
    const address = this.debug.symbols.address(text);
    if (address === null) throw new MonitorError(`unknown symbol or register '${text}'`);
    return address;
  }
}

function parseFormat(text: string): Format {
  const match = /^(\d*)([xduoci]?)([bhw]?)$/.exec(text) ?? /^(\d*)([bhw])([xduoc]?)$/.exec(text);
  if (!match) throw new MonitorError(`/${text}: expected a count, one of x d u o c i, and one of b h w`);
  const swapped = match[2]! in SIZES;
  const letter = (swapped ? match[3] : match[2]) || 'x';
  const size = SIZES[(swapped ? match[2]! : match[3]!) || (letter === 'c' ? 'b' : 'w')]!;
  const count = match[1] ? Number(match[1]) : 1;
  if (count > MOST) throw new MonitorError(`/${text}: at most ${MOST} at a time`);
  return { count, letter, size };
}

function formatBytes(address: number, bytes: Uint8Array, { letter, size, count }: Format): string[] {
  const perLine = letter === 'c' ? 8 : 16 / size > 8 ? 8 : 16 / size;
  const lines: string[] = [];
  for (let first = 0; first < count; first += perLine) {
    const items = Array.from({ length: Math.min(perLine, count - first) }, (_, i) => formatItem(numberAt(bytes, (first + i) * size, size), letter, size));
    lines.push(`${hex(address + first * size)}: ${items.join(' ')}`);
  }
  return lines;
}

function numberAt(bytes: Uint8Array, at: number, size: number): number {
  let value = 0;
  for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}

function formatItem(value: number, letter: string, size: number): string {
  switch (letter) {
    case 'd': return String(value >= 2 ** (size * 8 - 1) ? value - 2 ** (size * 8) : value);
    case 'u': return String(value);
    case 'o': return `0${value.toString(8)}`;
    case 'c': return value >= 32 && value < 127 ? `'${String.fromCharCode(value)}'` : `'\\x${hex(value, 2)}'`;
    default: return `0x${hex(value, size * 2)}`;
  }
}
