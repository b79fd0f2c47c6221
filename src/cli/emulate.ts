#!/usr/bin/env node
// `npm run emulate`: boots a machine. Without an image it builds Damselfly's own system (what is missing of it), boots the
// host kernel, and that starts the virtual kernel. With an image it boots any Multiboot 1 kernel or Linux under QEMU's option
// names. Standard output carries the guest's console and nothing else; everything of ours goes to standard error.

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SYSTEM_MEMORY } from '../api/system.ts';
import type { Debugger } from '../debug/debugger.ts';
import { hostView } from '../debug/guest.ts';
import { tripleFaultStory } from '../debug/triple-fault.ts';
import { LoadError } from '../pc/load-error.ts';
import { Machine } from '../pc/machine.ts';
import type { RunResult } from '../pc/machine.ts';
import { timingNamed, TIMINGS } from '../cpu/timing.ts';
import { parseCommandLine, parseCount, parseEngine, parseMemory, parseSeconds, UsageError } from './args.ts';
import type { OptionSpecs, ParsedArgs } from './args.ts';
import { Attachments, ATTACHMENT_OPTIONS } from './attachments.ts';
import { bootNamed, BOOT_OPTIONS, bootOwn } from './boot.ts';
import { endWithReader } from './closed-pipe.ts';
import { COMPATIBILITY_OPTIONS, debugExit, warnings } from './compatibility.ts';
import { Console } from './console.ts';
import { ENDING_HELP, ENDING_OPTIONS, endingsOf } from './endings.ts';
import type { Endings } from './endings.ts';
import { Expectation, readScript } from './expect.ts';
import { IdleWatch } from './idle-watch.ts';
import { OBSERVE_HELP, OBSERVE_OPTIONS, observeRequest, observes, Observing } from './observing.ts';
import { systemFiles } from '../debug/own-system.ts';
import { statistics } from './stats.ts';
import { debugRequest, DEBUG_HELP, DEBUG_OPTIONS, Debugging, logHelp } from './debugging.ts';

const EXIT = { usage: 2, load: 4, tripleFault: 6, panic: 8, deadHalt: 10, expect: 12, limit: 124 } as const;
/** What the kernels write to isa-debug-exit when they panic. */
const PANIC_VALUE = 0x100;
const SLICE = 4_000_000;
/** Milliseconds until a wait is looked at again. */
const PATIENCE = 1000;

const OPTIONS: OptionSpecs = {
  help: { type: 'boolean' }, h: { type: 'boolean' }, version: { type: 'boolean' },
  ...BOOT_OPTIONS,
  ...ATTACHMENT_OPTIONS,
  ...COMPATIBILITY_OPTIONS,
  ...ENDING_OPTIONS,
  echr: { type: 'string', value: 'the code of the escape key' },
  exec: { type: 'string', value: 'a shell command' }, native: { type: 'boolean' },
  stats: { type: 'boolean' },
  engine: { type: 'string', value: 'tier0 or reference' },
  timing: { type: 'string', value: 'flat or p4' },
  'max-insns': { type: 'string', value: 'a number of instructions' },
  timeout: { type: 'string', value: 'a time such as 90, 90s or 2m' },
  'idle-limit': { type: 'string', value: 'seconds of virtual time' },
  expect: { type: 'string', value: 'a script of wait and send lines' },
  ...DEBUG_OPTIONS,
  ...OBSERVE_OPTIONS,
};

