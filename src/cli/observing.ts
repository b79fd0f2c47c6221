// Observing from the command line: --ledger, --folded, --trace and the items of -d about our own system. Files and reports are here; what is observed is in
// src/debug/observe. Whoever observes runs the `observed` engine; the guest's instructions and their count stay the same.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Debugger } from '../debug/debugger.ts';
import { Activity } from '../debug/observe/activity.ts';
import { Code } from '../debug/observe/code.ts';
import { EVENT_ITEMS, EventLog } from '../debug/observe/event-log.ts';
import { foldedLines } from '../debug/observe/folded.ts';
import { ledgerText } from '../debug/observe/ledger.ts';
import { readLines } from '../debug/observe/lines.ts';
import { Observer } from '../debug/observe/observer.ts';
import { assignParts } from '../debug/observe/parts.ts';
import { TraceWriter } from '../debug/observe/trace.ts';
import type { World } from '../image/world.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { OutputFile } from './output-file.ts';

/** Signals that end the emulator, with its exit code then. */
const SIGNALS: Readonly<Record<string, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };
const ROOT = resolve(import.meta.dirname, '../..');

export const OBSERVE_OPTIONS: OptionSpecs = {
  ledger: { type: 'string', value: 'text or json', optional: 'text' },
  folded: { type: 'string', value: 'a file for folded stacks' },
  trace: { type: 'string', value: 'a file for a trace' },
};

export const OBSERVE_HELP = `  --ledger[=json]           what the kernels did for each system call, fault, trap, signal and timer tick, by part
  --folded FILE             instructions by call path, for flame graphs
  --trace FILE              who runs and what it waits for, for ui.perfetto.dev
`;

export interface ObserveRequest {
  readonly ledger: 'text' | 'json' | null;
  readonly folded: string | null;
  readonly trace: string | null;
  /** Items of -d that need an observer. */
  readonly items: ReadonlySet<string>;
}

/** Reads the options; `items` are those of -d. @throws UsageError */
export function observeRequest(args: ParsedArgs, items: ReadonlySet<string>): ObserveRequest {
  const text = (name: string) => (args.values[name] as string | undefined) ?? null;
  const ledger = text('ledger');
  if (ledger !== null && ledger !== 'text' && ledger !== 'json') throw new UsageError(`--ledger=${ledger}: expected --ledger or --ledger=json`);
  return { ledger, folded: text('folded'), trace: text('trace'), items: new Set([...items].filter((item) => Object.hasOwn(EVENT_ITEMS, item))) };
}

/** Does the request need the observed engine? */
export function observes({ ledger, folded, trace, items }: ObserveRequest): boolean {
  return ledger !== null || folded !== null || trace !== null || items.size > 0;
}

/** Codes of both kernels, with their parts, and of every program. */
export function worldCodes(world: World): Map<string, Code> {
  const codes = new Map([...world.programs].map(([name, elf]) => [name, new Code(elf)]));
  for (const [name, elf] of [['host kernel', world.hostKernel], ['vkernel', world.virtualKernel]] as const) {
    const code = new Code(elf);
    assignParts(code, readLines(elf), sourceText);
    codes.set(name, code);
  }
  return codes;
}

function sourceText(path: string): string | null {
  try {
    return readFileSync(resolve(ROOT, path), 'latin1');
  } catch {
    return null;
  }
}

/** One run that is observed. */
export class Observing {
  private readonly observer: Observer;
  private readonly folded: OutputFile | null;
  private readonly trace: OutputFile | null;
  private readonly writer: TraceWriter | null;
  private readonly activity: Activity | null;
  private readonly onExit = (): void => this.close();

  /** @throws UsageError when the world is not known, or a file cannot be written */
  constructor(private readonly request: ObserveRequest, debug: Debugger, world: World | null, log: (line: string) => void) {
    const name = request.ledger !== null ? '--ledger' : request.folded !== null ? '--folded' : request.trace !== null ? '--trace' : `-d ${[...request.items].join(',')}`;
    if (!world || !debug.guest) throw new UsageError(`${name} is for Damselfly's own system`);
    this.folded = request.folded === null ? null : new OutputFile(`--folded ${request.folded}`, request.folded);
    this.trace = request.trace === null ? null : new OutputFile(`--trace ${request.trace}`, request.trace);
    const { cpu, clock } = debug.machine;
    this.writer = this.trace && new TraceWriter(clock.hertz, (line) => this.trace!.line(line));
    const sinks = [...(this.writer ? [this.writer] : []), ...(request.items.size ? [new EventLog(request.items, debug.guest, log)] : [])];
    this.activity = sinks.length ? new Activity(cpu, sinks) : null;
    const want = { ledger: request.ledger !== null, paths: request.folded !== null, ...(this.activity ? { listener: this.activity } : {}) };
    this.observer = new Observer(cpu, debug.guest, worldCodes(world), want, () => clock.now - cpu.cycles);
    process.on('exit', this.onExit);
    for (const [signal, code] of Object.entries(SIGNALS)) process.once(signal, () => process.exit(code));
    debug.listen({ interrupt: (vector, kind, error) => this.observer.interrupt(vector, kind, error) });
  }

  /** The run has ended, by itself or by a signal to the emulator: reports and files are whole. */
  close(): void {
    process.off('exit', this.onExit);
    const { observer, request } = this;
    observer.finish();
    this.activity?.finish(observer.moment());
    this.writer?.end();
    this.trace?.close();
    const totals = observer.ledger.totals();
    if (request.ledger === 'json') process.stderr.write(`${JSON.stringify(totals)}\n`);
    if (request.ledger === 'text') process.stderr.write(`${ledgerText(totals).join('\n')}\n`);
    if (this.folded) {
      for (const line of foldedLines(observer.root)) this.folded.line(line);
      this.folded.close();
    }
  }
}
