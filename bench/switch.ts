// `npm run bench -- switch`: what the virtual-kernel facility costs, in guest instructions and in cycles of a Pentium 4. bench/guest/switch.ts measures
// itself as process 1 of the host kernel and of the virtual kernel; once as they are and once with their improvements
// switched off (the boot word off=all). --json prints the same for programs.

import { resolve } from 'node:path';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../src/abi/file.ts';
import { MemoryDisk } from '../src/devices/memory-disk.ts';
import { timingNamed } from '../src/cpu/timing.ts';
import { compileProgram } from '../src/image/compile.ts';
import { SourceTree } from '../src/image/inputs.ts';
import { buildExt2 } from '../src/image/mkfs.ts';
import type { FileSpec } from '../src/image/mkfs.ts';
import { Machine } from '../src/pc/machine.ts';

const LIMIT = 20_000_000_000;
/** The names of src/kern/tuning.ts. */
const IMPROVEMENTS = ['lane', 'pool', 'around', 'modified', 'tables', 'neighbours', 'batch', 'teardown', 'window', 'sysenter', 'resume', 'linear', 'ahead', 'protect', 'program', 'expect'];
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
];

/** Events cost nothing: a count of instructions. Or what they took on a machine of the time: cycles. */
const TIMINGS = { instructions: timingNamed('flat')!, cycles: timingNamed('p4')! };
type Unit = keyof typeof TIMINGS;
/** The two that look beyond the page that faulted: the ratio of faults is that of kernels without them. */
const NEIGHBOURS = ['neighbours', 'around'];

interface Ratios {
  readonly nullCall: number;
  readonly hostFault: number;
  readonly forkExecExit: number;
}

interface Figures {
  readonly native: Record<string, number>;
  readonly virtual: Record<string, number>;
  /** Faults with and without a look at neighbours. */
  readonly faults: Record<string, number>;
  readonly ratio: Ratios;
}

interface Both {
  readonly switch: readonly { spaces: number; instructions: number; cycles: number }[];
  readonly by: Readonly<Record<Unit, Figures>>;
}

const tree = new SourceTree(resolve(import.meta.dirname, '..'));

function compiled(...args: string[]): Uint8Array {
  return compileProgram(tree, args).bytes;
}

interface Systems {
  readonly kernel: Uint8Array;
  readonly nativeRoot: Uint8Array;
  readonly virtualRoot: Uint8Array;
}

/** Both kernels, and the disks on which the measuring program is process 1 of one or the other. */
function build(): Systems {
  const kernel = compiled('src/host-kernel/boot.ts', '--base', '0xC0100000', '--phys-offset', '0xC0000000', '--multiboot',
    '--bind', 'machine=src/host-kernel', '--bind', 'rt=src/kern');
  const executable = (path: string, data: Uint8Array): FileSpec => ({ path, mode: 0o755, data });
  const program = compiled('bench/guest/switch.ts', '--bind', 'rt=src/libc');
  const nativeRoot = buildExt2({ sizeMiB: 24, files: [...DEVICES, executable('/sbin/init', program)] });
  const virtualRoot = buildExt2({
    sizeMiB: 64,
    files: [
      ...DEVICES,
      executable('/sbin/init', compiled('src/user/init.ts', '--bind', 'rt=src/libc')),
      executable('/boot/vkernel', compiled('src/vkernel/boot.ts', '--first', 'src/vkernel/hot.txt', '--bind', 'machine=src/vkernel', '--bind', 'rt=src/kern')),
      { path: '/vroot.img', data: nativeRoot },
      { path: '/usr/src', directory: true },
      { path: '/var/vkernel', directory: true },
    ],
  });
  return { kernel, nativeRoot, virtualRoot };
}

/** Boots and collects the lines `name number`. */
function boot(kernel: Uint8Array, root: Uint8Array, commandLine: string, unit: Unit): Record<string, number> {
  let text = '';
  const timing = TIMINGS[unit];
  const machine = new Machine({ disks: [new MemoryDisk(root.slice())], serial: (byte) => (text += String.fromCharCode(byte)), timing });
  machine.loadKernel(kernel, 'host-kernel.elf', `kernel ${commandLine}`);
  const result = machine.run(LIMIT, true);
  if (!text.includes('end of figures')) throw new Error(`${commandLine}: ${result.kind}\n${text}`);
  return Object.fromEntries([...text.matchAll(/^(\w+(?: \d+)?) (\d+)\r?$/gm)].map((match) => [match[1]!, Number(match[2])]));
}