const HELP = `Usage: npm run emulate -- [IMAGE] [options]

  npm run emulate                                   Damselfly's own system, to the prompt of its virtual kernel
  npm run emulate -- --exec 'make -j 8 buildworld'  one command inside the virtual kernel; its exit code is ours
  npm run emulate -- --native --exec 'ls -l /bin'   the same directly on the host kernel
  npm run emulate -- kernel.elf -append 'verbose' -m 64 -hda disk.img
                                                    any Multiboot 1 kernel with 64 MiB of memory and a disk
  npm run emulate -- -kernel vmlinuz -initrd initrd.gz -append console=ttyS0
                                                    a 32-bit Linux on the serial console

  IMAGE, -kernel FILE       a Multiboot 1 kernel or a Linux bzImage, perhaps in a gzip file; an IMAGE may also be a disk
                            or a CD, from which the BIOS boots, as it does from -hda FILE, or -boot d -cdrom FILE
  -append TEXT              its command line
  -initrd 'FILE ARGS,FILE'  its modules, or Linux's initial RAM disk
  -m SIZE                   memory in MiB, or with a suffix K, M, G (128; our own system 256)
  -hda .. -hdd, -cdrom FILE raw disk images, an ISO image; -snapshot throws writes away
  -drive file=FILE,index=N,media=disk|cdrom,format=raw,if=ide,snapshot=on
  -serial DEVICE            COM1, and given again COM2: stdio (COM1's default), mon:stdio, file:FILE, null,
                            tcp:HOST:PORT[,server[,nowait]]; -debugcon DEVICE: what is written to port 0xE9
  -display curses           draw the text screen on this terminal, which becomes the keyboard; -nographic, -display none
  -device isa-debug-exit,iobase=PORT,iosize=N
  --exec COMMAND            run a shell command in Damselfly's virtual kernel and halt; --native: in its host kernel
  --native                  do not start the virtual kernel
  --engine tier0|reference  which printing of the processor runs: fast, or plain (tier0)
  --timing flat|p4          one cycle for each instruction (flat), or also the events that a 2.4 GHz Pentium 4 spends time on
  --stats                   print instructions, cycles and what cost them at exit
  --max-insns N, --timeout TIME
                            give up (exit code 124)
  --idle-limit SECONDS      virtual time after which a guest that waits for a standard input that has ended is given up (300)
  --expect FILE             a script of lines wait TEXT, wait /EXPRESSION/, send TEXT: 0 when all of it has happened, else 12
${ENDING_HELP.trimEnd()}
${DEBUG_HELP.trimEnd()}
${OBSERVE_HELP.trimEnd()}

In a terminal Ctrl-A x quits and Ctrl-A h helps; Ctrl-C goes to the guest. Other options of QEMU's that change nothing here
are accepted. Exit codes: 0 powered off, 2 usage, 4 image cannot be loaded, 6 triple fault, 8 kernel panic, 10 halted or
waiting for good, 12 expectation not met, (v << 1) | 1 after "out 0xf4, v", 124 limit reached.
`;

/** Runs to the end; the process's exit code. */
async function runToEnd(debug: Debugger, debugging: Debugging, console: Console, attached: Attachments, args: ParsedArgs, own: boolean, endings: Endings): Promise<number> {
  const { machine } = debug;
  const watch = new IdleWatch(machine, idleLimit(args));
  const limit = args.values['max-insns'] !== undefined ? parseCount('max-insns', args.values['max-insns'] as string, 1) : Infinity;
  const timeout = args.values.timeout !== undefined ? parseSeconds('timeout', args.values.timeout as string) : Infinity;
  const started = Date.now();
  for (;;) {
    if (console.quit || debug.quit || attached.expectation?.done) return 0;
    if (Date.now() - started > timeout * 1000) return giveUp(`stopped after ${timeout} s`, EXIT.limit);
    if (debug.paused && machine.ended?.kind !== 'reset') {
      if (!attached.live && !debugging.served) return machine.ended ? 0 : giveUp('the machine is paused, and standard input has ended', EXIT.deadHalt);
      await console.sleep(PATIENCE);
      continue;
    }
    attached.typed(console.take());
    const result = debug.run(Math.min(limit, machine.cpu.instructions + SLICE), !attached.live);
    attached.flush();
    if (!attached.live && !debugging.served && watch.waitsForever(attached.written)) return giveUp(`the guest has waited for ${watch.seconds} s of virtual time, and standard input has ended (--idle-limit)`, EXIT.deadHalt);
    if (result.kind === 'idle') {
      if (!attached.live && result.cycles === Infinity && !debugging.served) return giveUp('the guest waits for input, and standard input has ended', EXIT.deadHalt);
      await idle(machine, console, result.cycles);
    } else if (result.kind === 'stopped') {
      await nextEvent();
    } else if (result.kind !== 'limit') {
      if (result.kind === 'triple-fault' || result.kind === 'reset') debugging.reset();
      if (result.kind === 'reset' && endings.reboots) {
        machine.reboot();
        continue;
      }
      if (result.kind === 'off' && endings.pauses && (attached.live || debugging.served)) {
        debug.pause();
        continue;
      }
      if (result.kind === 'triple-fault') farewell.push(`${tripleFaultStory(machine.cpu, debug.symbols).join('\n')}\n`);
      return exitCode(result, args, own);
    } else {
      if (machine.cpu.instructions >= limit) return giveUp(`stopped after ${limit} instructions`, EXIT.limit);
      await nextEvent();
    }
  }
}

/** Virtual seconds of waiting after which a guest that nobody can type at is given up. A command given by --exec may sleep. */
function idleLimit(args: ParsedArgs): number {
  const text = args.values['idle-limit'] as string | undefined;
  if (text === undefined) return args.values.exec === undefined ? 300 : 3600;
  return parseSeconds('idle-limit', text) || Infinity;
}

