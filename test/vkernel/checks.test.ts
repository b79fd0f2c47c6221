// The numbered checks of the virtual-kernel facility. Guest programs make them and print `ok NUMBER: what` or `FAIL NUMBER:
// what`; here each number has its test. The programs run as process 1 of the host kernel on our PC; check 45 is that the VM-space
// program runs as well in the virtual kernel, which so offers the facility to its own processes.

import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEV_CONSOLE, DEV_MEM, DEV_NULL, DEV_TIME, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';
import { bootPc, bootQemu, hasQemu } from '../kern/machines.ts';

const CHECKS: Readonly<Record<number, string>> = {
  1: 'vm.vkernel_enable = 0 closes the facility',
  2: 'create, the same id again, destroy of an unknown id',
  3: 'ids are not looked at, commands are',
  4: 'destroy of a space in use is refused until it is left',
  5: 'arguments of a MAP_VPAGETABLE mapping',
  6: 'a fresh mapping faults until MADV_SETMAP',
  7: 'who takes MADV_SETMAP',
  8: 'root with PS is linear',
  9: 'directory entry with PS',
  10: 'the walk index is the address in the object',
  11: 'a load sets A only, the next store M',
  12: 'a first store sets A and M at both levels',
  13: 'write permission is needed at every level',
  14: 'invalid leaf: signal here, exit from a space',
  15: 'frame beyond the image',
  16: 'after MADV_INVAL stale accesses fault',
  17: 'more permissive entries need no MADV_INVAL',
  18: 'clearing M and MADV_INVAL arm it again',
  19: 'read, write and umtx calls on the mapping follow the walk',
  20: 'umtx_sleep in one mapping is woken through another',
  21: 'RUN with bad pointers changes nothing',
  22: 'RUN checks TLS descriptors',
  23: 'RUN forces selectors and flags',
  24: 'RUN with garbage in gs or fs',
  25: 'system call in a space is not the host\'s',
  26: 'RUN gives every register back',
  27: 'TLS of the space, and ours again after it',
  28: 'a space does not see its owner\'s memory',
  29: 'fault address and flags in the frame',
  30: 'a signal ends RUN, which can be repeated',
  31: 'pending and blocked signals',
  32: 'time slices end no RUN',
  33: 'the FPU fault that was asked for',
  34: 'and none that was not',
  35: 'FPU contents of two processes never mix',
  36: 'single step and breakpoint',
  37: 'numbers of the other traps',
  38: 'two processes or threads in two spaces, and in one',
  39: 'fork shares spaces, the last owner frees them',
  40: 'killed inside a space',
  41: 'the mapping outlives the descriptor',
  42: 'changes from outside reach a running space at once',
  43: 'SIGIO from a kqueue, and timers that are armed again',
  44: 'a signal on a stack that the page tables forgot',
  46: 'halt, reboot, and SIGTERM to process 1',
  47: 'memory sizes and settings that are refused',
};

const HOST_KERNEL = ['src/host-kernel/boot.ts', '--base', '0xC0100000', '--phys-offset', '0xC0000000', '--multiboot',
  '--bind', 'machine=src/host-kernel', '--bind', 'rt=src/kern'];
const VIRTUAL_KERNEL = ['src/vkernel/boot.ts', '--bind', 'machine=src/vkernel', '--bind', 'rt=src/kern'];
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/time', dev: DEV_TIME },
  { path: '/dev/zero', dev: DEV_ZERO },
  { path: '/dev/mem', dev: DEV_MEM },
  { path: '/usr/src', directory: true },
  { path: '/tmp', directory: true },
  { path: '/var/vkernel', directory: true },
];

const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
let kernel: Uint8Array;
let virtualKernel: FileSpec;

function executable(path: string, source: string): FileSpec {
  return { path, mode: 0o755, data: compileProgram(tree, [source, '--bind', 'rt=src/libc']).bytes };
}

function init(source: string): FileSpec {
  return executable('/sbin/init', source);
}

function rootOf(program: string): Uint8Array {
  return buildExt2({ sizeMiB: 24, files: [...DEVICES, init(`test/guest/${program}.ts`), executable('/bin/echo', 'src/user/echo.ts')] });
}

