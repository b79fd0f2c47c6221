// The self-judging guest programs of test/guest, each as process 1 of the host kernel and as process 1 of the virtual kernel on
// top of it (where its VM spaces are nested ones), on our PC and, where it is installed, on QEMU. Both machines must print
// the same.

import { resolve } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';
import { bootPc, bootQemu, hasQemu } from './machines.ts';

const PROGRAMS = ['memory', 'vpagetable', 'vmspace', 'process', 'files', 'isolation'];
const HOST_KERNEL = ['src/host-kernel/boot.ts', '--base', '0xC0100000', '--phys-offset', '0xC0000000', '--multiboot',
  '--bind', 'machine=src/host-kernel', '--bind', 'rt=src/kern'];
const VIRTUAL_KERNEL = ['src/vkernel/boot.ts', '--bind', 'machine=src/vkernel', '--bind', 'rt=src/kern'];
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
  { path: '/tmp', directory: true },
];

const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
const outputs = new Map<string, Uint8Array>();

function compiled(args: readonly string[]): Uint8Array {
  const key = args.join(' ');
  const known = outputs.get(key) ?? compileProgram(tree, args).bytes;
  outputs.set(key, known);
  return known;
}

function executable(path: string, source: string): FileSpec {
  return { path, mode: 0o755, data: compiled([source, '--bind', 'rt=src/libc']) };
}

/** A root whose process 1 is the program. */
function rootOf(program: string): Uint8Array {
  return buildExt2({ sizeMiB: 24, files: [...DEVICES, executable('/sbin/init', `test/guest/${program}.ts`), executable('/bin/echo', 'src/user/echo.ts')] });
}

/** A root from which the host's init starts the virtual kernel, whose process 1 is the program. */
function nestedRootOf(program: string): Uint8Array {
  const files: FileSpec[] = [
    ...DEVICES,
    executable('/sbin/init', 'src/user/init.ts'),
    { path: '/boot/vkernel', mode: 0o755, data: compiled(VIRTUAL_KERNEL) },
    { path: '/vroot.img', data: rootOf(program) },
    { path: '/usr/src', directory: true },
    { path: '/var/vkernel', directory: true },
  ];
  return buildExt2({ sizeMiB: 64, files });
}

/** Boot on both machines; the program must have found nothing wrong. */
function expectVerdict(program: string, image: Uint8Array, commandLine: string): void {
  const onQemu = hasQemu ? bootQemu(compiled(HOST_KERNEL), image, commandLine) : null;
  const boot = bootPc(compiled(HOST_KERNEL), image, commandLine);
  expect(boot.text).toMatch(new RegExp(`^${program}: \\d+ passed, 0 failed$`, 'm'));
  expect(boot.off).toBe(true);
  if (onQemu !== null) expect(onQemu).toMatchObject({ text: boot.text, off: true });
}

beforeAll(() => {
  compiled(HOST_KERNEL);
  compiled(VIRTUAL_KERNEL);
  if (!hasQemu) console.warn('guest.test: not compared with QEMU, which is not installed');
}, 120_000);

describe.each(PROGRAMS)('%s', (program) => {
  it('finds no failure on the host kernel', () => expectVerdict(program, rootOf(program), ''), 120_000);
  it('finds no failure in the virtual kernel', () => expectVerdict(program, nestedRootOf(program), 'exec=none'), 120_000);
});
