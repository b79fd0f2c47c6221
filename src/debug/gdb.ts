// A gdb remote stub: packets in, packets out, over whatever transport the caller has. One thread, the processor. Memory is
// read and written through the current page tables and without side effects; breakpoints are kept beside the code; single
// steps hold interrupts back. A packet that is not known gets the empty answer, as the protocol demands.
// (GDB manual, appendix "GDB Remote Serial Protocol".)

import type { Debugger, Stop, WatchKind } from './debugger.ts';
import { readAll, readOne, TARGET_XML, writeAll, writeOne } from './gdb-registers.ts';
import { readLinear, readPhysical, writeLinear } from './inspect.ts';
import { Monitor } from './monitor.ts';

const PACKET_BYTES = 0x4000;
const FEATURES = `PacketSize=${PACKET_BYTES.toString(16)};QStartNoAckMode+;qXfer:features:read+;vContSupported+;swbreak+;hwbreak+`;
const BREAK = 3;
const WATCH_KINDS: Readonly<Record<string, WatchKind>> = { 2: 'write', 3: 'read', 4: 'access' };
const WATCH_WORDS: Readonly<Record<WatchKind, string>> = { write: 'watch', read: 'rwatch', access: 'awatch' };

/** Two hexadecimal digits for each byte of a latin-1 string. */
function toHex(text: string): string {
  return Buffer.from(text, 'latin1').toString('hex');
}

function checksum(data: string): string {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data.charCodeAt(i);
  return (sum & 0xff).toString(16).padStart(2, '0');
}

