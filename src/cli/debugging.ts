// Debugging from the command line: -d and -D, -monitor, -s, -S and -gdb. Files, sockets and terminals are here; what they
// carry is in src/debug.

import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Debugger } from '../debug/debugger.ts';
import type { Stop } from '../debug/debugger.ts';
import { GdbStub } from '../debug/gdb.ts';
import { Log, LOG_ITEMS, parseLogItems, parseRanges } from '../debug/log.ts';
import type { Range } from '../debug/log.ts';
import { Monitor, stopText } from '../debug/monitor.ts';
import { SymbolTable } from '../debug/symbols.ts';
import type { Machine } from '../pc/machine.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import type { Console } from './console.ts';
import { OutputFile } from './output-file.ts';

const DEFAULT_PORT = 1234;
/** Accesses to what is not there that are logged; a guest that copies into nowhere would fill the disk. */
const MOST_MISSING = 1_000_000;
const PROMPT = '(damselfly) ';

export const DEBUG_OPTIONS: OptionSpecs = {
  d: { type: 'string', value: 'a list of log items (-d help names them)', repeat: true },
  D: { type: 'string', value: 'a log file' },
  dfilter: { type: 'string', value: 'address ranges such as 0xc0100000+0x1000 or 0x1000..0x2000', repeat: true },
  s: { type: 'boolean' }, S: { type: 'boolean' },
  gdb: { type: 'string', value: 'tcp:[HOST]:PORT' },
  monitor: { type: 'string', value: 'stdio, none or tcp:HOST:PORT,server,nowait' },
};

export const DEBUG_HELP = `  -d ITEMS                  log what happens (-d help names the items); -D FILE: where to, -dfilter RANGES: of which code
  -monitor stdio            a monitor instead of the console; Ctrl-A c switches between them in a terminal
  -s, -gdb tcp:[HOST]:PORT  wait for gdb on port 1234 of this machine, or there; -S starts paused
`;

export interface DebugRequest {
  readonly items: ReadonlySet<string>;
  readonly ranges: readonly Range[] | null;
  readonly file: string | null;
  readonly gdb: { host: string; port: number } | null;
  readonly paused: boolean;
  readonly monitor: boolean;
}

/** What `-d help` prints. */
export function logHelp(): string {
  return `Log items (comma separated):\n${Object.entries(LOG_ITEMS).map(([name, what]) => `${name.padEnd(14)} ${what}\n`).join('')}`;
}

/** Reads the debugging options. @throws UsageError */
export function debugRequest(args: ParsedArgs): DebugRequest {
  const text = (name: string) => args.values[name] as string | undefined;
  const items = parseLogItems(text('d') ?? '');
  if (typeof items === 'string') throw new UsageError(`-d ${items}: no such log item; -d help lists them`);
  const ranges = text('dfilter') === undefined ? null : parseRanges(text('dfilter')!);
  if (text('dfilter') !== undefined && !ranges) throw new UsageError(`-dfilter ${text('dfilter')}: expected ranges such as 0x1000+0x100, 0x2000-0x100 or 0x1000..0x1fff`);
  if (!/^(stdio|none|tcp:.*)$/.test(text('monitor') ?? 'none')) throw new UsageError(`-monitor ${text('monitor')}: expected stdio, none or tcp:HOST:PORT,server,nowait`);
  return { items, ranges, file: text('D') ?? null, gdb: gdbAddress(args), paused: args.values.S === true, monitor: text('monitor') === 'stdio' };
}

function gdbAddress(args: ParsedArgs): { host: string; port: number } | null {
  const text = args.values.gdb as string | undefined;
  if (text === undefined) return args.values.s ? { host: '127.0.0.1', port: DEFAULT_PORT } : null;
  const match = /^tcp:([^:]*):(\d+)$/.exec(text);
  const port = match ? Number(match[2]) : -1;
  if (!match || port > 65535) throw new UsageError(`-gdb ${text}: expected tcp::PORT or tcp:HOST:PORT`);
  return { host: match[1] || '127.0.0.1', port };
}

