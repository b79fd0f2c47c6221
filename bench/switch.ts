// `npm run bench -- switch`: what the virtual-kernel facility costs, in guest instructions. bench/guest/switch.ts measures
// itself as process 1 of the host kernel and of the virtual kernel; once as they are and once with their improvements
// switched off (the boot word off=all). --json prints the same for programs.

import { resolve } from 'node:path';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../src/abi/file.ts';
import { MemoryDisk } from '../src/devices/memory-disk.ts';
import { compileProgram } from '../src/image/compile.ts';
import { SourceTree } from '../src/image/inputs.ts';
import { buildExt2 } from '../src/image/mkfs.ts';
import type { FileSpec } from '../src/image/mkfs.ts';
import { Machine } from '../src/pc/machine.ts';

const LIMIT = 20_000_000_000;
/** The names of src/kern/tuning.ts. */
const IMPROVEMENTS = ['lane', 'pool', 'around', 'modified'];
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
];

interface Figures {
  readonly switch: readonly { spaces: number; instructions: number }[];
  readonly native: Record<string, number>;
  readonly virtual: Record<string, number>;
  readonly ratio: { nullCall: number; hostFault: number; forkExecExit: number };
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
      executable('/boot/vkernel', compiled('src/vkernel/boot.ts', '--bind', 'machine=src/vkernel', '--bind', 'rt=src/kern')),
      { path: '/vroot.img', data: nativeRoot },
      { path: '/usr/src', directory: true },
      { path: '/var/vkernel', directory: true },
    ],
  });
  return { kernel, nativeRoot, virtualRoot };
}

/** Boots and collects the lines `name number`. */
function boot(kernel: Uint8Array, root: Uint8Array, commandLine: string): Record<string, number> {
  let text = '';
  const machine = new Machine({ disks: [new MemoryDisk(root.slice())], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(kernel, 'host-kernel.elf', `kernel ${commandLine}`);
  const result = machine.run(LIMIT, true);
  if (!text.includes('end of figures')) throw new Error(`${commandLine}: ${result.kind}\n${text}`);
  return Object.fromEntries([...text.matchAll(/^(\w+(?: \d+)?) (\d+)\r?$/gm)].map((match) => [match[1]!, Number(match[2])]));
}

/** @param off boot words that switch improvements off, with a blank at the end */
function measure({ kernel, nativeRoot, virtualRoot }: Systems, off: string): Figures {
  const native = boot(kernel, nativeRoot, `${off}spaces`);
  const virtual = boot(kernel, virtualRoot, `${off}exec=none`);
  const pairs = Object.entries(native).flatMap(([name, instructions]) => (name.startsWith('pair ') ? [{ spaces: Number(name.slice(5)), instructions }] : []));
  return {
    switch: pairs,
    native,
    virtual,
    ratio: {
      nullCall: virtual['nullCall']! / native['nullCall']!,
      hostFault: (native['spaceReadFault']! + native['spaceWriteFault']!) / (native['readFault']! + native['writeFault']!),
      forkExecExit: virtual['forkExecExit']! / native['forkExecExit']!,
    },
  };
}

function row(name: string, ...cells: readonly (number | string)[]): string {
  return name.padEnd(34) + cells.map((cell) => (typeof cell === 'number' ? cell.toLocaleString('en-US') : cell).padStart(12)).join('');
}

function table(figures: Figures): string {
  const { native, virtual, ratio } = figures;
  const compare = (name: string, a: number, b: number, r: number): string => row(name, a, b, r.toFixed(2));
  return [
    row('instructions', 'native', 'virtual', 'ratio'),
    compare('system call that does nothing', native['nullCall']!, virtual['nullCall']!, ratio.nullCall),
    compare('fault only the host answers: load', native['readFault']!, native['spaceReadFault']!, native['spaceReadFault']! / native['readFault']!),
    compare('fault only the host answers: store', native['writeFault']!, native['spaceWriteFault']!, native['spaceWriteFault']! / native['writeFault']!),
    compare('fork + exec + exit + wait', native['forkExecExit']!, virtual['forkExecExit']!, ratio.forkExecExit),
    ...figures.switch.map(({ spaces, instructions }) => row(`pair of switches, ${spaces} spaces`, instructions)),
  ].join('\n');
}

/** What each improvement is worth: the figures of the virtual kernel without it. */
function steps(systems: Systems): string {
  const lines = [row('without', 'call', 'load fault', 'store fault', 'fork + exec')];
  for (const name of IMPROVEMENTS) {
    const { native, virtual } = measure(systems, `off=${name} `);
    lines.push(row(name, virtual['nullCall']!, native['spaceReadFault']!, native['spaceWriteFault']!, virtual['forkExecExit']!));
  }
  return lines.join('\n');
}

/** Measures with and without the improvements and prints; `json` for programs. */
export function benchSwitch(json: boolean): void {
  const systems = build();
  const on = measure(systems, '');
  const off = measure(systems, 'off=all ');
  if (json) console.log(JSON.stringify({ switch: on.switch, ratio: on.ratio, improvementsOff: { switch: off.switch, ratio: off.ratio } }));
  else console.log(`${table(on)}\n\nwith the improvements switched off (off=all)\n${table(off)}\n\n${steps(systems)}`);
}