/** @param off names of improvements to switch off, or `all` */
function measure({ kernel, nativeRoot, virtualRoot }: Systems, off: readonly string[], unit: Unit, what: 'spaces' | 'faults' = 'spaces'): Figures {
  const words = (names: readonly string[]): string => (names.length ? `off=${names.join(',')} ` : '');
  const native = boot(kernel, nativeRoot, `${words(off)}${what}`, unit);
  const virtual = boot(kernel, virtualRoot, `${words(off)}exec=none`, unit);
  const faults = off.includes('all') ? native : boot(kernel, nativeRoot, `${words([...off, ...NEIGHBOURS])}faults`, unit);
  const ratio = {
    nullCall: virtual['nullCall']! / native['nullCall']!,
    hostFault: (faults['spaceReadFault']! + faults['spaceWriteFault']!) / (faults['readFault']! + faults['writeFault']!),
    forkExecExit: virtual['forkExecExit']! / native['forkExecExit']!,
  };
  return { native, virtual, faults, ratio };
}

function measureBoth(systems: Systems, off: readonly string[]): Both {
  const by = { instructions: measure(systems, off, 'instructions'), cycles: measure(systems, off, 'cycles') };
  const names = Object.keys(by.instructions.native).filter((name) => name.startsWith('pair '));
  const pair = (name: string): Both['switch'][number] =>
    ({ spaces: Number(name.slice(5)), instructions: by.instructions.native[name]!, cycles: by.cycles.native[name]! });
  return { switch: names.map(pair), by };
}

function row(name: string, ...cells: readonly (number | string)[]): string {
  return name.padEnd(42) + cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell).padStart(12)).join('');
}

function table(unit: Unit, { native, virtual, faults, ratio }: Figures): string {
  const compare = (name: string, a: number, b: number): string => row(name, a, b, (b / a).toFixed(2));
  return [
    row(unit, 'native', 'virtual', 'ratio'),
    compare('system call that does nothing', native['nullCall']!, virtual['nullCall']!),
    compare('fault only the host answers: load', faults['readFault']!, faults['spaceReadFault']!),
    compare('fault only the host answers: store', faults['writeFault']!, faults['spaceWriteFault']!),
    row('both kinds of fault', '', '', ratio.hostFault.toFixed(2)),
    compare('  with a look at the neighbours: load', native['readFault']!, native['spaceReadFault']!),
    compare('  with a look at the neighbours: store', native['writeFault']!, native['spaceWriteFault']!),
    compare('fork + exec + exit + wait', native['forkExecExit']!, virtual['forkExecExit']!),
  ].join('\n');
}

function tables({ by, switch: pairs }: Both): string {
  return [
    table('instructions', by.instructions),
    table('cycles', by.cycles),
    [row('pair of switches', 'instructions', 'cycles'), ...pairs.map(({ spaces, instructions, cycles }) => row(`${spaces} spaces`, instructions, cycles))].join('\n'),
  ].join('\n\n');
}

/** What each improvement is worth: the figures of the virtual kernel without it. */
function steps(systems: Systems): string {
  const lines = [row('virtual kernel without, in cycles', 'call', 'read 4 KiB', 'fork + exec', 'native f+e')];
  for (const name of [null, ...IMPROVEMENTS]) {
    const { native, virtual } = measure(systems, name === null ? [] : [name], 'cycles', 'spaces');
    lines.push(row(name ?? '(nothing)', virtual['nullCall']!, virtual['readPage']!, virtual['forkExecExit']!, native['forkExecExit']!));
  }
  return lines.join('\n');
}

/** Ratios and pairs of one setting, for programs; ratios are of instructions. */
function forPrograms({ by, switch: pairs }: Both): { switch: Both['switch']; ratio: Ratios } {
  return { switch: pairs, ratio: by.instructions.ratio };
}

/** Measures with and without the improvements and prints; `json` for programs. */
export function benchSwitch(json: boolean): void {
  const systems = build();
  const on = measureBoth(systems, []);
  const off = measureBoth(systems, ['all']);
  if (json) console.log(JSON.stringify({ ...forPrograms(on), improvementsOff: forPrograms(off) }));
  else console.log(`${tables(on)}\n\nwith the improvements switched off (off=all)\n\n${tables(off)}\n\n${steps(systems)}`);
}
