// The file system: one ext2 volume, the root. Mounting marks it in use on disk; only vfsUnmount, which the end of the
// system calls, makes it clean again. With the boot word `ro` nothing is written to the disk, neither marks nor repairs.

import { EROFS } from '../abi/errno.ts';
import { FsStats } from '../abi/file.ts';
import { ext2Mount, ext2Root, ext2Stats, ext2Commit, ext2Unmount } from './ext2_fs.ts';
import { kprint } from './kprintf.ts';
import { panic } from './panic.ts';
import { hasBootWord } from './tuning.ts';
import type { Vnode } from './vnode.ts';

let mounted: bool = false;
let readOnly: bool = false;

/** Mount the disk as the root; without one there is nothing to run. */
export function vfsMountRoot(): void {
  readOnly = hasBootWord("ro");
  const problem = ext2Mount(readOnly);
  if (problem != null) panic("root file system: " + problem);
  mounted = true;
}

/** The root directory; take a reference to keep it. */
export function rootVnode(): Vnode {
  return ext2Root();
}

export function vfsStats(stats: FsStats): void {
  ext2Stats(stats);
}

/** 0, or EROFS: what every call asks before it changes the file system. */
export function mayChange(): i32 {
  return readOnly ? EROFS : 0;
}

/** Write everything that is only in memory: 0 or the first error. */
export function vfsSync(): i32 {
  return mounted && !readOnly ? ext2Commit() : 0;
}

/** Write everything and mark the volume clean. Nothing may use it afterwards. */
export function vfsUnmount(): void {
  if (!mounted || readOnly) return;
  mounted = false;
  if (ext2Unmount() != 0) kprint("root file system: not everything could be written\n");
}