/** Everything of a run that a debugger may want. Created before the machine, because the machine reports to it. */
export class Debugging {
  private readonly log: OutputFile;
  private server: Server | null = null;
  private stub: GdbStub | null = null;
  private socket: Socket | null = null;
  private monitor: Monitor | null = null;
  private events: Log | null = null;
  private debug: Debugger | null = null;
  private missing = 0;

  constructor(private readonly request: DebugRequest) {
    this.log = new OutputFile(request.file === null ? '-d' : `-D ${request.file}`, request.file);
  }

  /** A line for the log, from others who write to it. */
  readonly logLine = (text: string): void => this.log.line(text);

  /** For the machine: accesses to what is not there. */
  readonly unimplemented = (what: string): void => {
    if (!this.request.items.has('unimp') && !this.request.items.has('guest_errors')) return;
    if (++this.missing > MOST_MISSING) return;
    if (this.missing === MOST_MISSING) return this.log.line('unimp: more of them are not logged');
    const eip = this.debug ? ` at ${this.debug.machine.cpu.state.eip.toString(16).padStart(8, '0')}` : '';
    this.log.line(`unimp: ${what}${eip}`);
  };

  /** Connects a machine that is loaded and has not run yet. Opens the gdb port. */
  async attach(machine: Machine, kernel: Uint8Array, console: Console): Promise<Debugger> {
    const debug = new Debugger(machine, new SymbolTable(kernel));
    this.debug = debug;
    debug.paused = this.request.paused;
    debug.wake = () => console.nudge();
    debug.onStop = (stop) => this.stopped(stop);
    this.events = new Log(machine, debug.symbols, this.request.items, this.request.ranges, (text) => this.log.line(text));
    debug.listen(this.events.listener());
    this.connectMonitor(debug, console);
    if (this.request.gdb) await this.listen(debug, this.request.gdb);
    return debug;
  }

  private connectMonitor(debug: Debugger, console: Console): void {
    const monitor = new Monitor(debug);
    this.monitor = monitor;
    console.monitor = { prompt: PROMPT, execute: (line) => monitor.execute(line) };
    if (this.request.monitor) console.enterMonitor();
  }

  private stopped(stop: Stop): void {
    this.log.flush();
    this.stub?.stopped(stop);
    if (!this.stub && this.debug && this.monitor) process.stderr.write(`${stopText(this.debug, stop)}\n`);
  }

  private async listen(debug: Debugger, { host, port }: { host: string; port: number }): Promise<void> {
    const server = createServer((socket) => this.connected(debug, socket));
    this.server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error: NodeJS.ErrnoException) => reject(new UsageError(`-gdb tcp:${host}:${port}: ${error.code === 'EADDRINUSE' ? 'the port is in use' : error.message}`)));
      server.listen(port, host, resolve);
    });
    const address = server.address();
    process.stderr.write(`damselfly: waiting for gdb on ${host}:${typeof address === 'object' ? address?.port : port}\n`);
  }

  private connected(debug: Debugger, socket: Socket): void {
    if (this.socket) {
      socket.destroy();
      return;
    }
    this.socket = socket;
    socket.setNoDelay(true);
    const stub = new GdbStub(debug, (bytes) => socket.write(Buffer.from(bytes, 'latin1')));
    this.stub = stub;
    socket.on('data', (chunk) => stub.receive(chunk.toString('latin1')));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.socket = null;
      this.stub = null;
      stub.closed();
    });
  }

  /** gdb may still change something while the guest waits forever. */
  get served(): boolean {
    return this.server !== null;
  }

  /** The machine has reset or shut down. */
  reset(): void {
    this.events?.reset();
  }

  /** The run has ended with an exit code. */
  close(code: number): void {
    this.log.close();
    this.stub?.exited(code);
    this.socket?.end();
    this.server?.close();
  }
}
