// Memory runs short: test/guest/shortage.ts judges it as process 1 of host kernels of several sizes, and of virtual kernels that share
// a host with less memory than their images.

import { expect, it } from 'vitest';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';
import { bootPc } from '../kern/machines.ts';
import { compiled, DEVICES, HOST_KERNEL, VIRTUAL_KERNEL } from '../kern/roots.ts';

const MIB = 1 << 20;

/** Boots the program on a host of `size` MiB with `words`, on a disk that has room for an image that is larger, and a file of a quarter of it. */
function judge(size: number, words: string, more: readonly FileSpec[] = []): string {
  const directories = Array.from({ length: 400 }, (_, i): FileSpec => ({ path: `/d${i}`, directory: true }));
  const disk = buildExt2({ sizeMiB: 3 * size + 8 + (more.length > 0 ? 256 : 0), files: [...DEVICES, ...directories, program(), ...more] });
  const { text, off } = bootPc(compiled(HOST_KERNEL), disk, words, 12_000_000_000, size * MIB);
  expect(text).toMatch(/^shortage: \d+ passed, 0 failed$/m);
  expect(off).toBe(true);
  return text;
}

function program(): FileSpec {
  return { path: '/sbin/init', mode: 0o755, data: compiled(['test/guest/shortage.ts', '--bind', 'rt=src/libc']) };
}

it.each([40, 64])('an image that is larger than the %i MiB of the host leaves room for others', (size) => void judge(size, 'brief=1'), 120_000);

it('the greedy are refused or ended, and leave nothing behind', () => {
  expect(judge(14, '')).toMatch(/^pid \d+ \(init\): killed, memory is out$/m);
}, 240_000);

/** A virtual kernel with a root disk of `sizeMiB` for each of two. */
function virtual(sizeMiB: number): FileSpec[] {
  const root = buildExt2({ sizeMiB, files: [...DEVICES, program()] });
  return [
    { path: '/boot/vkernel', mode: 0o755, data: compiled(VIRTUAL_KERNEL) },
    { path: '/var/vkernel', directory: true },
    { path: '/vroot0.img', data: root },
    { path: '/vroot1.img', data: root },
  ];
}

it('two virtual kernels of four CPUs each live with less memory than their images', () => void judge(48, 'virtual=2 cpus=4', virtual(64)), 600_000);

it('a virtual kernel that gets few VM spaces refuses processes', () => void judge(64, 'virtual=1 spaces=24', virtual(8)), 120_000);
