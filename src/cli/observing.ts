// Observing from the command line: --ledger and --folded. Files and reports are here; what is observed is in
// src/debug/observe. Whoever observes runs the `observed` engine; the guest's instructions and their count stay the same.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Debugger } from '../debug/debugger.ts';
import { Code } from '../debug/observe/code.ts';
import { foldedLines } from '../debug/observe/folded.ts';
import { ledgerText } from '../debug/observe/ledger.ts';
import { readLines } from '../debug/observe/lines.ts';
import { Observer } from '../debug/observe/observer.ts';
import { assignParts } from '../debug/observe/parts.ts';
import type { World } from '../image/world.ts';
import { UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { OutputFile } from './output-file.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export const OBSERVE_OPTIONS: OptionSpecs = {
  ledger: { type: 'string', value: 'text or json', optional: 'text' },
  folded: { type: 'string', value: 'a file for folded stacks' },
};

export const OBSERVE_HELP = `  --ledger[=json]           what the kernels did for each system call, fault, trap, signal and timer tick, by part
  --folded FILE             instructions by call path, for flame graphs
`;

export interface ObserveRequest {
  readonly ledger: 'text' | 'json' | null;
  readonly folded: string | null;
}

/** Reads the options. @throws UsageError */
export function observeRequest(args: ParsedArgs): ObserveRequest {
  const text = (name: string) => (args.values[name] as string | undefined) ?? null;
  const ledger = text('ledger');
  if (ledger !== null && ledger !== 'text' && ledger !== 'json') throw new UsageError(`--ledger=${ledger}: expected --ledger or --ledger=json`);
  return { ledger, folded: text('folded') };
}

/** Does the request need the observed engine? */
export function observes({ ledger, folded }: ObserveRequest): boolean {
  return ledger !== null || folded !== null;
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

  /** @throws UsageError when the world is not known, or a file cannot be written */
  constructor(private readonly request: ObserveRequest, debug: Debugger, world: World | null) {
    const name = request.ledger !== null ? '--ledger' : '--folded';
    if (!world || !debug.guest) throw new UsageError(`${name} is for Damselfly's own system, built from its sources`);
    this.folded = request.folded === null ? null : new OutputFile('--folded', request.folded);
    this.observer = new Observer(debug.machine.cpu, debug.guest, worldCodes(world), { ledger: request.ledger !== null, paths: request.folded !== null });
    debug.listen({ interrupt: (vector, kind, error) => this.observer.interrupt(vector, kind, error) });
  }

  /** The run has ended: reports and files. */
  close(): void {
    const { observer, request } = this;
    observer.finish();
    const totals = observer.ledger.totals();
    if (request.ledger === 'json') process.stderr.write(`${JSON.stringify(totals)}\n`);
    if (request.ledger === 'text') process.stderr.write(`${ledgerText(totals).join('\n')}\n`);
    if (this.folded) {
      for (const line of foldedLines(observer.root)) this.folded.line(line);
      this.folded.close();
    }
  }
}
