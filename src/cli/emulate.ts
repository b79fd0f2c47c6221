// `npm run emulate`: boots a machine. Without an image it builds Damselfly's own system (what is missing of it), boots the
// host kernel, and that starts the virtual kernel. With an image it boots any Multiboot 1 kernel under QEMU's option
// names. Standard output carries the guest's console and nothing else; everything of ours goes to standard error.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { LoadError } from '../pc/load-error.ts';
import { Machine } from '../pc/machine.ts';
import type { RunResult } from '../pc/machine.ts';
import type { BootModule } from '../pc/multiboot.ts';
import { CYCLES_PER_SECOND } from '../bus/clock.ts';
import type { DiskImage } from '../devices/ata.ts';
import { parseCommandLine, parseCount, parseMemory, UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { Console } from './console.ts';
import { FileDisk, MemoryDisk } from './disk-file.ts';
import { buildSystem } from './system.ts';

const EXIT = { usage: 2, load: 4, tripleFault: 6, panic: 8, deadHalt: 10, limit: 124 } as const;
/** What the kernels write to isa-debug-exit when they panic. */
const PANIC_VALUE = 0x100;
const SLICE = 4_000_000;

const OPTIONS: OptionSpecs = {
  help: { type: 'boolean' }, h: { type: 'boolean' }, version: { type: 'boolean' },
  kernel: { type: 'string', value: 'a Multiboot kernel' },
  append: { type: 'string', value: 'the kernel command line' },
  initrd: { type: 'string', value: 'FILE[ ARGUMENTS][,FILE...]' },
  m: { type: 'string', value: 'memory in MiB, or with K, M or G' },
  hda: { type: 'string', value: 'a raw disk image' }, hdb: { type: 'string', value: 'a raw disk image' },
  hdc: { type: 'string', value: 'a raw disk image' }, hdd: { type: 'string', value: 'a raw disk image' },
  snapshot: { type: 'boolean' },
  serial: { type: 'string', value: 'stdio, mon:stdio, null or none' },
  display: { type: 'string', value: 'none' }, monitor: { type: 'string', value: 'none' },
  nographic: { type: 'boolean' }, 'no-reboot': { type: 'boolean' },
  exec: { type: 'string', value: 'a shell command' }, native: { type: 'boolean' },
  stats: { type: 'boolean' },
  'max-insns': { type: 'string', value: 'a number of instructions' },
  timeout: { type: 'string', value: 'seconds' },
};

const HELP = `Usage: npm run emulate -- [IMAGE] [options]

  npm run emulate                                   Damselfly's own system, to the prompt of its virtual kernel
  npm run emulate -- --exec 'make -j 8 buildworld'  one command inside the virtual kernel; its exit code is ours
  npm run emulate -- --native --exec 'ls -l /bin'   the same directly on the host kernel
  npm run emulate -- kernel.elf -append 'verbose'   any Multiboot 1 kernel
  npm run emulate -- kernel.elf -m 64 -hda disk.img with 64 MiB of memory and a disk

  IMAGE, -kernel FILE       a Multiboot 1 kernel
  -append TEXT              its command line
  -initrd 'FILE ARGS,FILE'  its modules
  -m SIZE                   memory in MiB, or with a suffix K, M, G (128)
  -hda .. -hdd FILE         raw disk images; -snapshot throws writes away
  -serial stdio|null        where COM1 goes (stdio); -nographic, -display none, -no-reboot are accepted
  --exec COMMAND            run a shell command in Damselfly's virtual kernel and halt; --native: in its host kernel
  --native                  do not start the virtual kernel
  --stats                   print the instruction count at exit
  --max-insns N, --timeout SECONDS
                            give up (exit code 124)

In a terminal Ctrl-A x quits and Ctrl-A h helps; Ctrl-C goes to the guest.
Exit codes: 0 powered off, 2 usage, 4 image cannot be loaded, 6 triple fault, 8 kernel panic, 10 halted for good,
(v << 1) | 1 after "out 0xf4, v", 124 limit reached.
`;

interface Boot {
  readonly kernel: Uint8Array;
  readonly name: string;
  readonly commandLine: string;
  readonly modules: readonly BootModule[];
  readonly disks: readonly (DiskImage | null)[];
  readonly own: boolean;
}

function readInput(path: string, what: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new LoadError(`${path}: ${describe(error)}; expected ${what}`);
  }
}

function describe(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' ? 'no such file' : code === 'EISDIR' ? 'is a directory' : code === 'EACCES' ? 'permission denied' : String((error as Error).message);
}

function openDisk(path: string, snapshot: boolean): DiskImage {
  try {
    return snapshot ? new MemoryDisk(new Uint8Array(readFileSync(path))) : new FileDisk(path);
  } catch (error) {
    throw new LoadError(`${path}: ${describe(error)}; expected a raw disk image`);
  }
}

function readModules(spec: string): BootModule[] {
  return spec.split(',').filter(Boolean).map((item) => {
    const path = item.split(' ')[0]!;
    return { bytes: readInput(path, 'a module'), commandLine: item };
  });
}

function bootFile(args: ParsedArgs, image: string): Boot {
  const text = (name: string) => args.values[name] as string | undefined;
  for (const name of ['exec', 'native']) {
    if (args.values[name] !== undefined) throw new UsageError(`--${name} is for Damselfly's own system; ${image} was given as an image`);
  }
  return {
    kernel: readInput(image, 'a Multiboot 1 kernel'),
    name: image,
    commandLine: text('append') ?? '',
    modules: text('initrd') ? readModules(text('initrd')!) : [],
    disks: ['hda', 'hdb', 'hdc', 'hdd'].map((name) => (text(name) ? openDisk(text(name)!, args.values.snapshot === true) : null)),
    own: false,
  };
}

