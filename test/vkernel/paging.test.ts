// An image that is larger than the memory of the host kernel: test/guest/paging.ts judges it on 14 MiB, where a virtual kernel
// of 64 MiB compiles the compiler and gets the bytes that Node got.

import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';
import { buildWorld, sourceFiles } from '../../src/image/world.ts';
import { bootPc } from '../kern/machines.ts';
import { compiled } from '../kern/roots.ts';

const MEMORY = 14 << 20;
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
  { path: '/tmp', directory: true },
];

it('is paged out and in', () => {
  const { hostKernel, virtualKernel, programs } = buildWorld();
  const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
  const program = (path: string, name: string): FileSpec => ({ path, mode: 0o755, data: programs.get(name)! });
  const virtualRoot = buildExt2({
    sizeMiB: 24,
    files: [...DEVICES, program('/sbin/init', 'init'), ...['sh', 'gtc', 'cmp'].map((name) => program(`/bin/${name}`, name)),
      ...sourceFiles(tree.root).map((path): FileSpec => ({ path: `/usr/src/${path}`, data: tree.read(path)! }))],
  });
  const disk = buildExt2({
    sizeMiB: 128,
    files: [...DEVICES, { path: '/sbin/init', mode: 0o755, data: compiled(['test/guest/paging.ts', '--bind', 'rt=src/libc']) },
      { path: '/boot/vkernel', mode: 0o755, data: virtualKernel }, { path: '/vroot.img', data: virtualRoot }, { path: '/var/vkernel', directory: true }],
  });
  const { text, off } = bootPc(hostKernel, disk, '', 3_000_000_000, MEMORY);
  expect(text).toMatch(/^paging: \d+ passed, 0 failed$/m);
  expect(off).toBe(true);
}, 600_000);