/** The virtual root of `power`, which in the end becomes the real init, and wants a shell. */
function powerRoot(): Uint8Array {
  const files = ['init', 'sh'].map((name) => ({ ...init(`src/user/${name}.ts`), path: name === 'init' ? '/sbin/real' : `/bin/${name}` }));
  return buildExt2({ sizeMiB: 24, files: [...DEVICES, init('test/guest/power.ts'), ...files] });
}

/** Disk of a host that has a virtual kernel. */
function hostWith(first: FileSpec, virtualRoot: Uint8Array): Uint8Array {
  return buildExt2({ sizeMiB: 64, files: [...DEVICES, first, virtualKernel, { path: '/vroot.img', data: virtualRoot }] });
}

/** Programs that make checks as process 1 of the host kernel; `power` makes the rest. */
const PROGRAMS = ['vpagetable', 'vmspace', 'switching', 'umtx', 'crowd', 'events'];

/** Both ways of the switch are judged: the short one, and the long one that off=all leaves. */
const MODES = ['', 'off=all '];
const lines = new Map<string, string[]>();

beforeAll(() => {
  kernel = compileProgram(tree, HOST_KERNEL).bytes;
  virtualKernel = { path: '/boot/vkernel', mode: 0o755, data: compileProgram(tree, VIRTUAL_KERNEL).bytes };
  const disks = [...PROGRAMS.map(rootOf), hostWith(init('test/guest/power.ts'), powerRoot())];
  for (const mode of MODES) {
    lines.set(mode, disks.flatMap((disk) => bootPc(kernel, disk.slice(), `${mode}verbose`).text.split('\n')));
  }
}, 300_000);

describe.each(MODES)('with boot words "%s"', (mode) => {
  it.each(Object.entries(CHECKS))('%s: %s', (number) => {
    const made = lines.get(mode)!.filter((line) => line.startsWith(`ok ${number}: `));
    const failed = lines.get(mode)!.filter((line) => line.startsWith(`FAIL ${number}: `));
    expect(failed).toEqual([]);
    expect(made.length).toBeGreaterThan(0);
  });

  it('47: says why', () => {
    const text = lines.get(mode)!.join('\n');
    expect(text).toContain("vkernel: the host's vm.vkernel_enable is 0; set it to 1");
    expect(text).toContain('vkernel: -m 33m: expected a multiple of 4 MB');
    expect(text).toContain('vkernel: -m 16m: expected a multiple of 4 MB');
    expect(text).toContain('vkernel: /nothing: No such file or directory');
    expect(text).toContain('vkernel: /image: locked by another process');
    expect(text).toContain('vkernel: /vroot.img: locked by another process');
    expect(text).toContain('vkernel: /pid: locked by another process');
    expect(text).toContain('vkernel: -e exec: expected name=value');
    expect(text).toContain('vkernel: -x: unknown option');
    expect(text).toContain('vkernel: -r disk: missing');
    expect(text).toContain('vkernel: /dev/null: expected a disk of at least one sector');
    expect(text).toContain('vkernel: memory 32 MB, /image');
  });

  it('46: reboots in place, then hears of SIGTERM', () => {
    const said = lines.get(mode)!.filter((line) => /^(rebooting|waiting|told)$/.test(line));
    expect(said).toEqual(['rebooting', 'waiting', 'told']);
  });
});

if (!hasQemu) console.warn('checks.test: not compared with QEMU, which is not installed');

describe.skipIf(!hasQemu)('QEMU prints the same', () => {
  it.each(PROGRAMS)('%s', (program) => {
    const disk = rootOf(program);
    const { text, off } = bootQemu(kernel, disk.slice(), 'verbose', 100);
    expect(off).toBe(true);
    expect(text).toBe(bootPc(kernel, disk.slice(), 'verbose').text);
  }, 240_000);
});

describe('checks of their own kind', () => {
  it.each(['', 'ncpu=4 '])('45: a virtual kernel offers VM spaces to its own processes (%s)', (words) => {
    const disk = hostWith(init('src/user/init.ts'), rootOf('vmspace'));
    expect(bootPc(kernel, disk, `${words}exec=none`).text).toMatch(/^vmspace: \d+ passed, 0 failed$/m);
  }, 120_000);
});
