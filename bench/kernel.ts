// `npm run bench -- kernel [--json] [--linux BZIMAGE]`: what the services of our kernel cost on the bare machine and in the
// virtual kernel, in instructions and in p4 cycles; and, where a Linux kernel for i386 is given, what Linux takes for the same
// on the same machine. bench/guest/kernel.ts measures itself as process 1 of each.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../src/abi/file.ts';
import { FLAT, P4 } from '../src/cpu/timing.ts';
import type { Timing } from '../src/cpu/timing.ts';
import { MemoryDisk } from '../src/devices/memory-disk.ts';
import { compileProgram } from '../src/image/compile.ts';
import { SourceTree } from '../src/image/inputs.ts';
import { buildExt2 } from '../src/image/mkfs.ts';
import type { FileSpec } from '../src/image/mkfs.ts';
import { buildWorld } from '../src/image/world.ts';
import { Machine } from '../src/pc/machine.ts';
import type { MachineOptions } from '../src/pc/machine.ts';
import { cpioArchive } from './cpio.ts';

const LIMIT = 30_000_000_000;
const STEP = 20_000_000;

/** Names of the guest's lines, and what they are. */
const ROWS: readonly (readonly [string, string])[] = [
  ['nullCall', 'null call (getppid)'],
  ['readByte', 'read 1 byte of /dev/zero'],
  ['readPage', 'read 4 KiB of /dev/zero'],
  ['pipeByte', 'pipe: write and read 1 byte'],
  ['pageFault', 'page fault, fresh zeros'],
  ['pagesInOrder', 'the same, each of 256 pages in order'],
  ['contextSwitch', 'context switch with a byte through a pipe'],
  ['forkExit', 'fork + exit + wait'],
  ['forkExecExit', 'fork + exec + exit + wait'],
];

type Figures = Readonly<Record<string, number>>;

interface SystemFigures {
  readonly system: string;
  readonly flat: Figures;
  readonly p4: Figures;
}

/** What is booted: loads a machine and leaves it at the first instruction. */
type Boot = (options: MachineOptions) => Machine;

const tree = new SourceTree(resolve(import.meta.dirname, '..'));

function program(os: string): Uint8Array {
  return compileProgram(tree, ['bench/guest/kernel.ts', '--bind', `os=bench/guest/${os}`]).bytes;
}

function ownSystems(): readonly (readonly [string, Boot])[] {
  const world = buildWorld();
  const executable = (path: string, data: Uint8Array): FileSpec => ({ path, mode: 0o755, data });
  const devices: FileSpec[] = [
    { path: '/dev/console', dev: DEV_CONSOLE },
    { path: '/dev/tty', dev: DEV_TTY },
    { path: '/dev/null', dev: DEV_NULL },
    { path: '/dev/zero', dev: DEV_ZERO },
  ];
  const root = buildExt2({ sizeMiB: 24, files: [...devices, executable('/sbin/init', program('damselfly'))] });
  const folders = ['/usr/src', '/var/vkernel'].map((path): FileSpec => ({ path, directory: true }));
  const outer = buildExt2({
    sizeMiB: 64,
    files: [...devices, ...folders, executable('/sbin/init', world.programs.get('init')!), executable('/boot/vkernel', world.virtualKernel), { path: '/vroot.img', data: root }],
  });
  const boot = (disk: Uint8Array): Boot => (options) => {
    const machine = new Machine({ ...options, disks: [new MemoryDisk(disk.slice())] });
    machine.loadKernel(world.hostKernel, 'host-kernel.elf', 'host-kernel.elf');
    return machine;
  };
  return [['host kernel', boot(root)], ['virtual kernel', boot(outer)]];
}

function linuxSystem(path: string): readonly [string, Boot] {
  const kernel = new Uint8Array(readFileSync(path));
  const data = program('linux');
  const initrd = cpioArchive([
    { path: 'dev', mode: 0o40755 }, { path: 'sbin', mode: 0o40755 },
    { path: 'dev/console', mode: 0o20600, device: [5, 1] }, { path: 'dev/zero', mode: 0o20666, device: [1, 5] },
    { path: 'init', mode: 0o100755, data }, { path: 'sbin/init', mode: 0o100755, data },
  ]);
  return ['Linux', (options) => {
    const machine = new Machine({ ...options, memory: 256 << 20 });
    machine.loadKernel(kernel, path, 'console=ttyS0 quiet', [{ bytes: initrd, commandLine: '' }]);
    return machine;
  }];
}

/** Boots and runs to the end of the figures. */
function measure(name: string, boot: Boot, timing: Timing): Figures {
  let text = '';
  const machine = boot({ timing, serial: (byte) => (text += String.fromCharCode(byte)) });
  while (!text.includes('end of figures')) {
    const { kind } = machine.run(machine.cpu.instructions + STEP, true);
    if (kind !== 'limit' || machine.cpu.instructions > LIMIT) break;
  }
  if (!text.includes('end of figures')) throw new Error(`${name} did not come to an end:\n${text}`);
  return Object.fromEntries([...text.matchAll(/^(\w+) (\d+)\r?$/gm)].map((match) => [match[1]!, Number(match[2])]));
}

function table(all: readonly SystemFigures[], timing: 'flat' | 'p4', unit: string): string {
  const line = (name: string, cells: readonly string[]): string => name.padEnd(44) + cells.map((cell) => cell.padStart(16)).join('');
  return [
    line(unit, all.map(({ system }) => system)),
    ...ROWS.map(([key, name]) => line(name, all.map((figures) => figures[timing][key]!.toLocaleString('en-US')))),
  ].join('\n');
}

/** Runs all systems and prints. @param linux path of a Linux bzImage, or null */
export function benchKernel(json: boolean, linux: string | null): void {
  const systems = [...ownSystems(), ...(linux === null ? [] : [linuxSystem(linux)])];
  const all = systems.map(([system, boot]): SystemFigures => ({ system, flat: measure(system, boot, FLAT), p4: measure(system, boot, P4) }));
  if (json) console.log(JSON.stringify({ kernel: all }));
  else console.log(`${table(all, 'flat', 'instructions')}\n\n${table(all, 'p4', 'p4 cycles')}`);
}
