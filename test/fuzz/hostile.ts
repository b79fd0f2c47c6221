// `npm run fuzz -- hostile`: test/guest/hostile.ts as process 1 of the host kernel, and as process 1 of a virtual kernel on it.

import { DEV_CONSOLE, DEV_NULL, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { MemoryDisk } from '../../src/devices/memory-disk.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';
import { Machine } from '../../src/pc/machine.ts';
import { compiled, HOST_KERNEL, VIRTUAL_KERNEL } from '../kern/roots.ts';

const MEMORY = 64 << 20;
const BASE_BUDGET = 3_000_000_000;
const BUDGET_PER_CALL = 400_000;
const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/zero', dev: DEV_ZERO },
  { path: '/tmp', directory: true },
];

export interface HostileResult {
  /** The machine powered itself off and no check failed, on the host kernel and, if wanted, in the virtual kernel. */
  readonly survived: boolean;
  /** Everything on the console. */
  readonly text: string;
  /** The disk afterwards. */
  readonly disk: Uint8Array;
}

/**
 * Makes `calls` random system calls beginning with seed `seed`.
 * @param virtual let a virtual kernel suffer them too, and count what the host holds after it
 */
export function fuzzHostile(seed: number, calls: number, virtual: boolean): HostileResult {
  const program: FileSpec = { path: '/sbin/init', mode: 0o755, data: compiled(['test/guest/hostile.ts', '--bind', 'rt=src/libc']) };
  const nested: FileSpec[] = virtual ? [
    { path: '/boot/vkernel', mode: 0o755, data: compiled(VIRTUAL_KERNEL) },
    { path: '/var/vkernel', directory: true },
    { path: '/vroot.img', data: buildExt2({ sizeMiB: 8, files: [...DEVICES, program] }) },
  ] : [];
  const disk = buildExt2({ sizeMiB: virtual ? 96 : 16, files: [...DEVICES, program, ...nested] });
  let text = '';
  const machine = new Machine({ memory: MEMORY, disks: [new MemoryDisk(disk)], serial: (byte) => (text += String.fromCharCode(byte)) });
  machine.loadKernel(compiled(HOST_KERNEL), 'host-kernel.elf', `kernel seed=${seed} calls=${calls}`);
  const result = machine.run(BASE_BUDGET + calls * BUDGET_PER_CALL * (virtual ? 4 : 1), true);
  text = text.replaceAll('\r', '');
  return { survived: result.kind === 'off' && /^hostile: \d+ passed, 0 failed\n/m.test(text) && !text.includes('FAIL'), text: `${text}${result.kind}\n`, disk };
}
