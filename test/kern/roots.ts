// Root file systems whose process 1 is a program of test/guest: on the host kernel, or in the virtual kernel that the
// host's init starts.

import { resolve } from 'node:path';
import { DEV_CONSOLE, DEV_NULL, DEV_TIME, DEV_TTY, DEV_ZERO } from '../../src/abi/file.ts';
import { compileProgram } from '../../src/image/compile.ts';
import { SourceTree } from '../../src/image/inputs.ts';
import { buildExt2 } from '../../src/image/mkfs.ts';
import type { FileSpec } from '../../src/image/mkfs.ts';

/** Arguments of the compiler. */
export const HOST_KERNEL = ['src/host-kernel/boot.ts', '--base', '0xC0100000', '--phys-offset', '0xC0000000', '--multiboot',
  '--bind', 'machine=src/host-kernel', '--bind', 'rt=src/kern'];
export const VIRTUAL_KERNEL = ['src/vkernel/boot.ts', '--first', 'src/vkernel/hot.txt', '--bind', 'machine=src/vkernel', '--bind', 'rt=src/kern'];
/** What a root cannot do without. */
export const DEVICES: FileSpec[] = [
  { path: '/dev/console', dev: DEV_CONSOLE },
  { path: '/dev/tty', dev: DEV_TTY },
  { path: '/dev/null', dev: DEV_NULL },
  { path: '/dev/time', dev: DEV_TIME },
  { path: '/dev/zero', dev: DEV_ZERO },
  { path: '/tmp', directory: true },
];

const tree = new SourceTree(resolve(import.meta.dirname, '../..'));
const outputs = new Map<string, Uint8Array>();

/** A compiler output; each is made once. */
export function compiled(args: readonly string[]): Uint8Array {
  const key = args.join(' ');
  const known = outputs.get(key) ?? compileProgram(tree, args).bytes;
  outputs.set(key, known);
  return known;
}

function executable(path: string, source: string): FileSpec {
  return { path, mode: 0o755, data: compiled([source, '--bind', 'rt=src/libc']) };
}

/** A file of 2 MiB whose every page begins with the page's number. */
function bigFile(): FileSpec {
  const data = new Uint8Array(2 << 20);
  const view = new DataView(data.buffer);
  for (let page = 0; page < data.length / 4096; page++) view.setUint32(page * 4096, page, true);
  return { path: '/big', data };
}

/** A root whose process 1 is the program. */
export function rootOf(program: string): Uint8Array {
  return buildExt2({ sizeMiB: 24, files: [...DEVICES, ...(program === 'disk' ? [bigFile()] : []), executable('/sbin/init', `test/guest/${program}.ts`), executable('/bin/echo', 'src/user/echo.ts')] });
}

/** A root from which the host's init starts the virtual kernel, by default ours, whose process 1 is the program. */
export function nestedRootOf(program: string, virtualKernel = compiled(VIRTUAL_KERNEL)): Uint8Array {
  const files: FileSpec[] = [
    ...DEVICES,
    executable('/sbin/init', 'src/user/init.ts'),
    { path: '/boot/vkernel', mode: 0o755, data: virtualKernel },
    { path: '/vroot.img', data: rootOf(program) },
    { path: '/usr/src', directory: true },
    { path: '/var/vkernel', directory: true },
  ];
  return buildExt2({ sizeMiB: 64, files });
}