/** Escapes what may not stand in a packet. */
function escaped(text: string): string {
  return text.replace(/[#$}*]/g, (c) => `}${String.fromCharCode(c.charCodeAt(0) ^ 0x20)}`);
}

function unescaped(text: string): string {
  return text.replace(/\}([^])/g, (_, c: string) => String.fromCharCode(c.charCodeAt(0) ^ 0x20));
}

export class GdbStub {
  private readonly monitor: Monitor;
  private buffer = '';
  private acknowledging = true;
  private physical = false;
  private readonly hardware = new Set<number>();
  /** gdb has let the machine run and waits for a stop reply. */
  private waiting = false;

  /** @param send bytes, as a latin-1 string, to gdb */
  constructor(private readonly debug: Debugger, private readonly send: (bytes: string) => void) {
    this.monitor = new Monitor(debug);
    debug.pause();
  }

  /** The machine has paused. */
  stopped(stop: Stop): void {
    if (!this.waiting) return;
    this.waiting = false;
    this.reply(this.stopReply(stop));
  }

  /** The machine has ended, with our exit code. */
  exited(code: number): void {
    if (this.waiting) this.reply(`W${(code & 0xff).toString(16).padStart(2, '0')}`);
  }

  /** gdb is gone: no breakpoint stays, the machine runs. */
  closed(): void {
    this.debug.clear();
    this.debug.resume();
  }

  /** Bytes from gdb, as a latin-1 string. */
  receive(bytes: string): void {
    this.buffer += bytes;
    while (this.buffer) {
      const first = this.buffer.charCodeAt(0);
      if (first === BREAK) this.debug.pause();
      if (!this.buffer.startsWith('$')) {
        this.buffer = this.buffer.slice(1);
        continue;
      }
      const end = this.buffer.indexOf('#');
      if (end < 0 || this.buffer.length < end + 3) return;
      const data = this.buffer.slice(1, end);
      const sum = this.buffer.slice(end + 1, end + 3);
      this.buffer = this.buffer.slice(end + 3);
      this.packet(data, sum);
    }
  }

  private packet(data: string, sum: string): void {
    const good = checksum(data) === sum.toLowerCase();
    if (this.acknowledging) this.send(good ? '+' : '-');
    if (!good) return;
    const answer = this.answer(data);
    if (answer !== null) this.reply(answer);
  }

  private reply(data: string): void {
    this.send(`$${data}#${checksum(data)}`);
  }

  /** The answer to a packet; null when it comes later or not at all. */
  private answer(data: string): string | null {
    const { cpu } = this.debug.machine;
    const rest = data.slice(1);
    switch (data[0]) {
      case '?': return this.stopReply({ kind: 'asked' }, '05');
      case 'g': return readAll(cpu);
      case 'G': return writeAll(cpu, rest) ? 'OK' : 'E22';
      case 'p': return readOne(cpu, parseInt(rest, 16)) ?? 'E22';
      case 'P': return this.writeRegister(rest);
      case 'm': return this.readMemory(rest);
      case 'M': case 'X': return this.writeMemory(data);
      case 'c': case 's': return this.go(data[0], rest);
      case 'C': case 'S': return this.go(data[0].toLowerCase(), rest.split(';')[1] ?? '');
      case 'H': case 'T': return 'OK';
      case 'Z': case 'z': return this.point(data);
      case 'D': return this.detach();
      case 'k': return this.kill();
      case 'q': case 'Q': return this.query(data);
      case 'v': return this.verbose(data);
      default: return '';
    }
  }

  /** Signal 2 (interrupt) answers a request to stop, 5 (trap) everything else. */
  private stopReply(stop: Stop, signal = stop.kind === 'asked' ? '02' : '05'): string {
    const detail = stop.kind === 'breakpoint' ? (this.hardware.has(stop.address) ? 'hwbreak:;' : 'swbreak:;')
      : stop.kind === 'watchpoint' ? `${WATCH_WORDS[stop.watchpoint.kind]}:${stop.address.toString(16)};` : '';
    return `T${signal}${detail}thread:1;`;
  }

  private writeRegister(text: string): string {
    const [number, value] = text.split('=');
    return writeOne(this.debug.machine.cpu, parseInt(number!, 16), value ?? '') ? 'OK' : 'E22';
  }

  private readMemory(text: string): string {
    const [address, length] = text.split(',').map((part) => parseInt(part, 16));
    if (address === undefined || length === undefined || Number.isNaN(address + length)) return 'E22';
    const { cpu } = this.debug.machine;
    const most = Math.min(length, PACKET_BYTES / 2);
    const bytes = this.physical ? (readPhysical(cpu, address, most) ?? new Uint8Array(0)) : readLinear(cpu, address, most);
    return bytes.length || !length ? Buffer.from(bytes).toString('hex') : 'E14';
  }

  private writeMemory(data: string): string {
    const match = /^[MX]([0-9a-f]+),([0-9a-f]+):([^]*)$/i.exec(data);
    if (!match) return 'E22';
    const bytes = data[0] === 'M' ? Buffer.from(match[3]!, 'hex') : Buffer.from(unescaped(match[3]!), 'latin1');
    if (bytes.length !== parseInt(match[2]!, 16)) return 'E22';
    const address = parseInt(match[1]!, 16);
    const { cpu } = this.debug.machine;
    if (!this.physical) return writeLinear(cpu, address, bytes) ? 'OK' : 'E14';
    if (address + bytes.length > cpu.ramBytes) return 'E14';
    cpu.dmaWritten(address, bytes.length);
    cpu.ram.set(bytes, address);
    return 'OK';
  }

  /** Continue or step, perhaps from another address. */
  private go(action: string, address: string): string | null {
    if (address) this.debug.machine.cpu.state.eip = parseInt(address, 16);
    this.waiting = true;
    if (action === 'c') {
      this.debug.resume();
      return null;
    }
    const result = this.debug.step();
    if (result.kind === 'limit' || result.kind === 'idle' || result.kind === 'stopped') {
      this.waiting = false;
      return this.stopReply(this.debug.takeStepStop());
    }
    this.debug.resume(); // the machine has ended; running it on says how
    return null;
  }

  private point(data: string): string {
    const match = /^[Zz]([0-4]),([0-9a-f]+),([0-9a-f]+)/i.exec(data);
    if (!match) return '';
    const present = data[0] === 'Z';
    const address = parseInt(match[2]!, 16);
    const kind = WATCH_KINDS[match[1]!];
    if (kind) {
      this.debug.setWatchpoint({ kind, address, length: parseInt(match[3]!, 16) }, present);
      return 'OK';
    }
    if (match[1] === '1' && present) this.hardware.add(address);
    else this.hardware.delete(address);
    this.debug.setBreakpoint(address, present);
    return 'OK';
  }

  private detach(): string {
    this.debug.clear();
    this.debug.resume();
    return 'OK';
  }

  private kill(): string {
    this.debug.quit = true;
    this.debug.resume();
    return 'OK';
  }

  private query(data: string): string {
    const [name = ''] = data.split(/[:,;]/);
    switch (name) {
      case 'qSupported': return FEATURES;
      case 'QStartNoAckMode':
        this.acknowledging = false;
        return 'OK';
      case 'qXfer': return this.transfer(data);
      case 'qC': return 'QC1';
      case 'qfThreadInfo': return 'm1';
      case 'qsThreadInfo': return 'l';
      case 'qThreadExtraInfo': return toHex(`CPU#0 [${this.debug.machine.cpu.halted ? 'halted' : 'running'}]`);
      case 'qAttached': return '1';
      case 'qRcmd': return this.command(data);
      case 'qqemu.sstepbits': return 'ENABLE=1,NOIRQ=2,NOTIMER=4';
      case 'qqemu.sstep': return '0x7';
      case 'qqemu.PhyMemMode': return this.physical ? '1' : '0';
      case 'Qqemu.PhyMemMode':
        this.physical = data.endsWith('1');
        return 'OK';
      default: return '';
    }
  }

  private transfer(data: string): string {
    const match = /^qXfer:features:read:target\.xml:([0-9a-f]+),([0-9a-f]+)$/i.exec(data);
    if (!match) return data.startsWith('qXfer:features:read:') ? 'E00' : '';
    const from = parseInt(match[1]!, 16);
    const to = from + Math.min(parseInt(match[2]!, 16), PACKET_BYTES >> 1);
    return `${to < TARGET_XML.length ? 'm' : 'l'}${escaped(TARGET_XML.slice(from, to))}`;
  }

  /** `monitor` commands of gdb. */
  private command(data: string): string {
    const line = Buffer.from(data.slice(data.indexOf(',') + 1), 'hex').toString('latin1');
    const text = toHex(this.monitor.execute(line));
    for (let at = 0; at < text.length; at += PACKET_BYTES / 2) this.reply(`O${text.slice(at, at + PACKET_BYTES / 2)}`);
    return 'OK';
  }

  private verbose(data: string): string | null {
    if (data === 'vCont?') return 'vCont;c;C;s;S';
    if (data.startsWith('vKill')) return this.kill();
    const action = /^vCont;([csCS])/.exec(data);
    return action ? this.go(action[1]!.toLowerCase(), '') : '';
  }
}