/** Lets terminals and sockets have their turn. */
function nextEvent(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Lets virtual time pass with real time while the guest sleeps and somebody may type. */
async function idle(machine: Machine, console: Console, cycles: number): Promise<void> {
  const before = Date.now();
  await console.wait(Math.min((cycles / machine.clock.hertz) * 1000, PATIENCE));
  if (cycles === Infinity) return;
  const passed = ((Date.now() - before) / 1000) * machine.clock.hertz;
  machine.clock.skip(Math.min(cycles, Math.max(1, Math.round(passed))));
}

/** What is to be said when the terminal is ours again. */
const farewell: string[] = [];

function giveUp(why: string, code: number): number {
  farewell.push(`damselfly: ${why}\n`);
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

/** What --expect makes of a run's exit code: 0 when all has happened, however the guest ended; a triple fault or a panic stays one. */
function judged(code: number, expectation: Expectation | null): number {
  if (!expectation || code === EXIT.tripleFault || code === EXIT.panic) return code;
  if (expectation.done) return 0;
  return giveUp(`--expect: the run ended before this was seen: ${expectation.missing}`, EXIT.expect);
}

function version(): string {
  return (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;
}

/** What runs, and how to get out. */
function banner(what: string, memory: number): string {
  return `damselfly ${version()}: ${what}, on an i386 PC with ${memory >> 20} MiB\r\nCtrl-A x quits, Ctrl-A h helps, Ctrl-C goes to the guest\r\n`;
}

async function main(argv: readonly string[]): Promise<number> {
  const args = parseCommandLine(argv, OPTIONS);
  if (args.values.help || args.values.h) {
    process.stdout.write(HELP);
    return 0;
  }
  if (args.values.version) {
    process.stdout.write(`damselfly ${version()}\n`);
    return 0;
  }
  if (args.values.d === 'help') {
    process.stdout.write(logHelp());
    return 0;
  }
  if (args.positionals.length > 1) throw new UsageError(`one image at a time; got ${args.positionals.join(' ')}`);
  const image = (args.values.kernel as string | undefined) ?? args.positionals[0];
  if (args.values.kernel !== undefined && args.positionals.length) throw new UsageError(`-kernel ${image} and ${args.positionals[0]} are two images to boot; -hda ${args.positionals[0]} attaches a disk`);
  const request = debugRequest(args);
  const wanted = observeRequest(args, request.items);
  for (const line of warnings(args)) process.stderr.write(`${line}\n`);
  const timing = timingNamed((args.values.timing as string | undefined) ?? 'flat');
  if (!timing) throw new UsageError(`--timing ${args.values.timing as string}: expected ${TIMINGS.map(({ name }) => name).join(' or ')}`);
  const named = bootNamed(args, image);
  const memory = parseMemory((args.values.m as string | undefined) ?? (!named ? `${SYSTEM_MEMORY >> 20}` : '128'));
  const exit = debugExit(args);
  const endings = endingsOf(args, args.values.exec !== undefined || observes(wanted));
  const script = args.values.expect === undefined ? null : readScript(args.values.expect as string);
  const boot = named ?? (await bootOwn(args));
  const console = new Console();
  if (args.values.echr !== undefined) console.escape = parseCount('echr', args.values.echr as string, 1) & 0x1f;
  const debugging = new Debugging(request);
  const attached = await Attachments.open(args, console);
  const machine = new Machine({
    memory,
    engine: observes(wanted) ? 'observed' : parseEngine(args.values.engine as string | undefined),
    disks: boot.disks,
    ...attached.sinks,
    acpi: args.values['no-acpi'] !== true,
    bios: !boot.own,
    serialConsole: args.values.display !== 'curses',
    debugExit: exit,
    unimplemented: debugging.unimplemented,
    timing,
  });
  if (boot.medium) machine.bootDisk(boot.medium);
  else machine.loadKernel(boot.kernel, basename(boot.name), boot.commandLine, boot.modules);
  const debug = await debugging.attach(machine, boot.kernel, console);
  if (boot.world) debug.guest = hostView(machine.cpu, systemFiles(boot.world));
  const observing = observes(wanted) ? new Observing(wanted, debug, boot.world, debugging.logLine) : null;
  attached.connect(debug);
  console.actions = { save: () => boot.disks.forEach((disk) => disk?.flush()), sendBreak: () => machine.receiveBreak(), stamp: () => (machine.clock.now / machine.clock.hertz).toFixed(3) };
  if (script) attached.expectation = new Expectation(script, (bytes) => machine.receive(bytes));
  attached.expectation?.begin();
  const deaf = script !== null || args.values.exec !== undefined;
  if (deaf) console.open = false;
  else console.start();
  if (process.stdin.isTTY && !deaf) process.stderr.write(banner(!boot.own ? boot.name : args.values.native ? 'its host kernel' : 'its host kernel, and the virtual kernel in it', memory));
  const before = Date.now();
  const code = judged(await runToEnd(debug, debugging, console, attached, args, boot.own, endings), attached.expectation);
  observing?.close();
  debugging.close(code);
  attached.close();
  process.stderr.write(farewell.join(''));
  console.stop();
  if (args.values.stats) process.stderr.write(`${statistics(machine, (Date.now() - before) / 1000).join('\n')}\n`);
  return code;
}

endWithReader();
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