async function bootOwn(args: ParsedArgs): Promise<Boot> {
  const system = await buildSystem();
  const words = [args.values.append, args.values.native ? 'native' : '', args.values.exec !== undefined ? `exec=${args.values.exec as string}` : ''];
  return {
    kernel: system.kernel,
    name: 'host-kernel.elf',
    commandLine: words.filter(Boolean).join(' '),
    modules: [],
    disks: [new MemoryDisk(system.rootImage)],
    own: true,
  };
}

/** Runs to the end; the process's exit code. */
async function runToEnd(machine: Machine, console: Console, args: ParsedArgs, own: boolean): Promise<number> {
  const limit = args.values['max-insns'] !== undefined ? parseCount('max-insns', args.values['max-insns'] as string, 1) : Infinity;
  const timeout = args.values.timeout !== undefined ? parseCount('timeout', (args.values.timeout as string).replace(/s$/, ''), 1) : Infinity;
  const started = Date.now();
  for (;;) {
    machine.receive(console.take());
    const result = machine.run(Math.min(limit, machine.cpu.instructions + SLICE), !console.open);
    console.flush();
    if (console.quit) return 0;
    if (result.kind === 'idle') {
      if (!console.open && result.cycles === Infinity) return giveUp('the guest waits for input, and standard input has ended', EXIT.deadHalt);
      await idle(machine, console, result.cycles);
    } else if (result.kind !== 'limit') {
      return exitCode(result, args, own);
    } else {
      if (machine.cpu.instructions >= limit) return giveUp(`stopped after ${limit} instructions`, EXIT.limit);
      await new Promise((resolve) => setImmediate(resolve));
    }
    if (Date.now() - started > timeout * 1000) return giveUp(`stopped after ${timeout} s`, EXIT.limit);
  }
}

/** Lets virtual time pass with real time while the guest sleeps and somebody may type. */
async function idle(machine: Machine, console: Console, cycles: number): Promise<void> {
  const before = Date.now();
  await console.wait((cycles / CYCLES_PER_SECOND) * 1000);
  if (cycles === Infinity) return;
  const passed = ((Date.now() - before) / 1000) * CYCLES_PER_SECOND;
  machine.clock.skip(Math.min(cycles, Math.max(1, Math.round(passed))));
}

function giveUp(why: string, code: number): number {
  process.stderr.write(`damselfly: ${why}\n`);
  return code;
}

function exitCode(result: RunResult, args: ParsedArgs, own: boolean): number {
  switch (result.kind) {
    case 'off':
    case 'reset':
      return 0;
    case 'debug-exit':
      if (own && result.value === PANIC_VALUE) return giveUp('the guest kernel panicked', EXIT.panic);
      return own && args.values.exec !== undefined ? result.value & 0xff : ((result.value << 1) | 1) & 0xff;
    case 'triple-fault':
      return giveUp('triple fault: the processor shut down', EXIT.tripleFault);
    case 'dead-halt':
      return giveUp('the processor halted with interrupts disabled', EXIT.deadHalt);
    default:
      return 0;
  }
}

async function main(argv: readonly string[]): Promise<number> {
  const args = parseCommandLine(argv, OPTIONS);
  if (args.values.help || args.values.h) {
    process.stdout.write(HELP);
    return 0;
  }
  if (args.values.version) {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
    process.stdout.write(`damselfly ${manifest.version}\n`);
    return 0;
  }
  if (args.positionals.length > 1) throw new UsageError(`one image at a time; got ${args.positionals.join(' ')}`);
  const image = (args.values.kernel as string | undefined) ?? args.positionals[0];
  const serial = (args.values.serial as string | undefined) ?? 'stdio';
  if (!['stdio', 'mon:stdio', 'null', 'none'].includes(serial)) throw new UsageError(`-serial ${serial}: expected stdio, mon:stdio, null or none`);
  const memory = parseMemory((args.values.m as string | undefined) ?? '128');
  const boot = image !== undefined ? bootFile(args, image) : await bootOwn(args);
  const console = new Console();
  const machine = new Machine({ memory, disks: boot.disks, serial: serial.endsWith('stdio') ? (byte) => console.put(byte) : () => {} });
  machine.loadKernel(boot.kernel, basename(boot.name), boot.commandLine, boot.modules);
  if (args.values.exec !== undefined) console.open = false;
  else console.start();
  if (process.stdin.isTTY && args.values.exec === undefined) process.stderr.write('Ctrl-A x quits, Ctrl-A h for help\r\n');
  const before = Date.now();
  const code = await runToEnd(machine, console, args, boot.own);
  console.stop();
  if (args.values.stats) {
    const seconds = (Date.now() - before) / 1000;
    const count = machine.cpu.instructions;
    process.stderr.write(`instructions: ${count}\nvirtual-seconds: ${(machine.clock.now / CYCLES_PER_SECOND).toFixed(6)}\nwall-seconds: ${seconds.toFixed(2)} (${(count / seconds / 1e6).toFixed(0)} MIPS)\n`);
  }
  return code;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    if (!(error instanceof UsageError) && !(error instanceof LoadError)) throw error;
    process.stderr.write(`damselfly: ${error.message}\n`);
    process.exitCode = error instanceof UsageError ? EXIT.usage : EXIT.load;
  },
);
