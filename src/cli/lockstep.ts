// `npm run lockstep -- IMAGE`: runs an image on both engines and stops at the first instruction after which they differ.
// Without an image it is Damselfly's own system. Exit code 0 when they agree, 1 when they do not.

import { basename } from 'node:path';
import { lockstep } from '../debug/lockstep.ts';
import { SymbolTable } from '../debug/symbols.ts';
import type { EngineKind } from '../cpu/engine.ts';
import { LoadError } from '../pc/load-error.ts';
import { Machine } from '../pc/machine.ts';
import { parseCommandLine, parseCount, parseEngine, parseMemory, UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { endWithReader } from './closed-pipe.ts';
import { bootFile, BOOT_OPTIONS, bootOwn } from './boot.ts';
import type { Boot } from './boot.ts';
import { MemoryDisk } from '../devices/memory-disk.ts';

const OPTIONS: OptionSpecs = {
  ...BOOT_OPTIONS,
  help: { type: 'boolean' }, native: { type: 'boolean' },
  exec: { type: 'string', value: 'a shell command' },
  engine: { type: 'string', value: 'tier0 or reference' },
  'max-insns': { type: 'string', value: 'a number of instructions' },
};
const HELP = `Usage: npm run lockstep -- [IMAGE] [-append TEXT] [-initrd FILES] [-hda FILE] [-m SIZE] [--engine E] [--max-insns N]

Runs a kernel on an engine (tier0) and on the reference, and stops at the first instruction after which they differ.
Disks are not written. Without an image: Damselfly's own system, with --native and --exec COMMAND as for emulate.
`;
const DEFAULT_LIMIT = 100_000_000;

/** The same disks for another machine. */
function freshDisks(boot: Boot): (MemoryDisk | null)[] {
  return boot.disks.map((disk) => (disk instanceof MemoryDisk ? new MemoryDisk(disk.bytes.slice()) : null));
}

async function bootOf(args: ParsedArgs): Promise<Boot> {
  const image = (args.values.kernel as string | undefined) ?? args.positionals[0];
  const kept = { ...args, values: { ...args.values, snapshot: true } };
  return image === undefined ? bootOwn(kept) : bootFile(kept, image);
}

async function main(argv: readonly string[]): Promise<number> {
  const args = parseCommandLine(argv, OPTIONS);
  if (args.values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const limit = parseCount('max-insns', (args.values['max-insns'] as string | undefined) ?? String(DEFAULT_LIMIT), 1);
  const memory = parseMemory((args.values.m as string | undefined) ?? '64');
  const boot = await bootOf(args);
  const make = (engine: EngineKind): Machine => {
    const machine = new Machine({ memory, engine, disks: freshDisks(boot) });
    machine.loadKernel(boot.kernel, basename(boot.name), boot.commandLine, boot.modules);
    return machine;
  };
  const progress = (count: number) => {
    if (process.stderr.isTTY) process.stderr.write(`\r${count} instructions agree`);
  };
  const result = lockstep({ make, symbols: new SymbolTable(boot.kernel), limit, progress, engines: [parseEngine(args.values.engine as string | undefined), 'reference'] });
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  process.stdout.write(result.kind === 'agree' ? `the engines agree on ${result.instructions} instructions (${result.ended})\n` : `${result.story.join('\n')}\n`);
  return result.kind === 'agree' ? 0 : 1;
}

endWithReader();
main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof UsageError) && !(error instanceof LoadError)) throw error;
    process.stderr.write(`damselfly: ${error.message}\n`);
    process.exitCode = error instanceof UsageError ? 2 : 4;
  },
);
