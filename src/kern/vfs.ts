// The file system: one ext2 volume, the root. Mounting marks it in use on disk; only vfsUnmount, which the end of the
// system calls, makes it clean again.

import { ext2Mount, ext2Root, ext2Sync, ext2Unmount } from './ext2_fs.ts';
import { kprint } from './kprintf.ts';
import { panic } from './panic.ts';
import type { Vnode } from './vnode.ts';

let mounted: bool = false;

/** Mount the disk as the root; without one there is nothing to run. */
export function vfsMountRoot(): void {
  const problem = ext2Mount();
  if (problem != null) panic("root file system: " + problem);
  mounted = true;
}

/** The root directory; take a reference to keep it. */
export function rootVnode(): Vnode {
  return ext2Root();
}

/** Write everything that is only in memory: 0 or the first error. */
export function vfsSync(): i32 {
  return mounted ? ext2Sync() : 0;
}

/** Write everything and mark the volume clean. Nothing may use it afterwards. */
export function vfsUnmount(): void {
  if (!mounted) return;
  mounted = false;
  if (ext2Unmount() != 0) kprint("root file system: not everything could be written\n");
}
